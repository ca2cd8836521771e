//! The store on both databases: migrations, constraints as answers, users.

use central_api::admin::password;
use central_api::admin::users::{self, NewUser, Role, UserError};
use central_api::store::Store;
use time::OffsetDateTime;

use crate::support::{Database, on_both};

on_both!(migrates_once, users_are_kept_apart, a_rolled_back_write_leaves_nothing);

pub async fn open(database: &Database) -> Store {
    let store = Store::open(&database.url, 4).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn migrates_once(database: Database) {
    let store = Store::open(&database.url, 4).await.unwrap();
    assert!(!store.is_current().await);
    assert!(store.migrate().await.unwrap() >= 1);
    assert!(store.is_current().await);
    assert_eq!(store.migrate().await.unwrap(), 0);
}

async fn users_are_kept_apart(database: Database) {
    let store = open(&database).await;
    let at = OffsetDateTime::UNIX_EPOCH;
    let create = async |login: &str, name: &str, roles: &[Role], password: &str| {
        let user = NewUser { login, name, roles };
        users::create(&store, at, "system", user, password.into()).await
    };
    let roles = [Role::Approver, Role::Reviewer, Role::Approver];
    let id = create("lan", "Trần Thị Lan", &roles, "mật khẩu dài").await.unwrap();

    let (user, stored) = users::find_by_login(&store, "lan").await.unwrap().unwrap();
    assert_eq!((user.id.as_str(), user.name.as_str()), (id.as_str(), "Trần Thị Lan"));
    assert_eq!(user.roles, [Role::Reviewer, Role::Approver]);
    assert!(user.has(Role::Approver) && !user.has(Role::Admin) && !user.disabled);
    assert!(password::verify_password(Some(stored), "mật khẩu dài".into()).await);
    assert_eq!(users::find(&store, &id).await.unwrap(), Some(user));
    assert!(users::find_by_login(&store, "nobody").await.unwrap().is_none());

    let again = create("lan", "Another", &[Role::Admin], "another password").await;
    assert!(matches!(again, Err(UserError::LoginTaken(login)) if login == "lan"));
    let bad = create("LAN", "x", &[Role::Admin], "another password").await;
    assert!(matches!(bad, Err(UserError::BadLogin)));
    let none = create("minh", "Minh", &[], "another password").await;
    assert!(matches!(none, Err(UserError::NoRole)));
    assert_eq!(users::list(&store).await.unwrap().len(), 1);
}

async fn a_rolled_back_write_leaves_nothing(database: Database) {
    let store = open(&database).await;
    let mut tx = store.begin().await.unwrap();
    sqlx::query("INSERT INTO devices (id, enrolled_at) VALUES ('d', 0)")
        .execute(&mut *tx)
        .await
        .unwrap();
    drop(tx);
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM devices").fetch_one(store.pool()).await.unwrap();
    assert_eq!(count, 0);
}
