//! Whether the configuration in force is the one in the files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;

/// Shared by whoever applies it and whoever shows it.
#[derive(Debug, Clone)]
pub struct Configured(Arc<Mutex<Status>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// When what is in force came into force.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Why what the files say now is not in force: file, line, key.
    pub refused: Option<String>,
    /// Sections that differ and that only a restart brings into force.
    pub awaits_restart: Vec<&'static str>,
}

impl Configured {
    pub fn new(since: OffsetDateTime) -> Self {
        let configured =
            Self(Arc::new(Mutex::new(Status { since, refused: None, awaits_restart: Vec::new() })));
        configured.publish();
        configured
    }

    pub fn applied(&self, since: OffsetDateTime, awaits_restart: Vec<&'static str>) {
        *self.lock() = Status { since, refused: None, awaits_restart };
        self.publish();
    }

    pub fn refused(&self, why: String) {
        self.lock().refused = Some(why);
        self.publish();
    }

    pub fn status(&self) -> Status {
        self.lock().clone()
    }

    fn publish(&self) {
        let Status { refused, awaits_restart, .. } = self.status();
        let behind = refused.is_some() || !awaits_restart.is_empty();
        metrics::gauge!("edge_config_behind").set(f64::from(u8::from(behind)));
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Plain values, set in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
