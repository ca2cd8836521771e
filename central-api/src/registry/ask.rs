//! Where the registry is asked: in what was imported, or at the registration authority's server.

use std::fmt;

use super::server::Server;
use super::{Registration, look_up};
use crate::config::{self, RegistrySource};
use crate::store::{Store, StoreError};
use time::OffsetDateTime;

/// Why the registry did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("the registry at {host} {problem}")]
    Server { host: String, problem: String },
    #[error("the registry at {host} failed several times in a row; it is asked again at {until}")]
    Rests { host: String, until: OffsetDateTime },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with `[registry]`.
#[derive(Debug, thiserror::Error)]
#[error("[registry] {key}: {problem}")]
pub struct SettingError {
    pub key: &'static str,
    pub problem: String,
}

/// What is asked, and why.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// As it is normalised, without separators.
    pub plate: &'a str,
    pub two_wheeled: bool,
    /// The case that is the reason.
    pub case: &'a str,
}

/// Plates are not printed.
impl fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("case", &self.case).finish_non_exhaustive()
    }
}

/// Who is asked.
#[derive(Debug, Default)]
pub enum Registry {
    /// What `central-api admin import-registry` took in.
    #[default]
    Imported,
    Server(Box<Server>),
}

impl Registry {
    pub fn open(settings: &config::Registry) -> Result<Self, SettingError> {
        Ok(match settings.source {
            RegistrySource::None | RegistrySource::Imported => Self::Imported,
            RegistrySource::Server => Self::Server(Box::new(Server::open(settings)?)),
        })
    }

    /// The registration of a number, if there is one.
    pub async fn look_up(
        &self,
        store: &Store,
        question: Question<'_>,
        now: OffsetDateTime,
    ) -> Result<Option<Registration>, RegistryError> {
        match self {
            Self::Imported => Ok(look_up(store, question.plate, question.two_wheeled).await?),
            Self::Server(server) => server.look_up(question, now).await,
        }
    }

    /// Who answered, for the audit.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Server(_) => "server",
        }
    }
}
