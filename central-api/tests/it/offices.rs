//! Offices: who may sign, and by whose word.

use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::proceedings::decision::{self, Office, OfficeError};

use crate::sanctions::CHIEF;
use crate::setting::Setting;

#[tokio::test]
async fn an_office_is_of_the_laws_table() {
    let setting = Setting::new().await;
    setting.user("dung", &[Role::Approver]).await;
    let state = &setting.state;
    let set = async |login: &str, office: Option<Office>| {
        decision::set_office(&state.store, &state.law, setting.clock.now(), login, office).await
    };
    let office = |title: &str, delegation: Option<&str>| {
        Some(Office { title: title.into(), delegation: delegation.map(str::to_owned) })
    };
    let unknown = set("ai", office(CHIEF, None)).await;
    assert!(matches!(unknown, Err(OfficeError::UnknownUser(_))), "{unknown:?}");
    let title = set("dung", office("Vua", None)).await.unwrap_err().to_string();
    assert!(title.contains("Vua") && title.contains(CHIEF), "{title}");
    let short = set("dung", office(CHIEF, Some("số 1"))).await;
    assert!(matches!(short, Err(OfficeError::Delegation)), "{short:?}");
    set("dung", office(CHIEF, Some("số 12/QĐ-GQXP ngày 02/01/2026"))).await.unwrap();
    set("dung", None).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE action = 'user.office'")
        .fetch_one(state.store.pool())
        .await
        .unwrap();
    assert_eq!(rows, 2);
}
