//! Where bounces arrive if no mail server hands them over: a Maildir, a mailbox on an IMAP server. Each is read as long as the daemon
//! runs; a box that cannot be read is tried again. A mail is moved or marked only after the store has it, and only if it was ours.

use std::collections::HashSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::bounces::{self, NO_TOKEN, Taken};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::domain::bounce_class::Source;
use crate::domain::bounce_message;
use crate::mail::imap::{Account, Done, ImapError, Mailbox};
use crate::mail::maildir::Maildir;
use crate::mail::tls;
use crate::store::{SharedStore, StoreError};

/// How often a Maildir is looked at.
const LOOK: Duration = Duration::from_secs(3);
/// How often a mailbox is looked at whose server does not tell of news.
const POLL: Duration = Duration::from_mins(2);
/// Servers hang up on those who are idle for half an hour.
const IDLE: Duration = Duration::from_mins(28);
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Reads the boxes of the configuration until told to stop.
pub fn read(
    config: &Config,
    store: SharedStore,
    clock: SharedClock,
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let bounces = &config.bounces;
    let reader = Reader { store, clock, address: bounces.address.clone() };
    let named = !bounces.maildir.as_os_str().is_empty();
    let maildir = named.then(|| Maildir::new(config.path(&bounces.maildir)));
    let account = account(config)?;
    let done = Done::parse(&bounces.imap_done);
    Ok(async move {
        tokio::join!(
            async {
                if let Some(maildir) = maildir {
                    reader.read_maildir(maildir, &stop).await;
                }
            },
            async {
                if let Some(account) = account {
                    reader.read_imap(&account, &done, &stop).await;
                }
            },
        );
    })
}

fn account(config: &Config) -> anyhow::Result<Option<Account>> {
    let bounces = &config.bounces;
    if bounces.imap_host.is_empty() {
        return Ok(None);
    }
    let file = &bounces.imap_ca_file;
    let file = if file.as_os_str().is_empty() { file.clone() } else { config.path(file) };
    Ok(Some(Account {
        host: bounces.imap_host.clone(),
        port: bounces.imap_port,
        user: bounces.imap_user.clone(),
        password: bounces.imap_password.clone(),
        mailbox: bounces.imap_mailbox.clone(),
        tls: tls::trusting("bounces.imap_ca_file", &file).map_err(anyhow::Error::msg)?,
    }))
}

struct Reader {
    store: SharedStore,
    clock: SharedClock,
    address: String,
}

/// A box that fails is tried again, at first soon; the operator hears of it once.
struct Trouble {
    wait: Duration,
    told: bool,
}

impl Trouble {
    const NONE: Self = Self { wait: FIRST_WAIT, told: false };

    fn over(&mut self, what: &str) {
        if self.told {
            info!(event = "box_readable", "{what} can be read again");
        }
        *self = Self::NONE;
    }

    /// False if it is time to stop.
    async fn wait(&mut self, what: &str, error: impl std::fmt::Display, stop: &CancellationToken) -> bool {
        if self.told {
            debug!("{what}, which bounces come to, still cannot be read: {error}");
        } else {
            warn!(
                event = "box_unreadable",
                "{what}, which bounces come to, cannot be read; tried again until it can: {error}"
            );
        }
        self.told = true;
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        go_on_after(wait, stop).await
    }
}

async fn go_on_after(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(wait) => true,
    }
}

impl Reader {
    async fn take(&self, source: Source, mail: &[u8]) -> Result<Taken, StoreError> {
        let letter = bounce_message::read(mail, &[], &self.address);
        if !bounces::may_be_ours(&letter) {
            return Ok(NO_TOKEN);
        }
        let taken = bounces::take(&self.store, source, &letter, mail, self.clock.now()).await?;
        debug!(%source, "a mail to the bounce address: {}", taken.words());
        Ok(taken)
    }

    async fn read_maildir(&self, mut maildir: Maildir, stop: &CancellationToken) {
        let (what, mut trouble) = ("`bounces.maildir`", Trouble::NONE);
        loop {
            let on = match self.look(&mut maildir, stop).await {
                Ok(()) => {
                    trouble.over(what);
                    go_on_after(LOOK, stop).await
                }
                Err(error) => trouble.wait(what, error, stop).await,
            };
            if !on {
                return;
            }
        }
    }

    async fn look(&self, maildir: &mut Maildir, stop: &CancellationToken) -> anyhow::Result<()> {
        for mail in tokio::task::block_in_place(|| maildir.arrived())? {
            if stop.is_cancelled() {
                return Ok(());
            }
            let bytes = tokio::task::block_in_place(|| maildir.read(&mail));
            let taken = match bytes {
                Ok(Some(bytes)) => self.take(Source::Maildir, &bytes).await?,
                Ok(None) => Taken::Left("gone"),
                Err(error) => {
                    warn!(
                        event = "bounce_unreadable",
                        "a mail in `bounces.maildir` cannot be read, and is left: {error}"
                    );
                    Taken::Left("unreadable")
                }
            };
            match taken {
                Taken::Left(_) => maildir.leave(&mail),
                Taken::Done(_) => {
                    if let Err(error) = maildir.done(&mail) {
                        warn!(
                            event = "bounce_not_moved",
                            "a bounce that was dealt with cannot be moved in `bounces.maildir`: {error}"
                        );
                    }
                }
            }
        }
        Ok(())
    }

    async fn read_imap(&self, account: &Account, done: &Done, stop: &CancellationToken) {
        let (what, mut trouble) = ("the mailbox of `bounces.imap_host`", Trouble::NONE);
        let mut left = Left::default();
        loop {
            let error = tokio::select! {
                () = stop.cancelled() => return,
                error = self.stay(account, done, &mut left, &mut trouble) => error,
            };
            if !trouble.wait(what, error, stop).await {
                return;
            }
        }
    }

    /// Stays connected for as long as all goes well.
    async fn stay(&self, account: &Account, done: &Done, left: &mut Left, trouble: &mut Trouble) -> anyhow::Error {
        let mut mailbox = match Mailbox::open(account).await {
            Ok(mailbox) => mailbox,
            Err(error) => return error.into(),
        };
        left.of(&mailbox.validity);
        loop {
            match self.empty(&mut mailbox, done, left).await {
                Ok(()) => trouble.over("the mailbox of `bounces.imap_host`"),
                Err(error) => {
                    mailbox.leave().await;
                    return error;
                }
            }
            if let Err(error) = mailbox.wait(IDLE, POLL).await {
                return error.into();
            }
        }
    }

    async fn empty(&self, mailbox: &mut Mailbox, done: &Done, left: &mut Left) -> anyhow::Result<()> {
        let unseen = mailbox.unseen().await?;
        left.uids.retain(|uid| unseen.binary_search(uid).is_ok());
        for uid in unseen {
            if left.uids.contains(&uid) {
                continue;
            }
            let Some(mail) = mailbox.fetch(uid).await? else { continue };
            if let Taken::Done(_) = self.take(Source::Imap, &mail).await? {
                match mailbox.done(uid, done).await {
                    Err(ImapError::Refused(words)) => {
                        warn!(event = "bounce_not_moved", "a bounce that was dealt with stays in the mailbox: {words}");
                    }
                    other => other?,
                }
            }
            left.uids.insert(uid);
        }
        Ok(())
    }
}

/// Mails that were looked at and are not ours: they stay unread, and are not fetched again.
#[derive(Default)]
struct Left {
    validity: String,
    uids: HashSet<u32>,
}

impl Left {
    /// If the mailbox was made anew, its numbers mean other mails.
    fn of(&mut self, validity: &str) {
        if self.validity != validity {
            self.uids.clear();
            validity.clone_into(&mut self.validity);
        }
    }
}
