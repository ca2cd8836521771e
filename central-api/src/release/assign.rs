//! Gives a published release to boxes: to one, to a share of all, to all; and takes it back from
//! those that have not taken it.

use contract::Digest;
use time::OffsetDateTime;

use super::Refusal;
use super::publish::stored;
use crate::audit;
use crate::device::enrol;
use crate::store::{Store, Tx};

/// Whom.
#[derive(Debug, Clone)]
pub enum To {
    Devices(Vec<String>),
    /// So many of a hundred boxes, at least one. A larger share has those of a smaller one in it, and
    /// another release begins with other boxes.
    Share(u8),
}

/// Gives release `number` to boxes; gives their ids.
pub async fn assign(
    store: &Store,
    now: OffsetDateTime,
    number: u64,
    to: To,
) -> Result<Vec<String>, Refusal> {
    let devices = match to {
        To::Devices(devices) => devices,
        To::Share(share) => {
            let all = enrol::list(store).await?.into_iter();
            chosen(
                all.filter(|it| it.revoked_at.is_none()).map(|it| it.id).collect(),
                number,
                share,
            )
        }
    };
    if devices.is_empty() {
        return Err(Refusal::Nobody);
    }
    let mut tx = store.begin().await?;
    let known: Option<i64> = sqlx::query_scalar("SELECT number FROM releases WHERE number = $1")
        .bind(stored(number))
        .fetch_optional(&mut *tx)
        .await?;
    known.ok_or(Refusal::Unknown(number))?;
    for device in &devices {
        let given = sqlx::query(
            "UPDATE devices SET release_number = $1 WHERE id = $2 AND revoked_at IS NULL",
        )
        .bind(stored(number))
        .bind(device.as_str())
        .execute(&mut *tx)
        .await?;
        if given.rows_affected() == 0 {
            return Err(Refusal::Device(device.clone()));
        }
    }
    let detail = serde_json::json!({ "devices": devices });
    record(&mut tx, now, "release.assigned", number, detail).await?;
    tx.commit().await?;
    Ok(devices)
}

/// No box is given release `number` any more; one that runs it already stays. Gives how many had it
/// assigned.
pub async fn withdraw(store: &Store, now: OffsetDateTime, number: u64) -> Result<u64, Refusal> {
    let mut tx = store.begin().await?;
    let had = sqlx::query("UPDATE devices SET release_number = NULL WHERE release_number = $1")
        .bind(stored(number))
        .execute(&mut *tx)
        .await?
        .rows_affected();
    let detail = serde_json::json!({ "devices": had });
    record(&mut tx, now, "release.withdrawn", number, detail).await?;
    tx.commit().await?;
    Ok(had)
}

async fn record(
    tx: &mut Tx<'_>,
    at: OffsetDateTime,
    action: &str,
    number: u64,
    detail: serde_json::Value,
) -> Result<(), Refusal> {
    let subject_id = &number.to_string();
    let (actor, subject_kind) = ("system", "release");
    audit::append(tx, audit::Entry { at, actor, action, subject_kind, subject_id, detail }).await?;
    Ok(())
}

/// In an order of this release's own, the first `share` of a hundred.
fn chosen(mut devices: Vec<String>, number: u64, share: u8) -> Vec<String> {
    let share = usize::from(share.min(100));
    devices.sort_by_cached_key(|device| Digest::of(format!("{number}/{device}").as_bytes()));
    devices.truncate((devices.len() * share).div_ceil(100));
    devices
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_share_grows_and_never_moves() {
        let all: Vec<String> = (0..25).map(|n| format!("edge-{n:02}")).collect();
        let of =
            |number, share| chosen(all.clone(), number, share).into_iter().collect::<BTreeSet<_>>();
        let sizes = [1, 4, 5, 10, 50, 100].map(|share| of(7, share).len());
        assert_eq!(sizes, [1, 1, 2, 3, 13, 25]);
        assert!(of(7, 10).is_subset(&of(7, 50)) && of(7, 50).is_subset(&of(7, 100)));
        assert_ne!(of(7, 10), of(8, 10));
        assert!(chosen(Vec::new(), 7, 10).is_empty());
    }
}
