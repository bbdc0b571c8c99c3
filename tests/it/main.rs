//! Everything that needs more than one module, in one binary.

mod postgres;
mod sqlite_file;
mod store_conformance;
