//! Writers of this process stand in line, each for one transaction: SQLite has one writer, and those who find its lock taken
//! look again after a sleep.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Sqlite, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Connection, Instants, Result, Wire};

/// How long a caller waits for its turn: longer than one other writer may wait for another process.
pub(super) const TURN: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<()>>);

/// Until it is dropped, nobody else in this process writes.
pub(super) struct Turn(#[expect(dead_code, reason = "kept for its lock")] OwnedMutexGuard<()>);

impl Line {
    pub(super) async fn turn(&self) -> Result<Turn> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.0).lock_owned()).await;
        Ok(Turn(turn.map_err(|_| sqlx::Error::PoolTimedOut)?))
    }
}

/// A transaction whose turn it is.
pub(super) struct Change {
    transaction: Transaction<'static, Sqlite>,
    /// Given back last: what was not committed is on its way back by then.
    _turn: Turn,
}

impl Change {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>, turn: Turn) -> Self {
        Self { transaction, _turn: turn }
    }

    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.transaction.commit().await
    }

    pub(super) async fn rollback(self) -> sqlx::Result<()> {
        self.transaction.rollback().await
    }
}

impl Deref for Change {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// A connection for marks and outcomes, in the same line.
pub(super) struct Pen {
    connection: Connection,
    line: Line,
    pub(super) instants: Instants,
    wire: Wire,
}

impl Pen {
    pub(super) fn new(connection: Connection, line: Line, instants: Instants, wire: Wire) -> Self {
        Self { connection, line, instants, wire }
    }

    pub(super) async fn turn(&mut self) -> Result<(Turn, &mut Connection, &mut Wire)> {
        Ok((self.line.turn().await?, &mut self.connection, &mut self.wire))
    }
}
