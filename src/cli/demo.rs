//! (being written)
#[derive(Debug, clap::Args)]
pub struct Arguments {}
pub async fn run(_: &Arguments) -> super::Done { Ok(()) }
