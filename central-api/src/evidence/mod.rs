//! The evidence files: whole packages under `packages/`, pieces on their way in under `staging/`. The
//! files of releases lie beside them under `releases/`, each by its digest, letters under `batches/`.
//!
//! Built on `object_store`, so that a folder and a remote store look alike and replicas keep no
//! state of their own. Every write of the local folder is fsync'd with its directories before it
//! counts, because the receipt lets the edge delete its copy.

mod batches;
pub mod codec;
mod releases;
mod staging;

use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};

use crate::device::keyfile::private_folder;

pub use staging::{Assembled, Chunk};

/// A failure of the object store.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error("failed to open the evidence folder {path}: {detail}")]
    Folder { path: PathBuf, detail: String },
    #[error("{path} is not in the evidence store")]
    NotFound { path: String },
    #[error("range of {path} lies outside its {size} bytes")]
    Range { path: String, size: u64 },
    #[error("evidence store: {0}")]
    Store(object_store::Error),
}

impl From<object_store::Error> for EvidenceError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { path, .. } => Self::NotFound { path },
            other => Self::Store(other),
        }
    }
}

/// A file opened for sending, whole or in part.
pub struct Opened {
    /// Size of the whole file.
    pub size: u64,
    /// The bytes the stream gives.
    pub range: Range<u64>,
    pub stream: BoxStream<'static, Result<Bytes, EvidenceError>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("size", &self.size).field("range", &self.range).finish()
    }
}

/// A handle on the evidence files; clones share it.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    objects: Arc<dyn ObjectStore>,
}

impl EvidenceStore {
    /// Evidence in a local folder, created if absent.
    pub fn open_folder(folder: &FsPath) -> Result<Self, EvidenceError> {
        let failed = |detail: String| EvidenceError::Folder { path: folder.to_owned(), detail };
        // Pictures of people: nobody else on this machine looks in.
        private_folder(folder).map_err(|e| failed(e.to_string()))?;
        let objects =
            LocalFileSystem::new_with_prefix(folder).map_err(|e| failed(e.to_string()))?;
        Ok(Self::new(Arc::new(objects.with_fsync(true).with_automatic_cleanup(true))))
    }

    /// Evidence in any object store; its puts must be durable when they return.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// Stores a whole file; it is durable when this returns. Repeating it is harmless.
    pub async fn put_file(
        &self,
        evidence_id: &str,
        name: &str,
        content: Bytes,
    ) -> Result<(), EvidenceError> {
        self.objects.put(&package_path(evidence_id, name), content.into()).await?;
        Ok(())
    }

    /// Reads a whole file, at most `contract::manifest::MAX_FILE_BYTES`.
    pub async fn read(&self, evidence_id: &str, name: &str) -> Result<Bytes, EvidenceError> {
        Ok(self.objects.get(&package_path(evidence_id, name)).await?.bytes().await?)
    }

    /// Opens a file, or `range` of it, for streaming.
    pub async fn open_range(
        &self,
        evidence_id: &str,
        name: &str,
        range: Option<Range<u64>>,
    ) -> Result<Opened, EvidenceError> {
        let path = package_path(evidence_id, name);
        let size = self.objects.head(&path).await?.size;
        if let Some(range) = &range
            && (range.start >= range.end || range.end > size)
        {
            return Err(EvidenceError::Range { path: path.to_string(), size });
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let result = self.objects.get_opts(&path, options).await?;
        let (size, range) = (result.meta.size, result.range.clone());
        let stream = result.into_stream().map_err(EvidenceError::from).boxed();
        Ok(Opened { size, range, stream })
    }

    /// Whether the store answers; used by the readiness probe.
    pub async fn probe(&self) -> Result<(), EvidenceError> {
        match self.objects.head(&Path::from("packages")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            // A folder is there but is no file: also an answer.
            Err(object_store::Error::Generic { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn package_path(evidence_id: &str, name: &str) -> Path {
    // Path::from_iter escapes what a key must not hold; ids and names were checked before anyway.
    Path::from_iter(["packages", evidence_id, name])
}
