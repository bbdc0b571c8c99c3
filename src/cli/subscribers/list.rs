//! `gazetted subscribers list`: everybody, or those in one state.

use super::super::{Done, print};
use super::{PAGE, key};
use crate::domain::subscriber::{State, Subscriber};
use crate::store::SharedStore;

pub async fn list(store: &SharedStore, state: Option<State>, json: bool) -> Done {
    let mut after: Option<String> = None;
    let mut all: Vec<Subscriber> = Vec::new();
    loop {
        let page = store.subscribers(state, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(key(&last.email));
        all.extend(page);
    }
    if json {
        return print::json(&all);
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|s| {
            vec![s.email, s.state.as_str().to_owned(), s.created_at.to_string(), s.source, s.name.unwrap_or_default()]
        })
        .collect();
    print::text(&print::table(&rows))
}
