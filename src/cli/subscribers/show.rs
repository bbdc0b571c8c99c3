//! `gazetted subscribers show`: everything that is kept of one person.

use super::super::{Done, print};
use super::found;
use crate::cli::error::Failure;
use crate::domain::problem::one_line;
use crate::domain::subscriber::Subscriber;
use crate::store::{Bounce, DeliveryRow, Dossier, SharedStore};

pub async fn show(store: &SharedStore, text: &str, json: bool) -> Done {
    let found = found(store, text).await?;
    let Some(dossier) = store.dossier(found.id).await? else { return Ok(()) };
    if json {
        return print::json(&dossier);
    }
    let Dossier { subscriber, history, deliveries, bounces } = dossier;
    let mut out = print::table(&facts(&subscriber));
    out.push_str("\nconsent\n");
    let lines = history
        .iter()
        .map(|h| vec![format!("  {:.0}", h.at), h.event.as_str().to_owned(), h.source.clone(), one_line(&h.proof)]);
    out.push_str(&print::table(&lines.collect::<Vec<_>>()));
    out.push_str(if deliveries.is_empty() { "\nnothing has been sent yet\n" } else { "\ndeliveries\n" });
    out.push_str(&print::table(&deliveries.iter().map(delivery).collect::<Vec<_>>()));
    if !bounces.is_empty() {
        out.push_str("\nbounces\n");
        out.push_str(&print::table(&bounces.iter().map(bounce).collect::<Vec<_>>()));
    }
    print::text(&out)
}

/// One mail that came back, in its own bytes.
pub async fn original(store: &SharedStore, text: &str, bounce: i64) -> Done {
    let found = found(store, text).await?;
    let original = store.bounce_original(found.id, bounce).await?;
    let Some(original) = original else {
        return Err(Failure::failed(
            format!("{} has no bounce {bounce} whose mail is kept", found.email),
            "`gazetted subscribers show` lists their bounces; mails are kept for a year",
        ));
    };
    print::bytes(&original)
}

fn facts(s: &Subscriber) -> Vec<Vec<String>> {
    let all = |list: &[String]| if list.is_empty() { "all".to_owned() } else { list.join(", ") };
    let some = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("address", s.email.clone()),
        row("name", some(&s.name)),
        row("state", format!("{}, since {:.0}", s.state.as_str(), s.changed_at)),
        row("source", format!("{}, {:.0}", s.source, s.created_at)),
        row("frequency", s.choice.frequency.as_str().to_owned()),
        row("language", s.choice.language.clone().unwrap_or_else(|| "the site's".to_owned())),
        row("tags", all(&s.choice.tags)),
        row("authors", all(&s.choice.authors)),
    ];
    rows.extend(s.choice.paused_until.map(|until| row("paused until", format!("{until:.0}"))));
    rows.extend(s.asked_at.map(|at| row("asked", format!("{at:.0}, no answer yet"))));
    rows.extend(s.new_email.clone().map(|email| row("moves to", format!("{email}, not confirmed yet"))));
    rows
}

fn delivery(row: &DeliveryRow) -> Vec<String> {
    vec![
        format!("  {:.0}", row.changed_at),
        row.key.edition.to_string(),
        row.state.as_str().to_owned(),
        format!("{} tries", row.attempts),
        one_line(row.reply.as_deref().unwrap_or_default()),
    ]
}

fn bounce(b: &Bounce) -> Vec<String> {
    let fate = match b.undone_at {
        Some(at) => format!("undone {at:.0}"),
        None if b.suppressed => "suppressed".to_owned(),
        None => "-".to_owned(),
    };
    vec![
        format!("  {:.0}", b.at),
        format!("#{}", b.id),
        b.class.as_str().to_owned(),
        b.status.clone().unwrap_or_else(|| "-".to_owned()),
        b.edition.map_or_else(|| "-".to_owned(), |edition| edition.to_string()),
        b.source.as_str().to_owned(),
        fate,
        one_line(&b.words),
    ]
}
