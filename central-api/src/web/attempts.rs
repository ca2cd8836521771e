//! Counting attempts in fixed windows, in the database, so that every replica counts together.

use time::{Duration, OffsetDateTime};

use crate::store::{Store, StoreError, Tx, to_ms};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub count: u32,
    pub window: Duration,
}

impl Limit {
    fn window_at(&self, now: OffsetDateTime) -> i64 {
        let length = i64::try_from(self.window.whole_milliseconds()).unwrap_or(i64::MAX).max(1);
        to_ms(now) / length * length
    }

    fn key(&self, who: &str) -> String {
        // The table outlives the request: it keeps no addresses and no logins.
        contract::Digest::of(format!("{}\n{who}", self.name).as_bytes()).to_string()
    }

    /// How long until the window of `now` ends.
    pub fn remaining(&self, now: OffsetDateTime) -> Duration {
        let length = i64::try_from(self.window.whole_milliseconds()).unwrap_or(i64::MAX);
        Duration::milliseconds(self.window_at(now) + length - to_ms(now))
    }

    /// Whether `who` has any attempts left, without using one.
    pub async fn allows(
        &self,
        store: &Store,
        who: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let used: Option<i64> =
            sqlx::query_scalar("SELECT count FROM attempts WHERE who = $1 AND window_at = $2")
                .bind(self.key(who))
                .bind(self.window_at(now))
                .fetch_optional(store.pool())
                .await?;
        Ok(used.unwrap_or(0) < i64::from(self.count))
    }

    /// Uses one attempt; whether it was within the limit.
    pub async fn take(
        &self,
        store: &Store,
        who: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut tx = store.begin_unflushed().await?;
        let within = self.take_many(&mut tx, who, now, 1).await?;
        tx.commit().await?;
        Ok(within)
    }

    /// Uses `many` attempts; whether they were within the limit. They are used once `tx` commits.
    pub async fn take_many(
        &self,
        tx: &mut Tx<'_>,
        who: &str,
        now: OffsetDateTime,
        many: u32,
    ) -> Result<bool, StoreError> {
        let used: i64 = sqlx::query_scalar(
            "INSERT INTO attempts (who, window_at, count) VALUES ($1, $2, $3)
             ON CONFLICT (who, window_at) DO UPDATE SET count = attempts.count + $3
             RETURNING count",
        )
        .bind(self.key(who))
        .bind(self.window_at(now))
        .bind(i64::from(many))
        .fetch_one(&mut **tx)
        .await?;
        if used == i64::from(many) {
            // The first of a window sweeps what is older than a day.
            sqlx::query("DELETE FROM attempts WHERE window_at < $1")
                .bind(to_ms(now - Duration::DAY))
                .execute(&mut **tx)
                .await?;
        }
        Ok(used <= i64::from(self.count))
    }

    /// Gives one attempt back that turned out not to count.
    pub async fn give_back(
        &self,
        store: &Store,
        who: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        store
            .write(
                sqlx::query(
                    "UPDATE attempts SET count = count - 1
             WHERE who = $1 AND window_at = $2 AND count > 0",
                )
                .bind(self.key(who))
                .bind(self.window_at(now)),
            )
            .await?;
        Ok(())
    }

    /// Forgets the attempts of `who` in this window.
    pub async fn clear(
        &self,
        store: &Store,
        who: &str,
        now: OffsetDateTime,
    ) -> Result<(), StoreError> {
        store
            .write(
                sqlx::query("DELETE FROM attempts WHERE who = $1 AND window_at = $2")
                    .bind(self.key(who))
                    .bind(self.window_at(now)),
            )
            .await?;
        Ok(())
    }
}
