//! The configuration's files while the agent runs: read again when one changes or somebody asks, and
//! in force only as a whole and without a complaint.

use std::path::PathBuf;

use contract::Digest;

use crate::config::{self, Agent, ConfigErrors};

/// Looks at which they say the same before they are read.
pub const REST: u32 = 4;

/// Files, what they said when last read, and when last looked at.
#[derive(Debug)]
pub struct Followed {
    files: Vec<PathBuf>,
    /// In the place of the folder they name.
    models: Option<PathBuf>,
    read: Option<Digest>,
    seen: Option<Digest>,
    /// So often in a row they said that.
    rested: u32,
}

impl Followed {
    /// `files`, with models from elsewhere if said so.
    pub fn new(files: Vec<PathBuf>, models: Option<PathBuf>) -> Self {
        Self { files, models, read: None, seen: None, rested: 0 }
    }

    /// Whether they say something else than when last read, and did so the last [`REST`] times they were
    /// asked: somebody may be in the middle of writing, and half a file may read as a whole one. A file
    /// that is away says nothing: editors take the old one away before the new one is there.
    pub fn changed(&mut self) -> bool {
        let now = digest(&self.files);
        let same = std::mem::replace(&mut self.seen, now) == now;
        self.rested = if same { self.rested + 1 } else { 0 };
        self.rested >= REST && now.is_some() && now != self.read
    }

    /// As if they had not been read: what they say could not be done.
    pub fn again(&mut self) {
        (self.read, self.rested) = (None, 0);
    }

    /// What they say.
    ///
    /// # Errors
    /// Complaints, each with file, line and key.
    pub fn read(&mut self) -> Result<Agent, ConfigErrors> {
        self.read = digest(&self.files);
        let mut agent = config::load_for_run(&self.files)?;
        if let Some(dir) = &self.models {
            agent.models.dir.clone_from(dir);
        }
        Ok(agent)
    }
}

fn digest(files: &[PathBuf]) -> Option<Digest> {
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read(file).ok()?;
        all.extend_from_slice(Digest::of(&text).to_string().as_bytes());
    }
    Some(Digest::of(&all))
}
