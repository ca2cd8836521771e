//! What is wrong with a configuration, and where.

use std::fmt;

use crate::Place;

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub place: Option<Place>,
    /// Full path of the key, e.g. `camera[0].stop_line`; empty for a file as a whole.
    pub key: String,
    /// What is wrong and what would be right; reads on after the key.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}:{}: ", place.file.display(), place.line)?;
        }
        if self.key.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{} {}", self.key, self.problem)
        }
    }
}

/// Everything that is wrong, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} problem{} in the configuration", if count == 1 { "" } else { "s" })?;
        for error in &self.0 {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
