//! A package folder against a public sealing key.

use std::io;
use std::path::Path;

use contract::Manifest;
use contract::manifest::{BASIS_FILE, FileRole, MAX_FILE_BYTES, MAX_MANIFEST_BYTES};
use contract::package::{Failure, MANIFEST_FILE, SEAL_FILE, check_file, open_manifest};
use contract::seal::{MAX_JWS_BYTES, SealError, VerifyingKey};

use super::{Depth, Report};

/// Checks manifest, seal and every file of the package in `folder`.
pub fn verify_package(folder: &Path, key: &VerifyingKey, depth: Depth) -> Report {
    let mut report = Report { packages: 1, ..Report::looking(depth) };
    let manifest = read(folder, MANIFEST_FILE, MAX_MANIFEST_BYTES as u64);
    let seal = read(folder, SEAL_FILE, MAX_JWS_BYTES as u64);
    for (name, content) in [(MANIFEST_FILE, &manifest), (SEAL_FILE, &seal)] {
        if let Err(problem) = content {
            report.add(name, problem);
        }
    }
    let (Ok(manifest), Ok(seal)) = (manifest, seal) else { return report.finished() };
    match open_sealed(key, &manifest, &seal) {
        Ok(manifest) => {
            let mut basis = None;
            for entry in &manifest.files {
                report.files += 1;
                match read(folder, &entry.name, MAX_FILE_BYTES) {
                    Err(problem) => report.add(&entry.name, problem),
                    Ok(content) => {
                        if let Err(failure) = check_file(entry, &content) {
                            let (subject, problem) = named(&failure);
                            report.add(subject, problem);
                        } else if entry.role == FileRole::Basis {
                            basis = Some(content);
                        }
                    }
                }
            }
            report.judge(BASIS_FILE, &manifest, basis.as_deref());
        }
        // Without a seal nothing vouches for the digests of the files.
        Err(failure) => {
            let (subject, problem) = named(&failure);
            report.add(subject, problem);
        }
    }
    report.finished()
}

/// Reads the manifest if the seal in `seal` holds.
pub(super) fn open_sealed(
    key: &VerifyingKey,
    manifest: &[u8],
    seal: &[u8],
) -> Result<Manifest, Failure> {
    let seal = std::str::from_utf8(seal).map_err(|_| Failure::Seal(SealError::Malformed))?;
    open_manifest(key, manifest, seal)
}

/// A failure as the file it is about and what is wrong with it.
pub(super) fn named(failure: &Failure) -> (String, String) {
    let (name, text) = (failure.file().to_owned(), failure.to_string());
    let problem = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text).to_owned();
    (name, problem)
}

fn read(folder: &Path, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let path = folder.join(name);
    match path.metadata() {
        // What never ends, or waits for somebody to write.
        Ok(meta) if !meta.is_file() => return Err("is no file".into()),
        Ok(meta) if meta.len() > limit => {
            return Err(format!("{} bytes, at most {limit} are accepted", meta.len()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err("missing".into()),
        Err(error) => return Err(format!("cannot be read: {error}")),
    }
    std::fs::read(&path).map_err(|error| format!("cannot be read: {error}"))
}
