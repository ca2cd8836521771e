//! The store on both databases: migrations, constraints as answers, users.

use std::time::Duration;

use central_api::admin::password;
use central_api::admin::users::{self, NewUser, Role, UserError};
use central_api::store::Store;
use time::OffsetDateTime;

use crate::sources::sources;
use crate::support::{Database, on_both};

on_both!(
    migrates_once,
    users_are_kept_apart,
    a_rolled_back_write_leaves_nothing,
    who_waits_to_write_keeps_nobody_from_reading,
);

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

async fn who_waits_to_write_keeps_nobody_from_reading(database: Database) {
    let store = Store::open(&database.url, 2).await.unwrap();
    store.migrate().await.unwrap();
    let insert =
        |id: String| sqlx::query("INSERT INTO devices (id, enrolled_at) VALUES ($1, 0)").bind(id);
    let mut first = store.begin().await.unwrap();
    insert("first".into()).execute(&mut *first).await.unwrap();
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let id = format!("waiting-{number}");
                if number % 2 == 0 {
                    return store.write(insert(id)).await.map(drop);
                }
                let mut tx = store.begin().await?;
                insert(id).execute(&mut *tx).await?;
                Ok(tx.commit().await?)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let count =
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM devices").fetch_one(store.pool());
    let count = tokio::time::timeout(Duration::from_secs(2), count).await;
    // The first is not through yet.
    assert!((0..=20).contains(&count.expect("readers wait").unwrap()));
    first.commit().await.unwrap();
    for writer in waiting {
        writer.await.unwrap().unwrap();
    }
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM devices").fetch_one(store.pool()).await;
    assert_eq!(count.ok(), Some(21_i64));
}

#[test]
fn whoever_writes_stands_in_the_row() {
    for (name, source) in sources() {
        let beside = source.split(".execute(").skip(1).any(|rest| {
            let given = rest.split(')').next().unwrap_or_default();
            given.contains("pool(")
        });
        assert!(!beside || name.starts_with("store/"), "{name}: use Store::write");
    }
}
