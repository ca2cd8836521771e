//! Secret files: created once, whole or not at all, readable by this user only.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("failed to {what} {path}: {source}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{path} is readable by others (mode {mode:o}): run chmod 600 on it")]
    Open { path: PathBuf, mode: u32 },
    #[error("{path} holds no usable key or certificate: {detail}")]
    Content { path: PathBuf, detail: String },
}

impl KeyFileError {
    fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }

    pub fn content(path: &Path, detail: impl ToString) -> Self {
        Self::Content { path: path.to_owned(), detail: detail.to_string() }
    }
}

/// The file's text; if there is none, `make` gives it. When two processes meet here, one text wins
/// and both get it.
pub fn load_or_create(
    path: &Path,
    secret: bool,
    make: impl FnOnce() -> Result<String, KeyFileError>,
) -> Result<String, KeyFileError> {
    if !path.exists() {
        create(path, secret, &make()?)?;
    }
    load(path, secret)
}

/// The file's text.
pub fn load(path: &Path, secret: bool) -> Result<String, KeyFileError> {
    let mode =
        path.metadata().map_err(|e| KeyFileError::io("look at", path, e))?.permissions().mode();
    if secret && mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode: mode & 0o777 });
    }
    std::fs::read_to_string(path).map_err(|e| KeyFileError::io("read", path, e))
}

/// Makes `folder`, and closes it to everybody else where it was open.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = folder.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(folder, Permissions::from_mode(mode & 0o700))?;
    }
    Ok(())
}

fn create(path: &Path, secret: bool, text: &str) -> Result<(), KeyFileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    private_folder(folder).map_err(|e| KeyFileError::io("create", folder, e))?;
    let draft = folder.join(format!(".{}.draft", uuid::Uuid::new_v4()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if secret { 0o600 } else { 0o644 })
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        // A link fails where the name exists: nobody's key is ever replaced.
        .and_then(|()| match std::fs::hard_link(&draft, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        })
        .and_then(|()| File::open(folder)?.sync_all());
    // Only the draft's name is left to remove; failing to is untidy, not wrong.
    let _ = std::fs::remove_file(&draft);
    written.map_err(|e| KeyFileError::io("write", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/a.key");
        assert_eq!(load_or_create(&path, true, || Ok("one".into())).unwrap(), "one");
        assert_eq!(load_or_create(&path, true, || Ok("two".into())).unwrap(), "one");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let parent = path.parent().unwrap().metadata().unwrap();
        assert_eq!(parent.permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(folder.path().join("keys")).unwrap().count(), 1);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load_or_create(&path, true, || Ok("three".into()));
        assert!(matches!(refused, Err(KeyFileError::Open { mode: 0o644, .. })));
    }
}
