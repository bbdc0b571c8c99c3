//! `gazetted backup` and `gazetted migrate`: the store as one file, and its schema up to date.

use std::path::{Path, PathBuf};

use super::error::Failure;
use super::{Done, open, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The new file; it must not be there yet
    file: PathBuf,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    if given.file.exists() {
        return Err(Failure::failed(format!("`{}` is there already", given.file.display()), "name a new file"));
    }
    let store = open::store(&config).await?;
    store.backup(&given.file, open::now()).await?;
    print::text(&format!(
        "the store is copied to {}; restored from it, gazetted sends nothing until `gazetted digest resume --restored`",
        given.file.display()
    ))
}

pub async fn migrate(config: Option<&Path>) -> Done {
    let config = open::config(config)?;
    open::store(&config).await?.ping().await?;
    print::text(&format!("{} is up to date", crate::config::without_password(&config.store_url())))
}
