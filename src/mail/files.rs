//! Messages as files: one `.eml` each, whole or not there, under a name that a second sending overwrites.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::session::{Failure, Sent};
use crate::domain::bounce::{Decision, Stage};
use crate::render::message::Message;
use crate::store::DeliveryKey;

#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub async fn send(
        &self,
        key: DeliveryKey,
        message: &Message,
        mark: impl Future<Output = bool> + Send,
    ) -> Result<Sent, Failure> {
        if !mark.await {
            return Ok(Sent::Lost);
        }
        let name = format!("{}-{}.eml", key.edition, key.subscriber);
        let (folder, file, bytes) = (self.0.clone(), name.clone(), message.bytes.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &file, &bytes)).await;
        match written.map_err(io::Error::other).and_then(|written| written) {
            Ok(()) => Ok(Sent::Accepted(format!("written to {name}"))),
            Err(error) => Err(self.not_writable(&error)),
        }
    }

    /// The disk is full or closed: the same for every message.
    fn not_writable(&self, error: &io::Error) -> Failure {
        let words = format!("`{}` cannot be written: {error}", self.0.display());
        Failure { stage: Stage::Connect, decision: Decision::ServerTrouble, words }
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let half = folder.join(format!(".{name}.tmp"));
    let mut file = File::create(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&half, folder.join(name))?;
    File::open(folder)?.sync_all()
}
