//! `gazetted subscribers undo-bounce`: what a mail said of somebody was not so.

use super::super::error::Failure;
use super::super::{Done, open, print};
use super::found;
use crate::domain::bounce_class::Class;
use crate::domain::subscriber::Subscriber;
use crate::store::{Bounce, SharedStore, Undone};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    address: String,
    /// Which, as `show` numbers them; else the one that suppressed them, or the newest
    id: Option<i64>,
    /// Even a complaint: they have told you that they did not mean it
    #[arg(long)]
    complaint: bool,
}

pub async fn run(store: &SharedStore, given: &Arguments) -> Done {
    let subscriber = found(store, &given.address).await?;
    let bounce = chosen(&subscriber, &store.bounces(subscriber.id).await?, given.id)?;
    if bounce.class == Class::Complaint && !given.complaint {
        return Err(Failure::failed(
            format!("bounce {} is a complaint: {} asked not to be mailed", bounce.id, subscriber.email),
            "add `--complaint` if they have told you that it was a mistake",
        ));
    }
    let undone = store.undo_bounce(subscriber.id, bounce.id, open::now()).await?;
    print::text(&told(&subscriber, bounce.id, undone))
}

fn chosen(subscriber: &Subscriber, bounces: &[Bounce], id: Option<i64>) -> Result<Bounce, Failure> {
    let standing = |b: &&Bounce| b.undone_at.is_none();
    let found = match id {
        Some(id) => bounces.iter().find(|b| b.id == id),
        None => bounces.iter().find(|b| b.suppressed).or_else(|| bounces.iter().find(standing)),
    };
    found.cloned().ok_or_else(|| {
        let which = id.map_or_else(|| "no bounce that counts".to_owned(), |id| format!("no bounce {id}"));
        Failure::failed(
            format!("{} has {which}", subscriber.email),
            "`gazetted subscribers show` lists them with their numbers",
        )
    })
}

fn told(subscriber: &Subscriber, id: i64, undone: Undone) -> String {
    let email = &subscriber.email;
    match undone {
        Undone::Back(state) => format!("bounce {id} is undone; {email} is {} again", state.as_str()),
        Undone::Only => format!("bounce {id} is undone; {email} is {}, as before", subscriber.state.as_str()),
        Undone::Behind(other) => format!("bounce {id} is undone; {email} stays suppressed because of bounce {other}"),
        Undone::Before | Undone::Unknown => format!("bounce {id} had been undone before; {email} is as before"),
    }
}
