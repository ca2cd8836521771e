//! ONNX Runtime: finds the shared library, loads it once a process and opens sessions the way that
//! measured best here: one thread a session, no spinning, one session a worker.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::error::{ModelError, Result};

/// Where set-up puts the library.
const INSTALLED: &str = "/opt/phatnguoi/lib";
/// Where a checkout keeps its own copy.
const LOCAL: &str = ".onnxruntime";
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// One library and one Environment a process: ONNX Runtime allows no second.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Where to look for the library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// The library itself, from the configuration. Nothing else is tried then.
    pub library: Option<PathBuf>,
    /// Folder to look in after the variable and the installed place; `.onnxruntime` when absent.
    pub folder: Option<PathBuf>,
}

/// Handle on the loaded ONNX Runtime; clones share it.
#[derive(Debug, Clone)]
pub struct Runtime {
    library: PathBuf,
    environment: Environment,
}

impl Runtime {
    /// Finds and loads the library; a second call returns the same Environment.
    pub fn load(options: &RuntimeOptions) -> Result<Self> {
        let library = find(options, env::var_os(VARIABLE).map(PathBuf::from))?;
        // A poisoned lock only means another thread panicked: the value itself is whole.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, environment)) = loaded.as_ref() {
            if *path != library {
                return Err(ModelError::RuntimeConflict { loaded: path.clone(), wanted: library });
            }
            return Ok(Self { library, environment: environment.clone() });
        }
        let unusable =
            |problem: String| ModelError::RuntimeUnusable { path: library.clone(), problem };
        let environment = ort::init_from(&library)
            .map_err(|error| unusable(error.to_string()))?
            .with_name("phatnguoi")
            .with_telemetry(false)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        // OpenCV would start a thread pool of its own behind our workers.
        opencv::core::set_num_threads(1)?;
        tracing::info!(library = %library.display(), "ONNX Runtime loaded");
        *loaded = Some((library.clone(), environment.clone()));
        Ok(Self { library, environment })
    }

    /// The library in use.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The library's own description of its build.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    /// Opens a session on weights in memory; `path` only names them in errors.
    pub fn session(&self, path: &Path, weights: &[u8]) -> Result<Session> {
        let refused = |problem: String| ModelError::Refused { path: path.to_path_buf(), problem };
        let build = || -> Result<Session, String> {
            let text = |error: ort::Error<_>| error.to_string();
            Session::builder(&self.environment)
                .map_err(|error| error.to_string())?
                .with_intra_threads(1)
                .map_err(text)?
                .with_inter_threads(1)
                .map_err(text)?
                .with_intra_op_spinning(false)
                .map_err(text)?
                .with_inter_op_spinning(false)
                .map_err(text)?
                .with_optimization_level(GraphOptimizationLevel::Level3)
                .map_err(text)?
                .with_deterministic_compute(true)
                .map_err(text)?
                .commit_from_memory(weights)
                .map_err(|error| error.to_string())
        };
        build().map_err(refused)
    }
}

fn find(options: &RuntimeOptions, variable: Option<PathBuf>) -> Result<PathBuf> {
    // What was asked for by name is not silently replaced by something else.
    if let Some(path) = options.library.clone().or(variable.filter(|v| !v.as_os_str().is_empty())) {
        let found =
            if path.is_dir() { newest_in(&path) } else { path.is_file().then(|| path.clone()) };
        return found.map(absolute).ok_or(ModelError::RuntimeMissing { looked_at: vec![path] });
    }
    let local = options.folder.clone().unwrap_or_else(|| PathBuf::from(LOCAL));
    let folders = [PathBuf::from(INSTALLED), local];
    folders.iter().find_map(|folder| newest_in(folder)).map(absolute).ok_or_else(|| {
        ModelError::RuntimeMissing {
            looked_at: folders.iter().map(|folder| folder.join("libonnxruntime.so*")).collect(),
        }
    })
}

/// ort takes relative paths as relative to the program, a user means the working directory.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The library with the highest version in a folder.
fn newest_in(folder: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| -> Option<Vec<u32>> {
        let rest = path.file_name()?.to_str()?.strip_prefix("libonnxruntime.so")?;
        rest.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
    };
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && version(path).is_some())
        .max_by_key(|path| version(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_library_names_the_places() {
        let options =
            RuntimeOptions { library: Some("/nowhere/libonnxruntime.so".into()), folder: None };
        let error = find(&options, None).unwrap_err().to_string();
        assert!(error.contains("/nowhere/libonnxruntime.so"), "{error}");
        assert!(error.contains("deploy/setup.sh"), "{error}");
    }

    #[test]
    fn highest_version_wins_and_other_files_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.31.1", "libonnxruntime.so.old"]
        {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        let found = newest_in(folder.path()).unwrap();
        assert!(found.ends_with("libonnxruntime.so.1.31.1"), "{found:?}");
        let by_variable = find(&RuntimeOptions::default(), Some(folder.path().into())).unwrap();
        assert_eq!(by_variable, found);
    }

    #[test]
    fn named_library_is_never_replaced_by_another() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libonnxruntime.so"), b"x").unwrap();
        let options = RuntimeOptions {
            library: Some("/nowhere/x.so".into()),
            folder: Some(folder.path().into()),
        };
        assert!(matches!(find(&options, None), Err(ModelError::RuntimeMissing { .. })));
    }
}
