//! How the agent is started: as it was installed, with what a release has in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

use contract::release::{PROGRAM, Part, Release};
use serde::{Deserialize, Serialize};

/// The variable in which the launcher says what it was itself started with.
const LAUNCHED: &str = "EDGE_LAUNCHED";
/// ONNX Runtime, where a release brings its own.
const RUNTIME: &str = "program/libonnxruntime.so";

/// What was installed, and the number of what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub program: PathBuf,
    pub configs: Vec<PathBuf>,
    pub models: Option<PathBuf>,
    /// ONNX Runtime as the launcher itself was told to use it.
    #[serde(default)]
    pub runtime: Option<PathBuf>,
    /// Number of the release that runs; 0: what was installed.
    pub release: u64,
}

impl Base {
    /// What this process was launched with; none where nobody launched it.
    pub fn of_environment() -> Option<Self> {
        serde_json::from_str(&std::env::var(LAUNCHED).ok()?).ok()
    }

    /// The command `words` of a release in `folder`, or of what was installed.
    pub fn command(&self, words: &[&str], release: Option<(&Path, &Release)>) -> Command {
        let carried = |part| release.filter(|(_, release)| release.carries(part));
        let program = carried(Part::Program).map(|(folder, _)| folder.join(PROGRAM));
        let mut command = Command::new(program.as_ref().unwrap_or(&self.program));
        command.args(words);
        for config in &self.configs {
            command.arg("--config").arg(config);
        }
        for file in release.iter().flat_map(|(folder, release)| settings(folder, release)) {
            command.arg("--config").arg(file);
        }
        let models = carried(Part::Models).map(|(folder, _)| folder.join(Part::Models.folder()));
        if let Some(models) = models.as_ref().or(self.models.as_ref()) {
            command.arg("--models").arg(models);
        }
        // Never the one of the release that runs now: a release is checked with what it is started with.
        let brings =
            |(_, release): &(&Path, &Release)| release.files.iter().any(|it| it.path == RUNTIME);
        let runtime = release.filter(brings).map(|(folder, _)| folder.join(RUNTIME));
        match runtime.as_ref().or(self.runtime.as_ref()) {
            Some(runtime) => command.env("ORT_DYLIB_PATH", runtime),
            None => command.env_remove("ORT_DYLIB_PATH"),
        };
        let number = release.map_or(0, |(_, release)| release.number);
        let told = Self { release: number, ..self.clone() };
        // Paths that are no text cannot be told; such a box then says that nobody launched it.
        command.env(LAUNCHED, serde_json::to_string(&told).unwrap_or_default());
        command
    }
}

/// Only what was signed is read, whatever else lies there.
fn settings(folder: &Path, release: &Release) -> Vec<PathBuf> {
    let inside = |path: &str| path.starts_with(Part::Settings.folder());
    release.files.iter().filter(|it| inside(&it.path)).map(|it| folder.join(&it.path)).collect()
}
