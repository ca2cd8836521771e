//! A hand in the rows of the money: every column that anything stands on, changed alone, is named by the
//! verification of the store.

use central_api::clock::Clock as _;
use central_api::law::Payer as Fined;
use central_api::proceedings::payment::refund::{self, Of};
use central_api::proceedings::payment::{self, By, Claim, Payer};
use time::macros::date;

use crate::payment::{DUE, WHY, each, incoming, notify, reference};
use crate::tampering::{columns, force, lift_constraints, verify};

/// Which columns of the money's tables say nothing that anything stands on.
const LEFT: [(&str, &str); 13] = [
    ("payment_claims", "version"),
    // It only orders them, as their days do.
    ("payment_parts", "number"),
    ("payment_claims", "opened_at"),
    ("payment_claims", "cancelled_at"),
    ("payment_claims", "settled_at"),
    ("payment_receipts", "source"),
    ("payment_receipts", "received_at"),
    // What the entries of a booking are besides even.
    ("payment_entries", "booking"),
    ("payment_entries", "kind"),
    ("payment_entries", "receipt_id"),
    ("payment_entries", "refund_id"),
    ("payment_entries", "day"),
    ("payment_entries", "at"),
];

#[tokio::test]
async fn a_hand_in_the_money_s_rows_is_named() {
    for (setting, [chi, binh]) in each().await {
        let (store, law, now) = (&setting.state.store, &setting.state.law, setting.clock.now());
        let (chi, binh) =
            (By::User { id: &chi, login: "chi" }, By::User { id: &binh, login: "binh" });
        let case = setting.case(1, |_| {}).await;
        let asked = Claim {
            case_id: &case,
            decision: "1/QĐ-XPHC",
            decided_on: date!(2026 - 11 - 30),
            reference: reference(1),
            fine: 20_000_000,
            due: Some(DUE),
        };
        let mut tx = store.begin().await.unwrap();
        let claim = payment::claim(&mut tx, &asked, now).await.unwrap();
        let days = (date!(2026 - 12 - 11), Some(date!(2026 - 12 - 12)));
        payment::pause(&mut tx, law, &claim, days, chi, now).await.unwrap();
        let parts = [(date!(2026 - 12 - 31), 8_000_000), (date!(2027 - 03 - 31), 12_000_000)];
        let plan = (Fined::Adult, date!(2026 - 12 - 08), &parts[..]);
        payment::by_parts(&mut tx, law, &claim, plan, chi, now).await.unwrap();
        tx.commit().await.unwrap();
        let code = reference(1).to_string();
        for (id, purpose) in [("FT1", code.as_str()), ("FT2", &code), ("FT3", "la")] {
            notify(&setting, &incoming(id, 20_000_000, DUE, purpose)).await.unwrap();
        }
        let to = Payer { name: "A".into(), account: "1".into(), bank: "2".into() };
        let refund =
            refund::ask(store, &Of::Excess(claim.clone()), &to, (chi, WHY), now).await.unwrap();
        refund::confirm(store, (&refund, 2), binh, now).await.unwrap();
        assert!(verify(&setting).await.ok, "{:?}", verify(&setting).await.findings);
        lift_constraints(&setting).await;
        for table in [
            "payment_claims",
            "payment_receipts",
            "payment_refunds",
            "payment_entries",
            "payment_pauses",
            "payment_parts",
        ] {
            for (column, kind) in columns(&setting, table).await {
                if LEFT.contains(&(table, &column)) {
                    continue;
                }
                // The rows are put back from a copy.
                force(&setting, format!("CREATE TABLE copy AS SELECT * FROM {table}")).await;
                let other = if kind == "text" {
                    format!("COALESCE({column}, '') || '0'")
                } else {
                    format!("COALESCE({column}, 0) + 100")
                };
                force(&setting, format!("UPDATE {table} SET {column} = {other}")).await;
                let store_said = central_api::verify::verify_store(
                    store,
                    &setting.state.evidence,
                    law,
                    central_api::verify::Depth::Seals,
                );
                // A day that is none cannot even be read.
                let is_named = store_said.await.map_or(true, |report| !report.ok);
                force(&setting, format!("DELETE FROM {table}")).await;
                force(&setting, format!("INSERT INTO {table} SELECT * FROM copy")).await;
                force(&setting, "DROP TABLE copy".into()).await;
                assert!(is_named, "{table}.{column}");
                assert!(verify(&setting).await.ok, "{table}.{column} was put back");
            }
            if table != "payment_entries" {
                let gone = format!("CREATE TABLE copy AS SELECT * FROM {table}");
                force(&setting, gone).await;
                force(&setting, format!("DELETE FROM {table}")).await;
                assert!(!verify(&setting).await.ok, "{table} is empty");
                force(&setting, format!("INSERT INTO {table} SELECT * FROM copy")).await;
                force(&setting, "DROP TABLE copy".into()).await;
            }
        }
    }
}
