//! The doors through which news of money comes: the desk's page and the bank's notifications.

use std::os::unix::fs::PermissionsExt as _;

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::bank::Key;
use central_api::clock::Clock as _;
use central_api::proceedings::payment::ClaimState;
use serde_json::{Value, json};
use time::Duration;

use crate::payment::{
    ACCOUNT, DUE, FINE, balanced, claimed, csv, each, find, incoming, notify, reference,
};
use crate::setting::Setting;
use crate::setting::browserless::Visitor;

const NOTE: (&str, &str) = ("note", "đã đối chiếu với chứng từ");
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const PATH: &str = "/api/payments/v1/notifications";

#[tokio::test]
async fn a_clerk_takes_a_statement_in_and_settles_what_is_left() {
    for (setting, _) in each().await {
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string();
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let mut binh = Visitor::officer(&setting.state, "binh").await;
        let text = csv(&[("S1", FINE - 1, &code), ("S2", 70, "<b>la</b>"), ("S3", 1, "thieu")]);
        // Without the session's token, by another duty, and without a file.
        let path = "/tien/sao-ke";
        let strange = chi.upload(path, &[("csrf", "0")], text.as_bytes()).await;
        assert_eq!(strange.status, StatusCode::FORBIDDEN);
        let bare = chi.upload(path, &[], text.as_bytes()).await;
        assert_eq!(bare.status, StatusCode::FORBIDDEN);
        let csrf = binh.csrf.clone();
        let other = binh.upload(path, &[("csrf", &csrf)], text.as_bytes()).await;
        assert_eq!(other.status, StatusCode::FORBIDDEN);
        let csrf = chi.csrf.clone();
        let empty = chi.upload(path, &[("csrf", &csrf)], b"").await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        let large = vec![b'x'; 9 << 20];
        let large = chi.upload(path, &[("csrf", &csrf)], &large).await;
        assert!(large.text().contains("lớn hơn 8 MiB"), "{}", large.text());
        let wrong = text.replace(",70,", ",70.5,");
        let wrong = chi.upload(path, &[("csrf", &csrf)], wrong.as_bytes()).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let told = wrong.text();
        assert!(told.contains("Dòng 3: số tiền không phải là số nguyên đồng"), "{told}");
        let done = chi.upload(path, &[("csrf", &csrf)], text.as_bytes()).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let page = chi.get(done.location()).await.text();
        assert!(page.contains("1 khoản khớp hồ sơ, 2 khoản chưa rõ"), "{page}");
        assert!(page.contains("&#60;b&#62;la") && !page.contains("<b>la"), "{page}");
        assert!(page.contains("1/QĐ-XPHC") && page.contains("4.999.999"), "{page}");
        assert!(!binh.get("/tien").await.text().contains("name=\"to\""), "an approver only looks");

        let row = |bank_id: &'static str| {
            let pool = setting.state.store.pool().clone();
            async move {
                let text = "SELECT id, version FROM payment_receipts WHERE bank_id = $1";
                let row = sqlx::query_as::<_, (String, i64)>(text).bind(bank_id);
                let (id, version) = row.fetch_one(&pool).await.unwrap();
                (format!("/tien/khoan-thu/{id}"), version.to_string())
            }
        };
        let (path, version) = row("S3").await;
        let whole = [
            ("csrf", csrf.as_str()),
            ("version", &version),
            ("action", "assign"),
            ("to", &code),
            NOTE,
        ];
        for (at, value, status) in
            [(0, "x", 403), (1, "9", 409), (2, "melt", 409), (3, "XP", 422), (4, "kurz", 422)]
        {
            let mut fields = whole;
            fields[at].1 = value;
            assert_eq!(chi.post(&path, &fields).await.status.as_u16(), status, "{fields:?}");
        }
        let csrf_binh = binh.csrf.clone();
        let mut fields = whole;
        fields[0].1 = &csrf_binh;
        assert_eq!(binh.post(&path, &fields).await.status, StatusCode::FORBIDDEN);
        assert_eq!(chi.post(&path, &whole).await.location(), "/tien?xong=assigned");
        let settled = find(&setting, &claim).await;
        assert_eq!(settled.state, ClaimState::Settled);
        let page = chi.get(&format!("/ho-so/{}", settled.case_id)).await.text();
        for words in ["Nộp phạt", "Đã nộp đủ", &code, "5.000.000 đ", "Nhận tiền nộp phạt"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }

        // The other one is not ours.
        let (path, version) = row("S2").await;
        let refund = [
            ("csrf", csrf.as_str()),
            ("version", &version),
            ("action", "refund"),
            ("name", "TRAN VAN NOP"),
            ("account", "0011"),
            ("bank", "970415"),
            NOTE,
        ];
        assert_eq!(chi.post(&path, &refund).await.location(), "/tien?xong=asked");
        let id: String = sqlx::query_scalar("SELECT id FROM payment_refunds")
            .fetch_one(setting.state.store.pool())
            .await
            .unwrap();
        let path = format!("/tien/hoan-tra/{id}");
        let step = |csrf: String, version: &'static str, action: &'static str| {
            [("csrf", csrf), ("version", version.into()), ("action", action.into())]
        };
        let send = async |who: &mut Visitor, version, action| {
            let fields = step(who.csrf.clone(), version, action);
            let mut fields: Vec<_> = fields.iter().map(|(name, it)| (*name, it.as_str())).collect();
            let today = "2026-11-21";
            fields.push(("day", today));
            who.post(&path, &fields).await
        };
        assert_eq!(send(&mut chi, "2", "confirm").await.status, StatusCode::FORBIDDEN);
        assert_eq!(send(&mut binh, "2", "confirm").await.location(), "/tien?xong=confirmed");
        let exported = chi.post("/tien/tep", &[("csrf", csrf.as_str())]).await;
        assert_eq!(exported.location(), "/tien?xong=exported");
        let page = chi.get("/tien").await.text();
        let at = page.find("/tien/tep/").unwrap();
        let link: String = page[at..].chars().take_while(|c| *c != '"').collect();
        let file = chi.get(&link).await;
        assert!(
            file.text().contains("\"TRAN VAN NOP\",\"0011\",\"970415\",70,"),
            "{}",
            file.text()
        );
        assert_eq!(binh.get(&link).await.status, StatusCode::FORBIDDEN);
        let version: i64 = sqlx::query_scalar("SELECT version FROM payment_refunds")
            .fetch_one(setting.state.store.pool())
            .await
            .unwrap();
        let version: &'static str = version.to_string().leak();
        assert_eq!(send(&mut chi, version, "paid_out").await.location(), "/tien?xong=paid_out");
        assert_eq!(send(&mut chi, version, "paid_out").await.status, StatusCode::CONFLICT);
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn the_code_pays_what_is_open_today() {
    for (setting, _) in each().await {
        let claim = claimed(&setting, 1).await;
        let case = find(&setting, &claim).await.case_id;
        setting.user("an", &[Role::Reviewer]).await;
        let mut an = Visitor::officer(&setting.state, "an").await;
        let path = format!("/ho-so/{case}/vietqr.svg");
        assert_eq!(an.get(&path).await.status, StatusCode::FORBIDDEN);
        assert!(!an.get(&format!("/ho-so/{case}")).await.text().contains("Nộp phạt"));
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let code = chi.get(&path).await;
        assert_eq!(code.headers["content-type"], "image/svg+xml");
        assert!(code.text().contains("<svg"), "{}", code.text());
        notify(&setting, &incoming("FT", FINE, DUE, reference(1).as_str())).await.unwrap();
        assert_eq!(chi.get(&path).await.status, StatusCode::NOT_FOUND, "nothing is open");
        // What no database can hold is as unknown as anything else.
        let csrf = chi.csrf.clone();
        let fields = [("csrf", csrf.as_str()), ("action", "paid_out"), ("day", "2026-11-21"), NOTE];
        for path in ["/tien/tep/a%00b", "/ho-so/a%00b/vietqr.svg"] {
            assert_eq!(chi.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/tien/hoan-tra/a%00b", "/tien/thua/a%00b", "/tien/khoan-thu/a%00b"] {
            let status = chi.post(path, &fields).await.status;
            assert!(status.is_client_error(), "{path}: {status}");
        }
    }
}

/// The bank's key from now on.
fn with_key(setting: &mut Setting) -> Key {
    let file = setting.folder.path().join("bank.key");
    std::fs::write(&file, SECRET).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let config = std::sync::Arc::get_mut(&mut setting.state.config).unwrap();
    config.treasury.notification_key_file = file.display().to_string();
    Key::new(SECRET).unwrap()
}

fn said(event: &str, transaction: &str, amount: i64, purpose: &str) -> Value {
    json!({
        "event_id": event, "account": ACCOUNT, "transaction_id": transaction, "amount": amount,
        "currency": "VND", "paid_on": "2026-11-20", "purpose": purpose, "payer_name": "TRAN VAN NOP",
    })
}

/// Sends it as the bank does.
async fn send(setting: &Setting, key: &Key, body: &Value) -> (u16, Value) {
    let body = body.to_string().into_bytes();
    let at = setting.clock.now().unix_timestamp().to_string();
    let signature = key.sign(&at, &body);
    let headers = [
        ("x-timestamp", at.as_str()),
        ("x-signature", &signature),
        ("content-type", "application/json"),
    ];
    let answer = Visitor::new(&setting.state).call(PATH, &headers, body).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn a_notification_counts_once_and_only_from_the_bank() {
    for (mut setting, _) in each().await {
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string();
        let right = Key::new(SECRET).unwrap();
        let paid = said("E1", "S1", FINE, &code);
        let (status, told) = send(&setting, &right, &paid).await;
        assert_eq!((status, &told["code"]), (404, &json!("not_found")), "no key is configured");
        let key = with_key(&mut setting);
        let other = Key::new(&SECRET.replace('0', "1")).unwrap();
        assert_eq!(send(&setting, &other, &paid).await.0, 401);
        // Neither without a signature, nor with one that is too old.
        let mut bank = Visitor::new(&setting.state);
        assert_eq!(bank.call(PATH, &[], b"{}".to_vec()).await.status.as_u16(), 401);
        let body = paid.to_string().into_bytes();
        let at = (setting.clock.now() - Duration::minutes(6)).unix_timestamp().to_string();
        let signature = key.sign(&at, &body);
        let old = [("x-timestamp", at.as_str()), ("x-signature", &signature)];
        assert_eq!(bank.call(PATH, &old, body).await.status.as_u16(), 401);
        let large = vec![b' '; 17 << 10];
        assert_eq!(bank.call(PATH, &[], large).await.status.as_u16(), 413);

        for (field, value) in [
            ("account", json!("999999")),
            ("currency", json!("USD")),
            ("amount", json!(0)),
            ("amount", json!(-5)),
            ("amount", json!(1.5)),
            ("amount", json!(9_000_000_000_000_000_000_i64)),
            ("paid_on", json!("2036-01-01")),
            ("paid_on", json!("hôm qua")),
            ("event_id", json!("")),
            ("transaction_id", json!("a\u{0}b")),
            ("purpose", json!("x".repeat(501))),
            ("more", json!(1)),
        ] {
            let mut wrong = paid.clone();
            wrong[field] = value;
            let (status, told) = send(&setting, &key, &wrong).await;
            assert_eq!((status, &told["code"]), (422, &json!("unfit")), "{wrong}");
        }
        assert_eq!(find(&setting, &claim).await.paid, 0);
        assert_eq!(send(&setting, &key, &paid).await, (200, json!({"result": "matched"})));
        assert_eq!(send(&setting, &key, &paid).await, (200, json!({"result": "known"})));
        // Another event about the same transaction; another transaction under the same event.
        let again = said("E2", "S1", FINE, "other words");
        assert_eq!(send(&setting, &key, &again).await, (200, json!({"result": "known"})));
        assert_eq!(send(&setting, &key, &said("E1", "S2", FINE, &code)).await.0, 409);
        assert_eq!(send(&setting, &key, &said("E3", "S1", FINE + 1, &code)).await.0, 409);
        // What was refused is no event on record: put right, it is taken.
        let right = said("E3", "S3", 5, "");
        assert_eq!(send(&setting, &key, &right).await, (200, json!({"result": "unmatched"})));
        assert_eq!(find(&setting, &claim).await.paid, FINE);
        balanced(&setting).await;
    }
}

#[tokio::test]
async fn notification_and_statement_at_once_count_once() {
    for (mut setting, _) in each().await {
        let claim = claimed(&setting, 1).await;
        let code = reference(1).to_string();
        let key = with_key(&mut setting);
        let (setting, key) = (std::sync::Arc::new(setting), std::sync::Arc::new(key));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..10 {
            let (setting, key, code) = (setting.clone(), key.clone(), code.clone());
            tasks.spawn(async move {
                if number % 2 == 0 {
                    let event = format!("E{}", number % 4);
                    let (status, _) = send(&setting, &key, &said(&event, "S1", FINE, &code)).await;
                    assert_eq!(status, 200);
                } else {
                    crate::payment::import(&setting, &csv(&[("S1", FINE, &code)])).await.unwrap();
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let row = find(&setting, &claim).await;
        assert_eq!((row.paid, row.state), (FINE, ClaimState::Settled));
        balanced(&setting).await;
    }
}

/// An open key file is a mistake that is told, and nothing is booked.
#[tokio::test]
async fn a_key_that_others_may_read_is_not_used() {
    let (mut setting, _) = each().await.remove(0);
    let key = with_key(&mut setting);
    let file = setting.state.config.treasury.notification_key_file.clone();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(send(&setting, &key, &said("E1", "S1", 5, "")).await.0, 500);
}

/// As many transactions as a file may have, in a time in which a browser still waits.
#[tokio::test]
async fn the_longest_statement_is_taken_in_while_one_waits() {
    for (setting, _) in each().await {
        claimed(&setting, 1).await;
        let code = reference(1).to_string();
        let ids: Vec<String> = (0..5_000).map(|number| format!("S{number}")).collect();
        let purpose = |at: usize| if at.is_multiple_of(2) { code.as_str() } else { "la" };
        let rows: Vec<_> =
            ids.iter().enumerate().map(|(at, id)| (id.as_str(), 1_000, purpose(at))).collect();
        let begin = std::time::Instant::now();
        let done = crate::payment::import(&setting, &csv(&rows)).await.unwrap();
        assert_eq!((done.matched, done.unmatched), (2_500, 2_500));
        let took = begin.elapsed();
        eprintln!("{:?}: {took:?}", setting.state.store.dialect());
        assert!(took < std::time::Duration::from_secs(25), "{took:?}");
        let begin = std::time::Instant::now();
        let done = crate::payment::import(&setting, &csv(&rows)).await.unwrap();
        assert_eq!(done.known, 5_000);
        eprintln!("again: {:?}", begin.elapsed());
        balanced(&setting).await;
        let mut chi = Visitor::officer(&setting.state, "chi").await;
        let begin = std::time::Instant::now();
        assert_eq!(chi.get("/tien").await.status, StatusCode::OK);
        eprintln!("page: {:?}", begin.elapsed());
    }
}
