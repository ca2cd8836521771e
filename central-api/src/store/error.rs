//! What can go wrong with the database, by who can do something about it.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// A failure of the store. Texts are for operators; handlers answer "internal error".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database url must be sqlite:PATH or postgres://USER@HOST/NAME")]
    Url,
    #[error("there is no database at {path}: {source}; check [database] url")]
    Absent { path: PathBuf, source: io::Error },
    #[error("failed to create {path}: {source}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to open the database: {source}")]
    Open { source: sqlx::Error },
    #[error("failed to migrate the database: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds what this program never writes: another version, or a hand in the database.
    #[error("database holds an unexpected {what}: {found}")]
    Corrupt { what: &'static str, found: String },
}

impl StoreError {
    pub fn corrupt(what: &'static str, found: impl Display) -> Self {
        Self::Corrupt { what, found: found.to_string() }
    }
}
