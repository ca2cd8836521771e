//! The audit chain on both databases: concurrent appends make one chain, every tampering shows.

use central_api::audit::{self, Broken, Entry};
use central_api::store::Store;
use time::OffsetDateTime;

use crate::store::open;
use crate::support::{Database, on_both};

on_both!(appends_at_once_make_one_chain, tampering_is_named);

async fn append(store: &Store, subject: &str) {
    let mut tx = store.begin().await.unwrap();
    let entry = Entry {
        at: OffsetDateTime::UNIX_EPOCH,
        actor: "user:lan",
        action: "case.approved",
        subject_kind: "case",
        subject_id: subject,
        detail: serde_json::json!({ "note": "đúng \"người\"" }),
    };
    audit::append(&mut tx, entry).await.unwrap();
    tx.commit().await.unwrap();
}

async fn appends_at_once_make_one_chain(database: Database) {
    let store = open(&database).await;
    let tasks: Vec<_> = (0..24)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { append(&store, &n.to_string()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // An append that does not commit takes no number.
    drop(store.begin().await.unwrap());
    let chain = audit::verify(&mut store.snapshot().await.unwrap()).await.unwrap().unwrap();
    assert_eq!(chain.rows, 24);
}

async fn tampering_is_named(database: Database) {
    let store = open(&database).await;
    for n in 0..5 {
        append(&store, &n.to_string()).await;
    }
    let run = async |sql: &'static str| {
        sqlx::query(sql).execute(store.pool()).await.unwrap();
        audit::verify(&mut store.snapshot().await.unwrap()).await.unwrap()
    };
    assert_eq!(
        run("UPDATE audit SET actor = 'user:x' WHERE seq = 3").await,
        Err(Broken::Content { seq: 3 })
    );
    assert!(run("UPDATE audit SET actor = 'user:lan' WHERE seq = 3").await.is_ok());
    // A row whose hash was made to fit again no longer fits its successor.
    sqlx::query("UPDATE audit SET at = 5 WHERE seq = 2").execute(store.pool()).await.unwrap();
    let found = run("UPDATE audit SET hash = previous WHERE seq = 2").await;
    assert_eq!(found, Err(Broken::Content { seq: 2 }));
    let found = run("DELETE FROM audit WHERE seq = 2").await;
    assert_eq!(found, Err(Broken::Missing { expected: 2, found: 3 }));
    let found = run("DELETE FROM audit WHERE seq > 1").await;
    assert_eq!(found, Err(Broken::Head { expected: 5, found: 1 }));
    let found = run("UPDATE audit_head SET seq = 1").await;
    assert_eq!(found, Err(Broken::HeadHash { seq: 1 }));
}
