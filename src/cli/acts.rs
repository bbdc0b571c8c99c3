//! Commands that change what readers get are written down, as the editors' pages write down their buttons. Knows who
//! runs the program, and masks addresses.

use super::error::Failure;
use super::open;
use crate::domain::subscriber::Address;
use crate::store::{NewAct, SharedStore};

/// Who, as far as the system says.
fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(std::env::var_os);
    let name = named.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()));
    format!("command line, {name}")
}

pub async fn write(store: &SharedStore, act: &str, subject: &str, detail: &str) -> Result<(), Failure> {
    let masked = if subject.contains('@') { Address::masked(subject) } else { subject.to_owned() };
    let act = NewAct { who: who(), act: act.to_owned(), subject: masked, detail: detail.to_owned() };
    store.write_act(&act, open::now()).await?;
    Ok(())
}
