//! The central's own keys, held against what its database knows of them.
//!
//! Every box trusts one CA and one receipt key. Where their files are gone or are others than the
//! database's, starting with new ones would shut every box out and sign receipts nobody believes:
//! so keys are made by themselves only for a database that knows none, and otherwise by command.

use std::path::{Path, PathBuf};

use contract::seal::SigningKey;
use time::OffsetDateTime;

use super::ca::{Ca, CaError};
use super::keyfile::KeyFileError;
use super::receipt;
use crate::audit;
use crate::store::{Store, StoreError, to_ms};

const CA_KEY: &str = "ca/ca.key";
const CA_CERT: &str = "ca/ca.pem";
const FILES: [&str; 3] = [CA_KEY, CA_CERT, receipt::FILE];
const CA: &str = "ca";
const RECEIPT: &str = "receipt";

#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error(
        "{path} is missing, but boxes trust it: restore keys.folder from its backup. Only if it is \
         lost for good: `central-api admin new-keys --reason TEXT`, and enrol every box again"
    )]
    Missing { path: PathBuf },
    #[error(
        "the {what} in {folder} is not the one this database's boxes trust ({found}, not {known}): \
         restore that folder from its backup, or set keys.folder or database.url right"
    )]
    Foreign { what: &'static str, folder: PathBuf, found: String, known: String },
    #[error("say in 10 to 500 characters why new keys are needed: an auditor will read it")]
    Reason,
    #[error("failed to move {path} aside: {source}")]
    Aside { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for KeyringError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// The CA of the boxes and the key of the receipts.
#[derive(Debug)]
pub struct Keyring {
    pub ca: Ca,
    pub receipt: SigningKey,
}

impl Keyring {
    /// The keys in `folder`, where they are those of `store`; made where it knows none yet.
    pub async fn open(
        store: &Store,
        folder: &Path,
        now: OffsetDateTime,
    ) -> Result<Self, KeyringError> {
        let trusted: i64 = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM installation)
                  + (SELECT COUNT(*) FROM device_certificates)",
        )
        .fetch_one(store.pool())
        .await?;
        let missing = FILES.into_iter().map(|name| folder.join(name)).find(|path| !path.exists());
        let half = folder.join(CA_CERT).exists() && !folder.join(CA_KEY).exists();
        if let Some(path) = missing.filter(|_| trusted > 0 || half) {
            return Err(KeyringError::Missing { path });
        }
        let keyring = Self::load_or_create(folder, now)?;
        for (name, what, found) in keyring.fingerprints() {
            let known = known(store, name, &found, now).await?;
            if known != found {
                return Err(KeyringError::Foreign { what, folder: folder.into(), found, known });
            }
        }
        Ok(keyring)
    }

    /// Moves what is left of the old keys aside and makes new ones, for good: every certificate
    /// ends, every box must be enrolled again.
    pub async fn replace(
        store: &Store,
        folder: &Path,
        now: OffsetDateTime,
        reason: &str,
    ) -> Result<Self, KeyringError> {
        let reason = audit::reason(reason).ok_or(KeyringError::Reason)?;
        set_aside(folder, now)?;
        let keyring = Self::load_or_create(folder, now)?;
        let mut tx = store.begin().await?;
        for (name, _, fingerprint) in keyring.fingerprints() {
            sqlx::query(
                "INSERT INTO installation (name, fingerprint, since) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET fingerprint = $2, since = $3",
            )
            .bind(name)
            .bind(fingerprint)
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query("UPDATE device_certificates SET revoked_at = $1 WHERE revoked_at IS NULL")
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await?;
        let entry = audit::Entry {
            at: now,
            actor: "system",
            action: "keys.replaced",
            subject_kind: "installation",
            subject_id: CA,
            detail: serde_json::json!({ "reason": reason }),
        };
        audit::append(&mut tx, entry).await?;
        tx.commit().await?;
        Ok(keyring)
    }

    fn load_or_create(folder: &Path, now: OffsetDateTime) -> Result<Self, KeyringError> {
        let ca = Ca::load_or_create(folder, now)?;
        Ok(Self { ca, receipt: receipt::load_or_create_key(folder)? })
    }

    /// Name in the database, name in words, fingerprint.
    fn fingerprints(&self) -> [(&'static str, &'static str, String); 2] {
        [
            (CA, "CA", self.ca.fingerprint().to_string()),
            (RECEIPT, "receipt key", self.receipt.verifying_key().id()),
        ]
    }
}

/// The fingerprint on record; of several that start at once, the first one's.
async fn known(
    store: &Store,
    name: &str,
    found: &str,
    now: OffsetDateTime,
) -> Result<String, StoreError> {
    store
        .write(
            sqlx::query(
                "INSERT INTO installation (name, fingerprint, since) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(found)
            .bind(to_ms(now)),
        )
        .await?;
    Ok(sqlx::query_scalar("SELECT fingerprint FROM installation WHERE name = $1")
        .bind(name)
        .fetch_one(store.pool())
        .await?)
}

/// Old keys are kept beside the new ones: who says that they are lost may be wrong.
fn set_aside(folder: &Path, now: OffsetDateTime) -> Result<(), KeyringError> {
    let aside = folder.join(format!("replaced-{}", now.unix_timestamp()));
    for name in FILES {
        let (from, to) = (folder.join(name), aside.join(name));
        if !from.exists() {
            continue;
        }
        let failed = |source| KeyringError::Aside { path: from.clone(), source };
        std::fs::create_dir_all(to.parent().unwrap_or(&aside)).map_err(failed)?;
        std::fs::rename(&from, &to).map_err(failed)?;
    }
    Ok(())
}
