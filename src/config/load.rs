//! (being written)
use super::Config;
pub struct Loaded {
    pub config: Config,
}
pub fn find() {}
pub fn load() {}
pub fn load_str() {}
