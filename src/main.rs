//! argv in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    gazetted::cli::main()
}
