//! The central's own keys: made once with the database, never silently made anew.

use std::path::Path;

use central_api::clock::Clock as _;
use central_api::device::keyring::{Keyring, KeyringError};

use crate::support::{Database, World, on_both};

on_both!(lost_keys_stop_the_start, other_keys_stop_the_start, new_keys_are_made_by_command);

async fn open(world: &World, folder: &Path) -> Result<Keyring, KeyringError> {
    Keyring::open(&world.app.store, folder, world.clock.now()).await
}

async fn lost_keys_stop_the_start(database: Database) {
    let world = World::new(database).await;
    let keys = world.folder().join("keys");
    assert!(open(&world, &keys).await.is_ok());
    for lost in ["receipt.key", "ca/ca.key", "ca/ca.pem", ""] {
        let (from, aside) = (keys.join(lost), world.folder().join("aside"));
        std::fs::rename(&from, &aside).unwrap();
        let error = open(&world, &keys).await.unwrap_err();
        assert!(matches!(error, KeyringError::Missing { .. }), "{lost}: {error}");
        assert!(error.to_string().contains("new-keys"), "{error}");
        assert!(!from.exists(), "{lost} was made anew");
        std::fs::rename(&aside, &from).unwrap();
    }
    // As a central of before, which had not noted its keys but had enrolled boxes.
    world.road_box("edge-01", 1).await;
    sqlx::query("DELETE FROM installation").execute(world.app.store.pool()).await.unwrap();
    std::fs::rename(&keys, world.folder().join("aside")).unwrap();
    assert!(matches!(open(&world, &keys).await, Err(KeyringError::Missing { .. })));
    std::fs::rename(world.folder().join("aside"), &keys).unwrap();
    assert!(open(&world, &keys).await.is_ok());
    world.stop().await;
}

async fn other_keys_stop_the_start(database: Database) {
    let world = World::new(database).await;
    let elsewhere = world.folder().join("elsewhere");
    let other = World::new(Database::sqlite()).await;
    std::fs::rename(other.folder().join("keys"), &elsewhere).unwrap();
    let error = open(&world, &elsewhere).await.unwrap_err();
    assert!(matches!(error, KeyringError::Foreign { what: "CA", .. }), "{error}");
    std::fs::remove_dir_all(elsewhere.join("ca")).unwrap();
    let ca = world.folder().join("keys/ca");
    std::fs::create_dir(elsewhere.join("ca")).unwrap();
    for name in ["ca.key", "ca.pem"] {
        std::fs::copy(ca.join(name), elsewhere.join("ca").join(name)).unwrap();
    }
    let error = open(&world, &elsewhere).await.unwrap_err();
    assert!(matches!(error, KeyringError::Foreign { what: "receipt key", .. }), "{error}");
    other.stop().await;
    world.stop().await;
}

async fn new_keys_are_made_by_command(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let keys = world.folder().join("keys");
    std::fs::remove_file(keys.join("ca/ca.key")).unwrap();
    let (store, now) = (&world.app.store, world.clock.now());
    let vague = Keyring::replace(store, &keys, now, "lost").await;
    assert!(matches!(vague, Err(KeyringError::Reason)));
    let made = Keyring::replace(store, &keys, now, "the disk with the keys died").await.unwrap();
    let opened = open(&world, &keys).await.unwrap();
    assert_eq!(opened.ca.fingerprint(), made.ca.fingerprint());
    assert_ne!(opened.ca.pem(), world.ca.pem());
    // What was left of the old ones is kept, and their certificates have ended.
    let aside = keys.join(format!("replaced-{}", now.unix_timestamp()));
    assert!(aside.join("receipt.key").exists() && aside.join("ca/ca.pem").exists());
    let answer = road_box.announce(&road_box.sealed(road_box.next())).await;
    assert_eq!(answer.refusal(), (403, "revoked_device".into()));
    assert!(world.verify().await.ok);
    world.stop().await;
}
