//! Signed updates ([`contract::release`]): fetched from the central, staged, tried, confirmed, and
//! undone where the box is not well with them.
//!
//! Two processes work on one folder. [`launch::Launcher`] is the program that was installed, which no
//! release replaces: it alone decides what runs. The agent is its child: it fetches ([`task`],
//! [`stage`]), asks for what is whole and fits (`wanted`), and on trial says that it is well
//! (`confirmed`). Every step is one rename of a file that was synced before ([`folder`]), so a power
//! cut leaves the one or the other.

mod child;
pub mod folder;
pub mod launch;
mod stage;
mod status;
mod task;
mod trial;

use std::path::PathBuf;

use contract::release::ReleaseError;

use crate::keys::KeyError;
use crate::spool::SpoolError;

pub use child::Base;
pub use folder::Folder;
pub use stage::{Files, Stager};
pub use status::{Phase, Status, Updates};
pub use task::{Means, Updater, look};

/// With this status an agent ends that asks to be replaced.
pub const REPLACE: u8 = 75;

/// What stands between a box and a release.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(
        "release {number} is not newer than release {highest}, the newest this box has had: numbers \
         only grow, a way back is a new release"
    )]
    Old { number: u64, highest: u64 },
    #[error("release {number} is for {found} processors, this box has {}", std::env::consts::ARCH)]
    Target { number: u64, found: String },
    #[error("release {number} may follow release {over} or a later one, this box runs {running}")]
    TooFar { number: u64, over: u64, running: u64 },
    #[error("release {number} does not start here: {problem}")]
    Unfit { number: u64, problem: String },
    #[error("release {number} could not be checked now: {problem}")]
    Unchecked { number: u64, problem: String },
    #[error("no camera works now: release {number} could not show that the box is well with it")]
    Blind { number: u64 },
    #[error("{path}: {problem}")]
    File { path: PathBuf, problem: String },
    #[error("{needed} bytes are to be fetched, the volume has {free} and {reserve} must stay free")]
    NoRoom { needed: u64, free: u64, reserve: u64 },
    #[error("{0}")]
    Central(String),
    #[error(transparent)]
    Keys(#[from] KeyError),
    // The spool's words for a disk that fails are these files', too.
    #[error(transparent)]
    Disk(#[from] SpoolError),
}

impl UpdateError {
    /// Whether the release itself is at fault: it would be so again.
    fn is_final(&self) -> bool {
        matches!(self, Self::Unfit { .. })
    }
}
