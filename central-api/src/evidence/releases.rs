//! The files of releases, each under its digest: what two releases share lies here once.

use std::io::Read;
use std::ops::Range;

use bytes::Bytes;
use contract::Digest;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};

use super::staging::PART_BYTES;
use super::{EvidenceError, EvidenceStore};

impl EvidenceStore {
    /// Whether this very file lies here: read again, so that publishing again mends what was spoilt.
    pub async fn has_release_file(&self, sha256: Digest) -> Result<bool, EvidenceError> {
        let mut content = match self.objects.get(&path(sha256)).await {
            Ok(found) => found.into_stream(),
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut hash = Sha256::new();
        while let Some(part) = content.try_next().await? {
            hash.update(&part);
        }
        Ok(Digest::from_bytes(hash.finalize().into()) == sha256)
    }

    /// Stores what `content` gives as the file of this digest; it is durable when this returns.
    pub async fn put_release_file(
        &self,
        sha256: Digest,
        mut content: impl Read,
    ) -> Result<(), EvidenceError> {
        let upload = self.objects.put_multipart(&path(sha256)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let read = content.by_ref().take(PART_BYTES as u64).read_to_end(&mut part);
            if let Err(source) = read {
                writer.abort().await?;
                let store = "the release's folder";
                let source = Box::new(source);
                return Err(object_store::Error::Generic { store, source }.into());
            }
            if part.is_empty() {
                break;
            }
            writer.wait_for_capacity(2).await?;
            writer.put(part.into());
        }
        writer.finish().await?;
        Ok(())
    }

    /// Some bytes of a file.
    pub async fn release_bytes(
        &self,
        sha256: Digest,
        range: Range<u64>,
    ) -> Result<Bytes, EvidenceError> {
        Ok(self.objects.get_range(&path(sha256), range).await?)
    }
}

fn path(sha256: Digest) -> Path {
    Path::from_iter(["releases", sha256.to_string().as_str()])
}
