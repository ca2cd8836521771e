//! Receipts: the central's signed word that it holds a package whole.

use std::path::Path;

use contract::Digest;
use contract::seal::{Purpose, SigningKey};
use contract::wire::Receipt;
use time::OffsetDateTime;
use uuid::Uuid;

use super::keyfile::{self, KeyFileError};

/// Its file in the keys folder.
pub const FILE: &str = "receipt.key";

/// The receipt key in the keys folder, made on first use.
pub fn load_or_create_key(keys: &Path) -> Result<SigningKey, KeyFileError> {
    let path = keys.join(FILE);
    let pem = keyfile::load_or_create(&path, true, || {
        let key = SigningKey::from_seed(&rand::random());
        key.to_pem().map_err(|e| KeyFileError::content(&path, e))
    })?;
    SigningKey::from_pem(&pem).map_err(|e| KeyFileError::content(&path, e))
}

/// A receipt as it travels. The same package always gets the same bytes.
pub fn sign(
    key: &SigningKey,
    evidence_id: Uuid,
    manifest: Digest,
    received_at: OffsetDateTime,
) -> String {
    let receipt = Receipt { evidence_id, manifest, received_at };
    // Three plain values: serialisation cannot fail.
    key.sign(Purpose::Receipt, &serde_json::to_vec(&receipt).unwrap_or_default())
}
