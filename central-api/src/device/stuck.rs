//! Boxes that cannot get past one package: what was refused last, until something is taken again.
//! The box waits and asks again by itself; here it is shown to those who can help it.

use time::OffsetDateTime;

use crate::store::{Store, StoreError, Tx, to_ms};

/// The refusal a box is stuck at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub since: OffsetDateTime,
    /// The package's own number, where it could be read.
    pub sequence: Option<i64>,
    pub code: String,
}

impl Stuck {
    /// What gets the box going again.
    pub fn remedy(&self, device: &str) -> String {
        let settle = |more: &str| {
            let next = self.sequence.map_or("SEQUENCE".to_owned(), |next| next.to_string());
            format!(
                "central-api admin settle-chain --id {device} --next {next}{more} --reason TEXT"
            )
        };
        match self.code.as_str() {
            "out_of_order" => settle(""),
            "broken_chain" => settle(" --again"),
            "capture_in_future" => "wait some minutes; set the box's clock right".into(),
            "bad_seal" | "superseded_key" => format!(
                "central-api admin enrol-device --id {device} … with the keys that are on the box"
            ),
            _ => "look into the box's refused/ folder; its log names the command".into(),
        }
    }
}

/// Notes a refusal, once the request that met it has been rolled back.
pub(super) async fn note(
    store: &Store,
    device: &str,
    at: OffsetDateTime,
    sequence: Option<i64>,
    code: &str,
) -> Result<(), StoreError> {
    // Since when: repeating the same refusal does not make it younger.
    store
        .write(
            sqlx::query(
                "UPDATE devices SET stuck_at = $1, stuck_sequence = $2, stuck_code = $3
         WHERE id = $4 AND (stuck_at IS NULL OR stuck_code <> $3
                            OR COALESCE(stuck_sequence, 0) <> COALESCE($2, 0))",
            )
            .bind(to_ms(at))
            .bind(sequence)
            .bind(code)
            .bind(device),
        )
        .await?;
    Ok(())
}

/// A manifest was taken: not stuck.
pub(super) async fn clear(tx: &mut Tx<'_>, device: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE devices SET stuck_at = NULL, stuck_sequence = NULL, stuck_code = NULL
         WHERE id = $1 AND stuck_at IS NOT NULL",
    )
    .bind(device)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
