//! From an offer to a whole release on the disk: judged before anything of it is fetched, fetched
//! with what earlier releases have left out, taken up where it was cut, and under its number only
//! once every digest holds.

use std::fs::{self, OpenOptions, Permissions};
use std::future::Future;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use contract::Digest;
use contract::release::{File, Offer, RELEASE_FILE, RELEASE_SEAL, Release};
use contract::seal::VerifyingKey;

use super::UpdateError;
use super::folder::{Folder, Standing, described, holds};
use crate::spool::disk;

/// Folder of the files that are not whole, by digest.
const PARTS: &str = "parts";

/// Where files come from.
pub trait Files: Send {
    /// Most bytes to ask for at once.
    fn chunk(&self) -> u64;

    /// Bytes `first` to `last` of a file of the offered release.
    fn fetch(
        &mut self,
        sha256: Digest,
        first: u64,
        last: u64,
    ) -> impl Future<Output = Result<Bytes, String>> + Send;
}

/// Who judges and stages.
#[derive(Debug, Clone)]
pub struct Stager {
    pub folder: Folder,
    pub keys: Vec<VerifyingKey>,
    /// Bytes that stay free on the volume.
    pub reserve: u64,
}

impl Stager {
    /// The release that is offered; none where it runs already or did not hold here before.
    pub fn judge(&self, offer: &Offer) -> Result<Option<Release>, UpdateError> {
        let release = Release::open(&self.keys, offer.release.as_bytes(), &offer.seal)?;
        let Standing { proven, highest, undone, .. } = self.folder.standing()?;
        let refused = self.folder.refused()?.map_or(0, |refused| refused.number);
        let number = release.number;
        if number == proven || number == refused || undone.is_some_and(|it| it.number == number) {
            return Ok(None);
        }
        let highest = highest.max(refused);
        if number <= highest {
            return Err(UpdateError::Old { number, highest });
        }
        if release.target != std::env::consts::ARCH {
            return Err(UpdateError::Target { number, found: release.target });
        }
        if release.over > proven {
            let over = release.over;
            return Err(UpdateError::TooFar { number, over, running: proven });
        }
        Ok(Some(release))
    }

    /// Makes the offered release whole under its number. May be dropped at any moment and begun again.
    pub async fn stage(
        &self,
        offer: &Offer,
        release: &Release,
        files: &mut impl Files,
        mut tell: impl FnMut(u64),
    ) -> Result<(), UpdateError> {
        let number = release.number;
        let lacking = {
            let (this, release) = (self.clone(), release.clone());
            blocking(move || this.prepare(&release)).await?
        };
        let Some(lacking) = lacking else { return Ok(()) };
        let needed: u64 = lacking.iter().map(|file| file.bytes).sum();
        let mut there = release.bytes() - needed;
        let free = disk::free_bytes(&self.folder.incoming())?;
        // What an earlier try has fetched lies there already.
        let there_already =
            |file: &File| fs::metadata(self.part(file.sha256)).map_or(0, |it| it.len());
        let fetched: u64 = lacking.iter().map(there_already).sum();
        let needed = needed.saturating_sub(fetched);
        if free < needed.saturating_add(self.reserve) {
            return Err(UpdateError::NoRoom { needed, free, reserve: self.reserve });
        }
        for file in &lacking {
            self.fetch(number, file, files, |bytes| tell(there + bytes)).await?;
            there += file.bytes;
        }
        let (this, release, offer) = (self.clone(), release.clone(), offer.clone());
        blocking(move || this.finish(&release, &offer)).await
    }

    fn staged(&self, number: u64) -> PathBuf {
        self.folder.incoming().join(number.to_string())
    }

    fn part(&self, sha256: Digest) -> PathBuf {
        self.folder.incoming().join(PARTS).join(sha256.to_string())
    }

    /// Makes room and folders, links what lies here already; gives what is to be fetched, or nothing
    /// where all is done.
    fn prepare(&self, release: &Release) -> Result<Option<Vec<File>>, UpdateError> {
        let standing = self.folder.standing()?;
        let others = self.folder.numbers()?;
        // What came since the last decision is this side's to clear; the rest is the launcher's.
        for number in others.iter().filter(|it| **it > standing.highest) {
            let there = || self.folder.verified(*number, &self.keys).ok();
            if *number == release.number && there().as_ref() == Some(release) {
                return Ok(None);
            }
            self.folder.remove_release(*number)?;
        }
        let staged = self.staged(release.number);
        self.clear_incoming(release)?;
        disk::create_dir_all(&self.folder.incoming().join(PARTS))?;
        let mut lacking = Vec::new();
        for file in &release.files {
            let path = staged.join(&file.path);
            if let Some(parent) = path.parent() {
                disk::create_dir_all(parent)?;
            }
            let failed = |error: io::Error| problem(&path, error.to_string());
            if holds(&path, file).map_err(failed)? || self.link(&others, file, &path) {
                continue;
            }
            lacking.push(file.clone());
        }
        Ok(Some(lacking))
    }

    /// Nothing stays of another release that was not finished, but for parts that this one has, too.
    fn clear_incoming(&self, release: &Release) -> Result<(), UpdateError> {
        let incoming = self.folder.incoming();
        let own = release.number.to_string();
        for name in disk::folders(&incoming)? {
            if name != own && name != PARTS {
                disk::remove_dir_all_if_there(&incoming.join(name))?;
            }
        }
        let Ok(parts) = fs::read_dir(incoming.join(PARTS)) else { return Ok(()) };
        for part in parts.flatten() {
            let name = part.file_name();
            let ours = |file: &File| name.to_str() == Some(file.sha256.to_string().as_str());
            if !release.files.iter().any(ours) {
                disk::remove_file_if_there(&part.path())?;
            }
        }
        Ok(())
    }

    /// Takes the file from a release that has it, whole.
    fn link(&self, releases: &[u64], file: &File, to: &Path) -> bool {
        releases.iter().any(|number| {
            let folder = self.folder.release(*number);
            let Ok(other) = described(&folder, &self.keys) else { return false };
            let same = |it: &&File| it.sha256 == file.sha256 && it.executable == file.executable;
            other.files.iter().filter(same).any(|other| {
                let from = folder.join(&other.path);
                // What was left half there by an earlier try is in the way.
                let _ = fs::remove_file(to);
                holds(&from, file).unwrap_or(false) && fs::hard_link(&from, to).is_ok()
            })
        })
    }

    async fn fetch(
        &self,
        number: u64,
        file: &File,
        files: &mut impl Files,
        mut tell: impl FnMut(u64),
    ) -> Result<(), UpdateError> {
        let path = self.part(file.sha256);
        let failed = |error: io::Error| problem(&path, error.to_string());
        let open = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let mut part = open.map_err(failed)?;
        let mut at = part.metadata().map_err(failed)?.len();
        if at > file.bytes {
            part.set_len(0).map_err(failed)?;
            at = 0;
        }
        while at < file.bytes {
            tell(at);
            let end = file.bytes.min(at + files.chunk().max(1));
            let content =
                files.fetch(file.sha256, at, end - 1).await.map_err(UpdateError::Central)?;
            if content.len() as u64 != end - at {
                let (found, asked) = (content.len(), end - at);
                let said = format!("{found} bytes of {} came where {asked} were asked", file.path);
                return Err(UpdateError::Central(said));
            }
            part.write_all(&content).map_err(failed)?;
            at = end;
        }
        part.sync_all().map_err(failed)?;
        drop(part);
        let to = self.staged(number).join(&file.path);
        let file = file.clone();
        blocking(move || take_up(&path, &file, &to)).await
    }

    fn finish(&self, release: &Release, offer: &Offer) -> Result<(), UpdateError> {
        let staged = self.staged(release.number);
        disk::write_synced(&staged.join(RELEASE_FILE), offer.release.as_bytes())?;
        disk::write_synced(&staged.join(RELEASE_SEAL), offer.seal.as_bytes())?;
        for file in &release.files {
            for folder in Path::new(&file.path).ancestors().skip(1) {
                disk::sync_dir(&staged.join(folder))?;
            }
        }
        disk::rename(&staged, &self.folder.release(release.number))?;
        disk::sync_dir(&self.folder.releases())?;
        Ok(disk::remove_dir_all_if_there(&self.folder.incoming().join(PARTS))?)
    }
}

/// Puts a fetched file in its place if it is the one that was signed.
fn take_up(part: &Path, file: &File, to: &Path) -> Result<(), UpdateError> {
    let failed = |error: io::Error| problem(part, error.to_string());
    if !holds(part, file).map_err(failed)? {
        disk::remove_file_if_there(part)?;
        let said = "came with other bytes than were signed: dropped, it is fetched again";
        return Err(problem(Path::new(&file.path), said.into()));
    }
    let mode = if file.executable { 0o700 } else { 0o600 };
    fs::set_permissions(part, Permissions::from_mode(mode)).map_err(failed)?;
    Ok(disk::rename(part, to)?)
}

fn problem(path: &Path, problem: String) -> UpdateError {
    UpdateError::File { path: path.into(), problem }
}

/// Runs work on files off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UpdateError> + Send + 'static,
) -> Result<T, UpdateError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // A panic on its way; a runtime that ends takes everything with it anyway.
        Err(join) => Err(UpdateError::Central(join.to_string())),
    }
}

#[cfg(test)]
mod tests;
