//! The verbs about people, each in its transaction; what they do is in the files it names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::{Connection, Database};
use super::{calls, choices, deliveries, history, imports, sign_ups, standby, subscribers};
use crate::domain::edition::Notice;
use crate::domain::subscriber::{Address, Choice, Consent, State, Subscriber};
use crate::store::{
    Added, Call, Confirmed, DeliveryRow, Growth, ImportRows, ImportTally, MoveAsked, Moved, NewSubscriber, People,
    Result, Retention, SignUp, SignUpLimits, SignUpTally,
};

#[async_trait]
impl People for Database {
    async fn add_subscribers(&self, new: &[NewSubscriber], again: bool, now: Timestamp) -> Result<Vec<Added>> {
        write!(self, |db| subscribers::add(db, new, again, now))
    }

    async fn import_subscribers(
        &self,
        source: &str,
        rows: ImportRows<'_>,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<ImportTally> {
        let mut transaction = self.begin().await?;
        let tally = imports::import(&mut transaction, source, rows, now).await?;
        if dry_run {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
        Ok(tally)
    }

    async fn subscriber(&self, id: i64) -> Result<Option<Subscriber>> {
        read!(self, |db| subscribers::by_id(db, id))
    }

    async fn subscriber_by_key(&self, key: &str) -> Result<Option<Subscriber>> {
        read!(self, |db| subscribers::by_key(db, key))
    }

    async fn subscribers(&self, state: Option<State>, after_key: Option<&str>, limit: u32) -> Result<Vec<Subscriber>> {
        read!(self, |db| subscribers::page(db, state, after_key, limit))
    }

    async fn subscriber_counts(&self) -> Result<BTreeMap<&'static str, u64>> {
        read!(self, |db| subscribers::counts(db))
    }

    async fn history(&self, id: i64) -> Result<Vec<Consent>> {
        read!(self, |db| history::of(db, id))
    }

    async fn deliveries_to(&self, id: i64) -> Result<Vec<DeliveryRow>> {
        read!(self, |db| deliveries::to(db, id))
    }

    async fn growth(&self, stretches: &[(Timestamp, Timestamp)]) -> Result<Vec<Growth>> {
        read!(self, |db| history::growth(db, stretches))
    }

    async fn first_joined(&self) -> Result<Option<Timestamp>> {
        read!(self, |db| history::first_joined(db))
    }

    async fn sign_up(&self, form: &SignUp, now: Timestamp) -> Result<()> {
        self.has_room()?;
        write!(self, |db| sign_ups::keep(db, form, now))
    }

    async fn take_sign_ups(
        &self,
        limits: &SignUpLimits,
        today: Date,
        most: u32,
        now: Timestamp,
    ) -> Result<SignUpTally> {
        write!(self, |db| sign_ups::take(db, limits, today, most, now))
    }

    async fn confirm(&self, id: i64, asked_at: i64, today: Date, now: Timestamp) -> Result<Confirmed> {
        write!(self, |db| choices::confirm(db, id, asked_at, today, now))
    }

    async fn notify(&self, id: i64, notice: Notice, today: Date, now: Timestamp) -> Result<bool> {
        write!(self, |db| choices::notify(db, id, notice, today, now))
    }

    async fn choose(&self, id: i64, choice: &Choice, now: Timestamp) -> Result<bool> {
        write!(self, |db| choices::choose(db, id, choice, now))
    }

    async fn ask_to_move(&self, id: i64, to: &Address, today: Date, now: Timestamp) -> Result<MoveAsked> {
        write!(self, |db| choices::ask_to_move(db, id, to, today, now))
    }

    async fn move_address(&self, id: i64, key: &str, now: Timestamp) -> Result<Moved> {
        write!(self, |db| choices::move_address(db, id, key, now))
    }

    async fn move_subscriber(&self, id: i64, to: State, source: &str, now: Timestamp) -> Result<bool> {
        write!(self, |db| subscribers::shift(db, id, to, source, now))
    }

    async fn erase_subscriber(&self, id: i64, now: Timestamp) -> Result<bool> {
        write!(self, |db| subscribers::erase(db, id, now))
    }

    async fn tidy(&self, retention: &Retention) -> Result<u64> {
        write!(self, |db| subscribers::tidy(db, retention))
    }

    async fn queue_calls(&self, hooks: &[(String, Vec<String>)], now: Timestamp) -> Result<u64> {
        write!(self, |db| calls::queue(db, hooks, now))
    }

    async fn claim_calls(&self, most: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Call>> {
        write!(self, |db| async {
            match standby::since(db).await? {
                Some(_) => Ok(Vec::new()),
                None => calls::claim(db, most, now, lease_until).await,
            }
        })
    }

    async fn end_call(&self, id: i64) -> Result<()> {
        write!(self, |db| calls::end(db, id))
    }

    async fn defer_call(&self, id: i64, reply: &str, until: Timestamp) -> Result<()> {
        write!(self, |db| calls::defer(db, id, reply, until))
    }
}
