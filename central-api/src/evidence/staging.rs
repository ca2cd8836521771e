//! Files on their way in: chunks kept by offset until they make a whole file with the right hash.
//!
//! The object store itself remembers how far an upload came, so any replica can continue it and a
//! restart loses nothing that was acknowledged.

use bytes::Bytes;
use contract::Digest;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest as _, Sha256};

use super::{EvidenceError, EvidenceStore, package_path};

/// Size of the parts in which an assembled file is written.
pub(super) const PART_BYTES: usize = 5 * 1024 * 1024;

/// A piece of a file that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub offset: u64,
    pub bytes: u64,
}

/// How putting a file together ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assembled {
    /// The file lies in its package, durable.
    Stored,
    /// The chunks make other bytes than the manifest names.
    Mismatch { bytes: u64, sha256: Digest },
}

impl EvidenceStore {
    /// Keeps one chunk; it is durable when this returns.
    pub async fn put_chunk(
        &self,
        evidence_id: &str,
        sha256: Digest,
        offset: u64,
        content: Bytes,
    ) -> Result<(), EvidenceError> {
        let path = staging_path(evidence_id, sha256).join(format!("{offset:020}"));
        self.objects.put(&path, content.into()).await?;
        Ok(())
    }

    /// The chunks of a file in order of their offset, without gap from 0.
    pub async fn chunks(
        &self,
        evidence_id: &str,
        sha256: Digest,
    ) -> Result<Vec<Chunk>, EvidenceError> {
        let prefix = staging_path(evidence_id, sha256);
        let mut chunks: Vec<Chunk> = self
            .objects
            .list(Some(&prefix))
            .try_filter_map(async |meta| {
                let offset = meta.location.filename().and_then(|name| name.parse().ok());
                Ok(offset.map(|offset| Chunk { offset, bytes: meta.size }))
            })
            .try_collect()
            .await
            .or_else(|error| match error {
                object_store::Error::NotFound { .. } => Ok(Vec::new()),
                other => Err(other),
            })?;
        chunks.sort_unstable_by_key(|chunk| chunk.offset);
        // Uploads that raced with other borders leave strays inside what is already covered.
        let mut end = 0;
        chunks.retain(|chunk| {
            let follows = chunk.offset == end;
            end += if follows { chunk.bytes } else { 0 };
            follows
        });
        Ok(chunks)
    }

    /// Makes the package's file from its chunks if they hash to `sha256`.
    pub async fn assemble(
        &self,
        evidence_id: &str,
        name: &str,
        sha256: Digest,
        chunks: &[Chunk],
    ) -> Result<Assembled, EvidenceError> {
        let prefix = staging_path(evidence_id, sha256);
        let upload = self.objects.put_multipart(&package_path(evidence_id, name)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        for chunk in chunks {
            let path = prefix.clone().join(format!("{:020}", chunk.offset));
            let content = match self.read_chunk(&path).await {
                Ok(content) => content,
                Err(error) => {
                    writer.abort().await?;
                    return Err(error);
                }
            };
            bytes += content.len() as u64;
            hash.update(&content);
            writer.wait_for_capacity(2).await?;
            writer.put(content);
        }
        let found = Digest::from_bytes(hash.finalize().into());
        if found != sha256 {
            writer.abort().await?;
            return Ok(Assembled::Mismatch { bytes, sha256: found });
        }
        writer.finish().await?;
        Ok(Assembled::Stored)
    }

    async fn read_chunk(&self, path: &Path) -> Result<Bytes, EvidenceError> {
        Ok(self.objects.get(path).await?.bytes().await?)
    }

    /// Forgets the chunks of a file.
    pub async fn discard_chunks(
        &self,
        evidence_id: &str,
        sha256: Digest,
    ) -> Result<(), EvidenceError> {
        self.discard(&staging_path(evidence_id, sha256)).await
    }

    /// Forgets every chunk of a package.
    pub async fn discard_staged(&self, evidence_id: &str) -> Result<(), EvidenceError> {
        self.discard(&Path::from_iter(["staging", evidence_id])).await
    }

    /// Ids of the packages that have something in the staging area.
    pub async fn staged(&self) -> Result<Vec<String>, EvidenceError> {
        let listed = self.objects.list_with_delimiter(Some(&Path::from("staging"))).await;
        match listed {
            Ok(listed) => Ok(listed
                .common_prefixes
                .iter()
                .filter_map(|path| path.filename().map(str::to_owned))
                .collect()),
            Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    async fn discard(&self, prefix: &Path) -> Result<(), EvidenceError> {
        // Beyond the contiguous chunks there may be strays: list, do not count.
        let listed = self.objects.list(Some(prefix)).map_ok(|meta| meta.location);
        let stale: Vec<Path> = match listed.try_collect().await {
            Ok(stale) => stale,
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for path in stale {
            match self.objects.delete(&path).await {
                // Another request of the same upload was faster.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn staging_path(evidence_id: &str, sha256: Digest) -> Path {
    Path::from_iter(["staging", evidence_id, sha256.to_string().as_str()])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const ID: &str = "01934b1e-0000-7000-8000-000000000001";

    fn store() -> EvidenceStore {
        EvidenceStore::new(Arc::new(object_store::memory::InMemory::new()))
    }

    #[tokio::test]
    async fn chunks_make_the_file_and_only_the_right_one() {
        let store = store();
        let sha256 = Digest::of(b"hello world");
        store.put_chunk(ID, sha256, 0, Bytes::from_static(b"hello ")).await.unwrap();
        // A stray chunk after a gap does not count as received.
        store.put_chunk(ID, sha256, 9, Bytes::from_static(b"ld")).await.unwrap();
        let chunks = store.chunks(ID, sha256).await.unwrap();
        assert_eq!(chunks, [Chunk { offset: 0, bytes: 6 }]);

        store.put_chunk(ID, sha256, 6, Bytes::from_static(b"wor")).await.unwrap();
        let chunks = store.chunks(ID, sha256).await.unwrap();
        let made = store.assemble(ID, "a.jpg", sha256, &chunks).await.unwrap();
        assert_eq!(made, Assembled::Stored);
        assert_eq!(store.read(ID, "a.jpg").await.unwrap(), "hello world");

        store.discard_chunks(ID, sha256).await.unwrap();
        assert_eq!(store.chunks(ID, sha256).await.unwrap(), []);
    }

    #[tokio::test]
    async fn wrong_bytes_leave_no_file() {
        let store = store();
        let sha256 = Digest::of(b"right");
        store.put_chunk(ID, sha256, 0, Bytes::from_static(b"wrong")).await.unwrap();
        let chunks = store.chunks(ID, sha256).await.unwrap();
        let made = store.assemble(ID, "a.jpg", sha256, &chunks).await.unwrap();
        assert_eq!(made, Assembled::Mismatch { bytes: 5, sha256: Digest::of(b"wrong") });
        assert!(matches!(store.read(ID, "a.jpg").await, Err(EvidenceError::NotFound { .. })));
    }

    #[tokio::test]
    async fn a_folder_is_closed_to_others_even_where_it_was_open() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        for path in [open, folder.path().join("new")] {
            EvidenceStore::open_folder(&path).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[tokio::test]
    async fn a_folder_serves_ranges() {
        let folder = tempfile::tempdir().unwrap();
        let store = EvidenceStore::open_folder(folder.path()).unwrap();
        store.put_file(ID, "clip.mp4", Bytes::from_static(b"0123456789")).await.unwrap();
        let opened = store.open_range(ID, "clip.mp4", Some(2..5)).await.unwrap();
        assert_eq!((opened.size, opened.range.clone()), (10, 2..5));
        let parts: Vec<Bytes> = opened.stream.try_collect().await.unwrap();
        assert_eq!(parts.concat(), b"234");
        let outside = store.open_range(ID, "clip.mp4", Some(5..11)).await;
        assert!(matches!(outside, Err(EvidenceError::Range { size: 10, .. })));
        store.probe().await.unwrap();
    }
}
