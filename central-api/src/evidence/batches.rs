//! The files of a batch of letters, each under a name with its digest.

use bytes::Bytes;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;

use super::{EvidenceError, EvidenceStore};

impl EvidenceStore {
    /// Stores a file of a batch; it is durable when this returns.
    pub async fn put_batch_file(
        &self,
        batch: &str,
        name: &str,
        content: Bytes,
    ) -> Result<(), EvidenceError> {
        self.objects.put(&path(batch, name), content.into()).await?;
        Ok(())
    }

    pub async fn read_batch_file(&self, batch: &str, name: &str) -> Result<Bytes, EvidenceError> {
        Ok(self.objects.get(&path(batch, name)).await?.bytes().await?)
    }
}

fn path(batch: &str, name: &str) -> Path {
    Path::from_iter(["batches", batch, name])
}
