//! The receipt that a payer gets, on both databases: one of each payment, made after the payment is booked,
//! void when the payment is taken off, and held against the audit.

use axum::http::StatusCode;
use central_api::documents::Kind;
use central_api::work;
use sqlx::AssertSqlSafe;
use time::Duration;
use time::macros::date;

use crate::payment::{balanced, incoming, notify};
use crate::sanctions::Desk;

#[tokio::test]
async fn each_payment_has_a_receipt_and_what_is_taken_off_holds_no_more() {
    for mut desk in Desk::each().await {
        let mut config = (*desk.setting.state.config).clone();
        config.treasury.bank = "970436".into();
        config.treasury.account = crate::payment::ACCOUNT.into();
        config.treasury.name = "KHO BAC NHA NUOC".into();
        desk.setting.state.config = std::sync::Arc::new(config);
        let case = desk.notified().await;
        desk.in_force(&case).await;
        let reference = desk.decision(&case).await.unwrap().content.issued.unwrap().reference;
        let day = date!(2026 - 11 - 21);
        for (id, amount) in [("ft1", 3_000_000), ("ft2", 2_500_000)] {
            notify(&desk.setting, &incoming(id, amount, day, &reference)).await.unwrap();
            desk.setting.clock.advance(Duration::seconds(1));
        }
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        assert_eq!(page.matches("Biên lai đang được lập.").count(), 2, "{page}");
        work::work_off(&desk.setting.state).await.unwrap();
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        for number in [1, 2] {
            assert!(page.contains(&format!("Biên lai thu tiền phạt số 00000{number}")), "{page}");
            let path = format!("/ho-so/{case}/van-ban/receipt-2026-{number}.pdf");
            let file = desk.chi.get(&path).await;
            assert_eq!(file.status, StatusCode::OK);
            assert!(file.bytes.starts_with(b"%PDF"));
        }
        // The second in order of their ids, which is that of their coming.
        if let Some(text) = desk.text(&case, Kind::Receipt).await {
            for words in [
                "BIÊN LAI THU TIỀN PHẠT",
                "Số: 000002/BLTP-",
                "Họ và tên: Trần Thị Chủ Xe",
                "số 000001/QĐ-XPHC-",
                "2.500.000 đồng (bằng chữ: hai triệu năm trăm nghìn đồng)",
                "số giao dịch ft2",
                "đã nộp tổng cộng 5.500.000 đồng",
                "số tiền nộp thừa được hoàn trả: 500.000 đồng",
            ] {
                assert!(text.contains(words), "lacks {words:?}:\n{text}");
            }
        }
        // Nothing is made twice.
        work::work_off(&desk.setting.state).await.unwrap();
        let store = desk.setting.state.store.clone();
        let count = async || -> i64 {
            let text = "SELECT COUNT(*) FROM payment_slips";
            sqlx::query_scalar(text).fetch_one(store.pool()).await.unwrap()
        };
        assert_eq!(count().await, 2);
        let (receipt, version): (String, i64) =
            sqlx::query_as("SELECT id, version FROM payment_receipts WHERE bank_id = 'ft2'")
                .fetch_one(store.pool())
                .await
                .unwrap();
        let (csrf, version) = (desk.chi.csrf.clone(), version.to_string());
        let off = [
            ("csrf", csrf.as_str()),
            ("version", &version),
            ("action", "unassign"),
            ("note", "khoản tiền của hồ sơ khác"),
        ];
        let done = desk.chi.post(&format!("/tien/khoan-thu/{receipt}"), &off).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let page = desk.chi.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains("không còn giá trị"), "{page}");
        balanced(&desk.setting).await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
        let run = async |text: &str| {
            sqlx::query(AssertSqlSafe(text.to_owned())).execute(store.pool()).await.unwrap();
        };
        run("CREATE TABLE copy AS SELECT * FROM payment_slips").await;
        run("DELETE FROM payment_slips").await;
        assert_eq!(desk.verified().await.len(), 2, "{:?}", desk.verified().await);
        run("INSERT INTO payment_slips SELECT * FROM copy").await;
        run("DROP TABLE copy").await;
        assert_eq!(desk.verified().await, Vec::<String>::new());
    }
}
