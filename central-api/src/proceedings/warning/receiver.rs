//! Who takes the files of warnings. The embedded default writes them into a folder, from which the
//! unit's own transfer takes them to the inspection's system.

use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("warnings could not be handed over to {to}: {source}")]
pub struct HandOverError {
    to: String,
    source: std::io::Error,
}

/// Takes the numbered files of messages, one after another. Handing over the same number again, after
/// a failure that came late, must change nothing.
pub trait Receiver: Send {
    fn hand_over(&self, number: i64, csv: &[u8]) -> Result<(), HandOverError>;
}

/// A folder with one file a number.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// `canh-bao-000001.csv`
    pub fn file(&self, number: i64) -> PathBuf {
        self.0.join(format!("canh-bao-{number:06}.csv"))
    }
}

impl Receiver for Folder {
    /// The file is whole and durable under its name, or not there.
    fn hand_over(&self, number: i64, csv: &[u8]) -> Result<(), HandOverError> {
        let file = self.file(number);
        write_whole(&self.0, &file, csv)
            .map_err(|source| HandOverError { to: file.display().to_string(), source })
    }
}

fn write_whole(folder: &Path, file: &Path, content: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let part = file.with_extension("part");
    let mut out = std::fs::File::create(&part)?;
    out.write_all(content)?;
    out.sync_all()?;
    std::fs::rename(&part, file)?;
    std::fs::File::open(folder)?.sync_all()
}
