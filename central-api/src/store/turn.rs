//! Turns to write. SQLite lets one writer in at a time; whoever finds it taken asks again and again, with a
//! connection in hand that readers then lack, and under load some ask until they are refused. So the
//! writers of this process stand in a row first, and take a connection when it is their turn.
//! PostgreSQL needs none of it: its writers wait for the rows that they share.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Dialect;

/// The row of writers.
#[derive(Debug, Clone)]
pub(super) struct Turns(Option<Arc<Semaphore>>);

/// Held while writing.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    pub fn new(dialect: Dialect) -> Self {
        Self((dialect == Dialect::Sqlite).then(|| Arc::new(Semaphore::new(1))))
    }

    /// Waits for its turn, first come, first served.
    pub async fn take(&self) -> Turn {
        let permit = match &self.0 {
            // It is never closed.
            Some(row) => Arc::clone(row).acquire_owned().await.ok(),
            None => None,
        };
        Turn { _permit: permit }
    }
}

/// A transaction on either database.
#[derive(Debug)]
pub struct Tx<'c> {
    // Dropped in this order: rolled back, then the next one's turn.
    inner: Transaction<'c, Any>,
    turn: Option<Turn>,
}

impl<'c> Tx<'c> {
    pub(super) fn writing(inner: Transaction<'c, Any>, turn: Turn) -> Self {
        Self { inner, turn: Some(turn) }
    }

    pub(super) fn reading(inner: Transaction<'c, Any>) -> Self {
        Self { inner, turn: None }
    }

    /// Everything counts, or nothing does.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Self { inner, turn } = self;
        let done = inner.commit().await;
        drop(turn);
        done
    }
}

impl Deref for Tx<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}
