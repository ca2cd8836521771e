//! Which rejections a second person looks at: some, by a chance that nobody at a desk can foresee,
//! so that no single person can make cases vanish.

use sqlx::AssertSqlSafe;

use super::record::{COLUMNS, Case};
use crate::secret::Secret;
use crate::store::{Store, StoreError};

/// The installation's key for the draw.
const KEY: &str = "recheck";
/// Cases that the worklist shows.
const MOST: u32 = 200;

/// Draws whether the rejection of `case` as it stands is looked at again; `share` is 0 to 1.
pub(super) async fn drawn(store: &Store, case: &Case, share: f64) -> Result<bool, StoreError> {
    if share <= 0.0 {
        return Ok(false);
    }
    Ok(is_drawn(&Secret::load(store, KEY).await?, &case.id, case.version, share))
}

fn is_drawn(key: &Secret, case: &str, version: i64, share: f64) -> bool {
    let drawn = key.sign(&format!("{case}:{version}"));
    // The signature is hex of 32 bytes: its first eight digits are a number below 2^32.
    let number = drawn.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.is_some_and(|number| f64::from(number) < share * f64::from(u32::MAX))
}

/// Those that wait for `$1`, who has rejected none of them, nor read its plate.
const WAITING: &str = "FROM cases WHERE recheck = 1 AND state = 'rejected'
     AND COALESCE(reviewer, '') <> $1 AND COALESCE(plate_by, '') <> $1";

/// Counts the rejections that wait for a user, and reads them, oldest act first.
pub fn recheck_texts() -> [String; 2] {
    [
        format!("SELECT COUNT(*) {WAITING}"),
        format!("SELECT {COLUMNS} {WAITING} ORDER BY act_at, id LIMIT {MOST}"),
    ]
}

/// The rejections that wait for a second look by `user`.
pub async fn to_recheck(store: &Store, user: &str) -> Result<Vec<Case>, StoreError> {
    let [_, select] = recheck_texts();
    sqlx::query(AssertSqlSafe(select))
        .bind(user.to_owned())
        .fetch_all(store.pool())
        .await?
        .iter()
        .map(Case::from_row)
        .collect()
}

pub async fn recheck_count(store: &Store, user: &str) -> Result<u64, StoreError> {
    let [count, _] = recheck_texts();
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(user.to_owned())
        .fetch_one(store.pool())
        .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_share_is_kept_and_another_key_draws_others() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::open(&format!("sqlite:{}/x.db", folder.path().display()), 1).await.unwrap();
        store.migrate().await.unwrap();
        let one = Secret::load(&store, "one").await.unwrap();
        let other = Secret::load(&store, "other").await.unwrap();
        let draws = |key: &Secret, share| -> Vec<bool> {
            (0..20_000).map(|n| is_drawn(key, &format!("case-{n}"), 2, share)).collect()
        };
        for share in [0.02, 0.05, 0.5] {
            let count = draws(&one, share).iter().filter(|drawn| **drawn).count() as f64;
            let expected = share * 20_000.0;
            // Five standard deviations of a binomial draw.
            let bound = 5.0 * (expected * (1.0 - share)).sqrt();
            assert!((count - expected).abs() < bound, "{count} of {expected}");
        }
        assert_ne!(draws(&one, 0.5), draws(&other, 0.5));
        assert_eq!(draws(&one, 0.5), draws(&one, 0.5));
        assert!(draws(&one, 1.0).iter().all(|drawn| *drawn));
    }
}
