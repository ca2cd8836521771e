//! The box at the junction. One direction: source → frame → detections → tracks → violation →
//! evidence → spool → uplink. It knows nothing of fines, articles or owners: those are the
//! central's, chosen by the act's time.
//!
//! - [`source`]: cameras and recordings, supervised; encoded ring and decoded frames with capture
//!   times.
//! - [`see`]: tracks and lamps.
//! - [`watch`]: the loop of one camera that joins the two, asks the rules (crate `judge`) and makes
//!   [`accusation::Accusation`]s.
//! - [`cameras`]: a thread each, following the configuration's files while the agent runs.
//! - [`live`] and [`replay`]: that loop on cameras, or on a recording.
//! - [`onvif`] asks cameras what they send, [`wire`] the signal cabinet what it shows.
//! - [`evidence`], [`spool`], [`uplink`], [`keys`]: sealed packages, kept and delivered.
//! - [`update`]: signed releases, fetched, tried, kept or undone.
//! - [`history`]: who drove where in the last days and what the rules said, for who asks why.
//! - [`health`]: metrics, states and the doctor's checks.

pub mod accusation;
mod backoff;
pub mod boxes;
pub mod calibrate;
pub mod cameras;
pub mod clock;
pub mod config;
pub mod evidence;
pub mod health;
pub mod history;
mod host;
pub mod keys;
pub mod live;
mod markup;
pub mod onvif;
pub mod pace;
pub mod replay;
pub mod see;
pub mod source;
pub mod spool;
pub mod update;
pub mod uplink;
pub mod watch;
pub mod wire;
