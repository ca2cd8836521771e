//! The central service: takes sealed evidence in, leads each case from review to notice, and
//! answers owners.
//!
//! `device` takes packages from the boxes over mutual TLS, `case` leads each through its states,
//! `proceedings` is what follows from it, `bank` hears of payments, `notice` prints, `documents` draws,
//! numbers and signs what is printed, `recall` undoes what a fault touched, `jobs` is the queue of what
//! is slow and `work` works it off, `staff` and `owner` are the pages, `release` hands signed updates on
//! to the boxes. `store` and `evidence` hold all state, so a replica can stop at any moment.

pub mod admin;
pub mod audit;
pub mod bank;
pub mod case;
pub mod clock;
pub mod config;
pub mod csv_file;
pub mod device;
pub mod documents;
pub mod evidence;
pub mod jobs;
pub mod law;
pub mod notice;
pub mod openapi;
pub mod ops;
mod outgoing;
pub mod owner;
mod percent;
pub mod proceedings;
pub mod recall;
pub mod registry;
pub mod release;
mod secret;
pub mod serve;
pub mod staff;
pub mod store;
pub mod text_file;
pub mod verify;
pub mod web;
pub mod work;

use std::sync::Arc;

use contract::seal::SigningKey;
use tokio::sync::Notify;

use crate::case::passage::Limits;
use crate::clock::Clock;
use crate::config::Config;
use crate::documents::sign::Signing;
use crate::evidence::EvidenceStore;
use crate::law::LawBook;
use crate::registry::Registry;
use crate::store::Store;

/// What every handler may need; clones share everything.
#[derive(Debug, Clone)]
pub struct AppState {
    pub store: Store,
    pub evidence: EvidenceStore,
    pub clock: Arc<dyn Clock>,
    pub config: Arc<Config>,
    pub law: Arc<LawBook>,
    /// Signs receipts; the boxes know its public half as `central.pub`.
    pub receipt_key: Arc<SigningKey>,
    /// Signs documents, and knows whose signatures are believed.
    pub signing: Arc<Signing>,
    /// Knows the owners of vehicles.
    pub registry: Arc<Registry>,
    /// Rung when a job was asked for.
    pub bell: Arc<Notify>,
}

impl AppState {
    /// What decides about a new package.
    pub fn terms(&self) -> case::Terms<'_> {
        case::Terms { law: &self.law, limits: Limits::of(&self.config.cases) }
    }
}
