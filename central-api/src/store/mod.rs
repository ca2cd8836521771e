//! The database: one SQL text for SQLite (the default) and PostgreSQL.
//!
//! Both take `$1` placeholders. Ids are TEXT (UUID v7), times BIGINT unix milliseconds, truth
//! values BIGINT 0/1, JSON is TEXT. A write transaction starts as `BEGIN IMMEDIATE` on SQLite, so
//! that it waits for its turn instead of failing half-way when it turns from reading to writing.

mod constraint;
mod error;
mod turn;

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyPoolOptions, AnyQueryResult};
use sqlx::migrate::Migrator;
use sqlx::query::Query;
use sqlx::{Any, AnyPool};
use time::OffsetDateTime;
use uuid::{NoContext, Timestamp, Uuid};

use crate::percent;

pub use constraint::{Constraint, OnConstraint};
pub use error::StoreError;
pub use turn::Tx;

use turn::Turns;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Which database is behind the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// A handle on the database; clones share one pool.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    turns: Turns,
}

impl Store {
    /// Opens a database that is there already, to look at.
    pub async fn open_existing(url: &str, connections: u32) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let file = sqlite_file(path)?;
            std::fs::metadata(&file).map_err(|source| StoreError::Absent { path: file, source })?;
        }
        Self::open(url, connections).await
    }

    /// Opens `sqlite:PATH` (created if absent) or `postgres://…`.
    pub async fn open(url: &str, connections: u32) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (url, dialect) = match url.strip_prefix("sqlite:") {
            Some(path) => (sqlite_url(path)?, Dialect::Sqlite),
            None if url.starts_with("postgres:") || url.starts_with("postgresql:") => {
                (url.to_owned(), Dialect::Postgres)
            }
            None => return Err(StoreError::Url),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if dialect == Dialect::Sqlite {
                        for pragma in SQLITE_PRAGMAS {
                            sqlx::query(*pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await
            .map_err(|source| StoreError::Open { source })?;
        Ok(Self { pool, dialect, turns: Turns::new(dialect) })
    }

    /// Brings the schema up to this binary's version; returns how many steps were taken.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let before = self.applied_migrations().await;
        MIGRATIONS.run(&self.pool).await?;
        Ok(self.applied_migrations().await.saturating_sub(before))
    }

    /// Whether every migration this binary knows is applied.
    pub async fn is_current(&self) -> bool {
        self.applied_migrations().await == MIGRATIONS.iter().count()
    }

    async fn applied_migrations(&self) -> usize {
        // Before the first migration the table does not exist: nothing is applied.
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM _sqlx_migrations")
            .fetch_one(&self.pool)
            .await
            .map_or(0, |count| usize::try_from(count).unwrap_or(0))
    }

    /// Starts a transaction that will write.
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        let turn = self.turns.take().await;
        let inner = match self.dialect {
            Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.pool.begin().await?,
        };
        Ok(Tx::writing(inner, turn))
    }

    /// Runs a single statement that writes.
    pub async fn write(
        &self,
        statement: Query<'_, Any, AnyArguments>,
    ) -> Result<AnyQueryResult, StoreError> {
        let _turn = self.turns.take().await;
        Ok(statement.execute(&self.pool).await?)
    }

    /// Starts a transaction that a power cut may take back, such as a count of attempts: PostgreSQL
    /// does not wait for the disk at its end, so a row that everybody counts in is free at once.
    pub async fn begin_unflushed(&self) -> Result<Tx<'static>, StoreError> {
        let mut tx = self.begin().await?;
        if self.dialect == Dialect::Postgres {
            sqlx::query("SET LOCAL synchronous_commit TO OFF").execute(&mut *tx).await?;
        }
        Ok(tx)
    }

    /// Starts a transaction that only reads and sees the database as it was at the first
    /// read, whatever is written meanwhile. SQLite's write-ahead log grows until it ends.
    pub async fn snapshot(&self) -> Result<Tx<'static>, StoreError> {
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN DEFERRED",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(Tx::reading(self.pool.begin_with(begin).await?))
    }

    /// For reads; what writes goes through [`Store::write`] and [`Store::begin`].
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Closes every connection; SQLite then folds its write-ahead log back into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `FULL` because a receipt lets the edge delete its copy: with `NORMAL` a power cut could take
/// back the last commits of a write-ahead log after the receipt went out.
const SQLITE_PRAGMAS: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
];

/// Parameters that sqlx knows in a SQLite url; none of them may be chosen here.
const SQLITE_PARAMETERS: &[&str] = &["mode=", "cache=", "immutable=", "vfs="];

/// The database file that `path` names.
fn sqlite_file(path: &str) -> Result<PathBuf, StoreError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    let file = match path.rsplit_once('?') {
        // The habit of sqlx; what it asks for is done anyway.
        Some((file, "mode=rwc")) => file,
        Some((_, tail)) if SQLITE_PARAMETERS.iter().any(|known| tail.starts_with(known)) => {
            return Err(StoreError::Url);
        }
        _ => path,
    };
    if file.is_empty() || file == ":memory:" {
        // Every connection of a pool would see its own empty database.
        return Err(StoreError::Url);
    }
    std::path::absolute(file).map_err(|source| StoreError::Folder { path: file.into(), source })
}

/// The url by which sqlx opens exactly the file at `path`, whatever characters its name has. Its
/// folder is made, and the file too: readable by this user only, as its log beside it then is.
fn sqlite_url(path: &str) -> Result<String, StoreError> {
    let file = sqlite_file(path)?;
    let failed = |source| StoreError::Folder { path: file.clone(), source };
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&file)
        .map_err(failed)?;
    // sqlx takes the name from a url: everything but plain characters is escaped.
    let escaped = percent::encode(file.as_os_str().as_bytes(), b"/");
    Ok(format!("sqlite://{escaped}?mode=rwc"))
}

/// A new id that sorts by `at`.
pub fn new_id(at: OffsetDateTime) -> String {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.nanosecond())).to_string()
}

/// A time as the database keeps it.
pub fn to_ms(at: OffsetDateTime) -> i64 {
    // Years −9999…9999 in milliseconds fit easily.
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// A time as the program uses it, in UTC.
pub fn from_ms(ms: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .map_err(|_| StoreError::corrupt("time", ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_milliseconds() {
        let at = time::macros::datetime!(2026-11-21 08:15:30.123 +07:00);
        assert_eq!(from_ms(to_ms(at)).unwrap(), at);
        assert!(from_ms(i64::MAX).is_err());
    }

    #[test]
    fn ids_sort_by_time() {
        let at = time::macros::datetime!(2026-11-21 08:15:30 +07:00);
        assert!(new_id(at) < new_id(at + Duration::from_millis(2)));
    }

    #[tokio::test]
    async fn a_url_that_is_neither_database_is_refused() {
        for url in [
            "mysql://x",
            "sqlite::memory:",
            "sqlite:",
            "data/central.db",
            "sqlite:x.db?mode=ro",
            "sqlite:x.db?vfs=unix-none",
        ] {
            assert!(matches!(Store::open(url, 1).await, Err(StoreError::Url)), "{url}");
        }
    }

    #[tokio::test]
    async fn a_sqlite_path_is_taken_as_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display();
        for (name, url) in [
            ("100% done.db", format!("sqlite:{root}/100% done.db")),
            ("a%20b%.db", format!("sqlite:{root}/a%20b%.db")),
            ("what?.db", format!("sqlite:{root}/what?.db")),
            ("what?x=1&y.db", format!("sqlite://{root}/what?x=1&y.db")),
            ("Số 1 #2.db", format!("sqlite:{root}/sub/../Số 1 #2.db")),
            ("plain.db", format!("sqlite://{root}/plain.db?mode=rwc")),
        ] {
            let store = Store::open(&url, 1).await.unwrap_or_else(|e| panic!("{url}: {e}"));
            store.migrate().await.unwrap();
            store.close().await;
            let content = std::fs::read(folder.path().join(name)).unwrap();
            assert!(content.starts_with(b"SQLite format 3"), "{name}");
        }
        // Nothing under any other name: no cut, no decoded one.
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected = [
            "100% done.db",
            "Số 1 #2.db",
            "a%20b%.db",
            "plain.db",
            "sub",
            "what?.db",
            "what?x=1&y.db",
        ];
        assert_eq!(names, expected);
    }
}
