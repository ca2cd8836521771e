//! The agent's configuration: TOML files, merged in the order given, checked as a whole before
//! anything starts. Every complaint names file, line and key and says what would be right, and all
//! complaints come at once: a box on a pole is not configured by trial and error.

mod camera;
mod fps;
mod model;
mod onvif;
mod sections;
mod wired;

use std::cell::RefCell;
use std::path::PathBuf;

pub use fps::{Fps, MOST as MOST_FPS};
pub use model::{
    Agent, Camera, ClockPolicy, Device, Health, History, Lamp, LampLayout, Models, Spool, Unit,
    Update, Uplink, Wired,
};
pub use settings::{ConfigError, ConfigErrors, Place};

/// The commented reference configuration.
pub const REFERENCE: &str = include_str!("../../agent.toml");

/// Reads, merges and checks `files`; enough for a replay.
pub fn load(files: &[PathBuf]) -> Result<Agent, ConfigErrors> {
    parse(&read(files)?)
}

/// The texts of `files`.
pub fn read(files: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, ConfigErrors> {
    let mut texts = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        match std::fs::read_to_string(file) {
            Ok(text) => texts.push((file.clone(), text)),
            Err(error) => errors.push(ConfigError {
                place: None,
                key: String::new(),
                problem: format!("{}: cannot be read: {error}", file.display()),
            }),
        }
    }
    if errors.is_empty() { Ok(texts) } else { Err(ConfigErrors(errors)) }
}

/// As [`load`], with what `run` needs besides: a device, its unit, and cameras with addresses.
pub fn load_for_run(files: &[PathBuf]) -> Result<Agent, ConfigErrors> {
    let agent = load(files)?;
    let first = files.first().map(|file| Place { file: file.clone(), line: 1 });
    let errors = sections::complete_for_run(&agent, first);
    if errors.is_empty() { Ok(agent) } else { Err(ConfigErrors(errors)) }
}

/// Checks configuration texts under their file names.
pub fn parse(texts: &[(PathBuf, String)]) -> Result<Agent, ConfigErrors> {
    let (agent, errors) = sketch(texts)?;
    if errors.is_empty() { Ok(agent) } else { Err(ConfigErrors(errors)) }
}

/// What can be read of a configuration that is still being drawn, and every complaint. Where one is,
/// a stand-in takes the value's place: good to open a camera and to look at it, not to judge by.
pub fn sketch(texts: &[(PathBuf, String)]) -> Result<(Agent, Vec<ConfigError>), ConfigErrors> {
    let mut whole = settings::Table::default();
    let mut errors = Vec::new();
    for (file, text) in texts {
        match settings::parse(file, text) {
            Ok(table) => whole.merge(table),
            Err(found) => errors.extend(found),
        }
    }
    // Half a tree would complain about what the unread half holds.
    if !errors.is_empty() {
        return Err(ConfigErrors(errors));
    }
    let complaints = RefCell::new(errors);
    let agent = sections::agent(&whole, &complaints);
    let mut errors = complaints.into_inner();
    let order = |error: &ConfigError| {
        let place = error.place.as_ref();
        let file = place.map(|p| texts.iter().position(|(file, _)| *file == p.file));
        (file, place.map(|p| p.line))
    };
    errors.sort_by_key(order);
    errors.dedup();
    Ok((agent, errors))
}

/// `[update]` alone, whatever the rest says: an installed program must find it in a configuration
/// that only the release it starts understands.
pub fn update_section(files: &[PathBuf]) -> Result<Option<Update>, ConfigErrors> {
    let (agent, errors) = sketch(&read(files)?)?;
    let own: Vec<ConfigError> =
        errors.into_iter().filter(|error| error.key.starts_with("update")).collect();
    if own.is_empty() { Ok(agent.update) } else { Err(ConfigErrors(own)) }
}

#[cfg(test)]
mod tests;
