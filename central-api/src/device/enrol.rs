//! Enrolment: which boxes there are, with which sealing key and which certificate.

use contract::Digest;
use contract::seal::VerifyingKey;
use sqlx::Row as _;
use time::{Duration, OffsetDateTime};

use super::ca::{Ca, CaError};
use super::settle;
use super::stuck::Stuck;
use crate::audit;
use crate::store::{Store, StoreError, Tx, from_ms, to_ms};

#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("device id must be 2 to 64 of A-Z a-z 0-9 . _ -")]
    BadId,
    #[error("device {0} is revoked: enrol the box under a new id")]
    Revoked(String),
    #[error("device {0} is not enrolled")]
    Unknown(String),
    #[error("seal key: {0}")]
    SealKey(#[from] contract::seal::SealError),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for EnrolError {
    fn from(error: sqlx::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// A box as the list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub id: String,
    pub enrolled_at: OffsetDateTime,
    pub revoked_at: Option<OffsetDateTime>,
    pub seen_at: Option<OffsetDateTime>,
    /// Number of the last manifest, in words.
    pub head: String,
    pub stuck: Option<Stuck>,
    /// Number of the release that it is to run.
    pub release: Option<i64>,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Enrolled { device_id: String },
    Revoked { device_id: String },
    Unknown,
}

/// Enrols a box, or renews its certificate and sealing key; returns the new certificate's PEM.
/// A renewal ends the earlier certificates and sealing keys; the keys stay on record for what was
/// seen before.
pub async fn enrol(
    store: &Store,
    ca: &Ca,
    at: OffsetDateTime,
    id: &str,
    csr_pem: &str,
    seal_key_pem: &str,
    validity: Duration,
) -> Result<String, EnrolError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !(2..=64).contains(&id.len()) || !id.bytes().all(plain) {
        return Err(EnrolError::BadId);
    }
    let key = VerifyingKey::from_pem(seal_key_pem)?;
    let issued = ca.sign_device(csr_pem, id, validity, at)?;
    let mut tx = store.begin().await?;
    sqlx::query("INSERT INTO devices (id, enrolled_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(to_ms(at))
        .execute(&mut *tx)
        .await?;
    // Also takes the row's lock, so that a revocation and a renewal follow each other.
    let live = sqlx::query(
        "UPDATE devices SET enrolled_at = enrolled_at WHERE id = $1 AND revoked_at IS NULL",
    )
    .bind(id)
    .execute(&mut *tx)
    .await?;
    if live.rows_affected() == 0 {
        return Err(EnrolError::Revoked(id.to_owned()));
    }
    sqlx::query(
        "UPDATE device_keys SET ended_at = $1
         WHERE device_id = $2 AND key_id <> $3 AND ended_at IS NULL",
    )
    .bind(to_ms(at))
    .bind(id)
    .bind(key.id())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO device_keys (device_id, key_id, pem, since) VALUES ($1, $2, $3, $4)
         ON CONFLICT (device_id, key_id) DO UPDATE SET ended_at = NULL",
    )
    .bind(id)
    .bind(key.id())
    .bind(key.to_pem()?)
    .bind(to_ms(at))
    .execute(&mut *tx)
    .await?;
    revoke_certificates(&mut tx, id, at).await?;
    sqlx::query(
        "INSERT INTO device_certificates (fingerprint, device_id, issued_at, not_after)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(issued.fingerprint.to_string())
    .bind(id)
    .bind(to_ms(at))
    .bind(to_ms(issued.not_after))
    .execute(&mut *tx)
    .await?;
    let detail = serde_json::json!({
        "seal_key": key.id(),
        "certificate": issued.fingerprint.to_string(),
    });
    record(&mut tx, at, "device.enrolled", id, detail).await?;
    tx.commit().await?;
    Ok(issued.pem)
}

/// Shuts a box out for good. Its evidence stays.
pub async fn revoke(store: &Store, at: OffsetDateTime, id: &str) -> Result<(), EnrolError> {
    let mut tx = store.begin().await?;
    let known =
        sqlx::query("UPDATE devices SET revoked_at = COALESCE(revoked_at, $1) WHERE id = $2")
            .bind(to_ms(at))
            .bind(id)
            .execute(&mut *tx)
            .await?;
    if known.rows_affected() == 0 {
        return Err(EnrolError::Unknown(id.to_owned()));
    }
    revoke_certificates(&mut tx, id, at).await?;
    record(&mut tx, at, "device.revoked", id, serde_json::json!({})).await?;
    tx.commit().await?;
    Ok(())
}

async fn revoke_certificates(
    tx: &mut Tx<'_>,
    id: &str,
    at: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE device_certificates SET revoked_at = $1 WHERE device_id = $2 AND revoked_at IS NULL",
    )
    .bind(to_ms(at))
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn record(
    tx: &mut Tx<'_>,
    at: OffsetDateTime,
    action: &str,
    id: &str,
    detail: serde_json::Value,
) -> Result<(), StoreError> {
    let entry = audit::Entry {
        at,
        actor: "system",
        action,
        subject_kind: "device",
        subject_id: id,
        detail,
    };
    audit::append(tx, entry).await
}

/// Every box, by id.
pub async fn list(store: &Store) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, enrolled_at, revoked_at, seen_at, head_sequence, stuck_at, stuck_sequence,
                stuck_code, release_number
         FROM devices ORDER BY id",
    )
    .fetch_all(store.pool())
    .await?;
    rows.iter()
        .map(|row| {
            let time = |column| -> Result<Option<OffsetDateTime>, StoreError> {
                row.try_get::<Option<i64>, _>(column)?.map(from_ms).transpose()
            };
            Ok(Listed {
                id: row.try_get("id")?,
                enrolled_at: from_ms(row.try_get("enrolled_at")?)?,
                revoked_at: time("revoked_at")?,
                seen_at: time("seen_at")?,
                head: settle::in_words(row.try_get("head_sequence")?),
                stuck: match time("stuck_at")? {
                    Some(since) => Some(Stuck {
                        since,
                        sequence: row.try_get("stuck_sequence")?,
                        code: row.try_get("stuck_code")?,
                    }),
                    None => None,
                },
                release: row.try_get("release_number")?,
            })
        })
        .collect()
}

/// Whose certificate this is, and whether it still counts.
pub async fn standing(store: &Store, fingerprint: Digest) -> Result<Standing, StoreError> {
    let row = sqlx::query(
        "SELECT c.device_id, c.revoked_at AS ended, d.revoked_at AS shut
         FROM device_certificates c JOIN devices d ON d.id = c.device_id
         WHERE c.fingerprint = $1",
    )
    .bind(fingerprint.to_string())
    .fetch_optional(store.pool())
    .await?;
    let Some(row) = row else { return Ok(Standing::Unknown) };
    let device_id = row.try_get("device_id")?;
    let ended: Option<i64> = row.try_get("ended")?;
    let shut: Option<i64> = row.try_get("shut")?;
    Ok(if ended.or(shut).is_some() {
        Standing::Revoked { device_id }
    } else {
        Standing::Enrolled { device_id }
    })
}

/// A sealing key a box has or had.
#[derive(Debug, Clone)]
pub struct SealKey {
    pub key: VerifyingKey,
    /// When a renewal replaced it: what was seen later must not be sealed with it.
    pub ended_at: Option<OffsetDateTime>,
}

/// The sealing keys of a box, the one that holds first.
pub async fn seal_keys(store: &Store, id: &str) -> Result<Vec<SealKey>, StoreError> {
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT pem, ended_at FROM device_keys WHERE device_id = $1
         ORDER BY CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, since DESC",
    )
    .bind(id)
    .fetch_all(store.pool())
    .await?;
    rows.iter()
        .map(|(pem, ended_at)| {
            let key =
                VerifyingKey::from_pem(pem).map_err(|e| StoreError::corrupt("seal key", e))?;
            Ok(SealKey { key, ended_at: ended_at.map(from_ms).transpose()? })
        })
        .collect()
}
