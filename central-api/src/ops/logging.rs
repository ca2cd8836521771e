//! Structured logs on stderr. No plate, name or secret at info or above.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("log.filter {filter:?} is not a filter such as \"info,central_api=debug\": {detail}")]
    Filter { filter: String, detail: String },
    #[error("failed to set up logging: {0}")]
    Twice(String),
}

/// Starts logging for the whole process.
pub fn start(log: &Log) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(&log.filter)
        .map_err(|e| LogError::Filter { filter: log.filter.clone(), detail: e.to_string() })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
        LogFormat::Text => builder.with_ansi(false).finish().try_init(),
    };
    started.map_err(|e| LogError::Twice(e.to_string()))
}
