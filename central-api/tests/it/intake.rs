//! Evidence comes in over real mutual TLS: once whatever is repeated, and from the right box only.

use std::time::Duration;

use contract::FileRole;
use contract::wire::CHUNK_BYTES;
use futures::StreamExt as _;

use crate::support::road_box::{self, Keys};
use crate::support::{Database, World, on_both};

on_both!(
    a_package_becomes_one_case,
    duplicates_at_once_become_one_case,
    an_upload_continues_where_it_broke,
    a_stop_before_joining_the_chunks_is_made_good,
    certificates_decide_who_speaks,
    one_box_gone_wild_is_slowed,
    packages_begun_are_bounded,
    a_slow_line_is_waited_for_and_a_dead_one_is_not,
);

async fn a_package_becomes_one_case(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next());

    let first = road_box.announce(&package).await.progress();
    assert_eq!(first.missing.len(), 6);
    assert!(first.missing.iter().all(|file| file.received == 0));
    assert_eq!(first.receipt, None);
    assert_eq!(world.cases().await, 0);

    let receipt = road_box.deliver(&package).await.unwrap();
    road_box.check_receipt(&receipt, &package, &world.app.receipt_key.verifying_key());
    assert_eq!(world.cases().await, 1);

    // Whatever is sent again changes nothing and gets the same receipt.
    let before = world.snapshot().await;
    assert_eq!(road_box.announce(&package).await.progress().receipt, Some(receipt));
    let (file, content) = package.file(FileRole::Clip);
    let last = content.len() - 1;
    let again = road_box.put_range(package.id(), file.sha256, content, 0, last).await;
    assert_eq!(again.status, 204);
    assert_eq!(world.snapshot().await, before);

    // The next of the chain follows.
    road_box.advance(&package);
    let next = road_box.sealed(road_box.next());
    road_box.deliver(&next).await.unwrap();
    assert_eq!(world.cases().await, 2);
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.packages, report.files, report.incomplete), (2, 12, 0));
    world.stop().await;
}

async fn duplicates_at_once_become_one_case(database: Database) {
    let world = World::new(database).await;
    let road_box = std::sync::Arc::new(world.road_box("edge-01", 1).await);
    let package = road_box.sealed(road_box.next().clip_bytes(CHUNK_BYTES as usize * 2 + 77));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (road_box, package) = (road_box.clone(), package.clone());
            tokio::spawn(async move { road_box.deliver(&package).await.unwrap() })
        })
        .collect();
    let mut receipts = Vec::new();
    for task in tasks {
        receipts.push(task.await.unwrap());
    }
    receipts.dedup();
    assert_eq!(receipts.len(), 1);
    assert_eq!(world.cases().await, 1);
    let received = "SELECT COUNT(*) FROM audit WHERE action = 'evidence.received'";
    assert_eq!(world.count(received).await, 1);
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn an_upload_continues_where_it_broke(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next().clip_bytes(CHUNK_BYTES as usize + 4321));
    let (file, content) = package.file(FileRole::Clip);
    let id = package.id();
    road_box.announce(&package).await.progress();
    let first = road_box.put_range(id, file.sha256, content, 0, 9_999).await;
    assert_eq!(first.status, 204);
    // A chunk repeated is a chunk already there.
    assert_eq!(road_box.put_range(id, file.sha256, content, 0, 9_999).await.status, 204);
    let second = road_box.put_range(id, file.sha256, content, 10_000, 20_000).await;
    assert_eq!(second.status, 204);

    let progress = road_box.announce(&package).await.progress();
    let clip = progress.missing.iter().find(|missing| missing.sha256 == file.sha256).unwrap();
    assert_eq!(clip.received, 20_001);
    road_box.deliver(&package).await.unwrap();
    assert!(world.verify().await.ok);
    // Nothing of the pieces is left.
    assert!(!world.snapshot().await.contains("staging"));
    world.stop().await;
}

async fn a_stop_before_joining_the_chunks_is_made_good(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next());
    road_box.announce(&package).await.progress();
    // As a kill between the last chunk and its joining leaves it.
    for (file, content) in &package.files {
        let (id, content) = (package.id().to_string(), content.clone());
        world.app.evidence.put_chunk(&id, file.sha256, 0, content.into()).await.unwrap();
    }
    let receipt = road_box.announce(&package).await.progress().receipt;
    assert!(receipt.is_some());
    assert_eq!(world.cases().await, 1);
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn certificates_decide_who_speaks(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next());
    let base = world.device_base();

    // No certificate, or another CA's: not even HTTP.
    let bare = road_box::client(world.ca.pem(), None);
    assert!(bare.post(&base).json(&package.announcement()).send().await.is_err());
    let keys = Keys::generate("edge-01", 1);
    let elsewhere = tempfile::tempdir().unwrap();
    let now = time::OffsetDateTime::now_utc();
    let day = time::Duration::days(1);
    let other = central_api::device::ca::Ca::load_or_create(elsewhere.path(), now).unwrap();
    let forged = other.sign_device(&keys.csr, "edge-01", day, now).unwrap();
    let stranger = road_box::client(world.ca.pem(), Some((&forged.pem, &keys.tls)));
    assert!(stranger.post(&base).json(&package.announcement()).send().await.is_err());

    // Our CA's, but never enrolled.
    let before = world.snapshot().await;
    let unlisted = world.ca.sign_device(&keys.csr, "edge-01", day, now).unwrap();
    let client = road_box::client(world.ca.pem(), Some((&unlisted.pem, &keys.tls)));
    let answer = road_box.send(client.post(&base).json(&package.announcement())).await;
    assert_eq!(answer.refusal(), (403, "unknown_device".into()));
    assert_eq!(world.snapshot().await, before);

    // Renewed: the old certificate ends, the new one works, the chain goes on.
    let renewed = world.road_box("edge-01", 2).await;
    let answer = road_box.announce(&package).await;
    assert_eq!(answer.refusal(), (403, "revoked_device".into()));
    renewed.deliver(&package).await.expect("sealed with the key before the renewal");

    central_api::device::enrol::revoke(&world.app.store, now, "edge-01").await.unwrap();
    let answer = renewed.announce(&package).await;
    assert_eq!(answer.refusal(), (403, "revoked_device".into()));
    world.stop().await;
}

async fn one_box_gone_wild_is_slowed(database: Database) {
    let world = World::with(database, |config| {
        config.device.requests_per_second = 1;
        config.device.burst = 2;
    })
    .await;
    let wild = world.road_box("edge-01", 1).await;
    let calm = world.road_box("edge-02", 2).await;
    let package = wild.sealed(wild.next());
    wild.announce(&package).await.progress();
    wild.announce(&package).await.progress();
    assert_eq!(wild.announce(&package).await.refusal(), (429, "rate_limited".into()));
    calm.announce(&calm.sealed(calm.next())).await.progress();
    world.clock.advance(time::Duration::seconds(1));
    wild.announce(&package).await.progress();
    world.stop().await;
}

async fn packages_begun_are_bounded(database: Database) {
    let world = World::with(database, |config| config.device.max_open_packages = 2).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let mut begun = Vec::new();
    for _ in 0..2 {
        let package = road_box.sealed(road_box.next());
        road_box.announce(&package).await.progress();
        road_box.advance(&package);
        begun.push(package);
    }
    let third = road_box.sealed(road_box.next());
    let before = world.snapshot().await;
    assert_eq!(road_box.announce(&third).await.refusal(), (429, "too_many_open".into()));
    assert_eq!(world.snapshot().await, before);
    road_box.deliver(&begun[0]).await.unwrap();
    road_box.announce(&third).await.progress();
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.packages, report.incomplete), (1, 2));
    world.stop().await;
}

async fn a_slow_line_is_waited_for_and_a_dead_one_is_not(database: Database) {
    let world = World::with(database, |config| config.device.request_timeout_seconds = 1).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next());
    road_box.announce(&package).await.progress();
    let (file, content) = package.file(FileRole::Clip);
    let range = format!("bytes 0-{}/{}", content.len() - 1, content.len());
    // Six parts, the first at once; then `pause` before each further one.
    let send = async |pause: Duration| {
        let parts: Vec<_> = content.chunks(content.len().div_ceil(6)).map(<[u8]>::to_vec).collect();
        let parts = futures::stream::iter(parts.into_iter().enumerate()).then(
            move |(at, part)| async move {
                tokio::time::sleep(if at == 0 { Duration::ZERO } else { pause }).await;
                Ok::<_, std::io::Error>(part)
            },
        );
        let request = road_box
            .put(package.id(), file.sha256)
            .header("Content-Range", &range)
            .header("Content-Length", content.len())
            .body(reqwest::Body::wrap_stream(parts));
        road_box.send(request).await
    };
    // Twice the time in all, never half of it without a byte.
    assert_eq!(send(Duration::from_millis(400)).await.status, 204);
    let left = road_box.announce(&package).await.progress().missing;
    assert!(left.iter().all(|missing| missing.sha256 != file.sha256), "{left:?}");
    let (status, code) = send(Duration::from_millis(2500)).await.refusal();
    assert_eq!((status, code.as_str()), (408, "timeout"));
    world.stop().await;
}
