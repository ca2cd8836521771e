//! Every bad upload gets its precise answer and changes nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use contract::manifest::MAX_MANIFEST_BYTES;
use contract::seal::{Purpose, SigningKey};
use contract::wire::{Announcement, CHUNK_BYTES};
use contract::{Digest, FileRole};
use reqwest::{Body, RequestBuilder};
use time::Duration;
use uuid::Uuid;

use crate::support::{Database, Package, RoadBox, World, on_both};

on_both!(announcements, chunks, wrong_content);

/// Sends, and checks both the answer and that nothing moved.
async fn refuse(
    world: &World,
    road_box: &RoadBox,
    what: &str,
    request: RequestBuilder,
    expected: (u16, &str),
) -> String {
    let before = world.snapshot().await;
    let answer = road_box.send(request).await;
    let (status, code) = answer.refusal();
    assert_eq!((status, code.as_str()), expected, "{what}: {}", answer.problem().detail);
    assert_eq!(world.snapshot().await, before, "{what}");
    answer.problem().detail
}

async fn announcements(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let other = world.road_box("edge-02", 2).await;
    // One package is in, so that there is something to replay.
    let known = road_box.sealed(road_box.next());
    road_box.deliver(&known).await.unwrap();
    road_box.advance(&known);
    let good = road_box.sealed(road_box.next());

    let post = || road_box.client.post(&road_box.base);
    let raw = |bytes: &[u8], seal: &str| {
        post().json(&Announcement { manifest: B64.encode(bytes), seal: seal.to_owned() })
    };
    let sent = |package: &Package| post().json(&package.announcement());
    let build = || road_box.next();
    let seal = |package| road_box.sealed(package);

    let mut tampered = good.bytes.clone();
    let at = tampered.windows(5).position(|window| window == b"cam-1").unwrap();
    tampered[at + 4] ^= 1;
    let huge = vec![b' '; MAX_MANIFEST_BYTES + 1];
    let huge_seal = road_box.keys.seal.sign_detached(Purpose::Manifest, &huge);
    let stranger = SigningKey::from_seed(&[99; 32]);
    let receipt_like = road_box.keys.seal.sign_detached(Purpose::Receipt, &good.bytes);
    let foreign = seal(build().with(|manifest| manifest.device.id = "edge-02".into()));
    let future = central_api::clock::Clock::now(&*world.clock) + Duration::seconds(31);
    let not_found = road_box.client.post(format!("{}/nowhere", road_box.base));
    let gap = build().after(4, Some(Digest::of(b"unseen")));
    let known_id = known.id();

    let cases: Vec<(&str, RequestBuilder, (u16, &str))> = vec![
        ("no JSON", post().body("hello"), (400, "bad_request")),
        ("empty", post().body(""), (400, "bad_request")),
        ("cut off", post().body(r#"{"manifest":"e30=","se"#), (400, "bad_request")),
        (
            "no base64",
            post().json(&Announcement { manifest: "*".into(), seal: good.seal.clone() }),
            (400, "bad_request"),
        ),
        ("huge body", post().body(vec![b'x'; 300_000]), (413, "too_large")),
        ("huge manifest", raw(&huge, &huge_seal), (413, "too_large")),
        ("one bit of the manifest", raw(&tampered, &good.seal), (422, "bad_seal")),
        ("no seal", raw(&good.bytes, ""), (422, "bad_seal")),
        ("seal cut off", raw(&good.bytes, &good.seal[..40]), (422, "bad_seal")),
        ("another's seal", sent(&build().seal(&stranger)), (422, "bad_seal")),
        ("a seal for receipts", raw(&good.bytes, &receipt_like), (422, "bad_seal")),
        (
            "another version",
            sent(&seal(build().with(|manifest| manifest.version = 3))),
            (422, "bad_manifest"),
        ),
        (
            "empty place",
            sent(&seal(build().with(|manifest| manifest.camera.place.clear()))),
            (422, "bad_manifest"),
        ),
        (
            "clock unknown",
            sent(&seal(build().with(|manifest| {
                manifest.clock.source = contract::manifest::ClockSource::Unknown;
            }))),
            (422, "bad_manifest"),
        ),
        ("another's name", sent(&foreign), (403, "foreign_device")),
        ("another's package", sent(&other.sealed(other.next())), (403, "foreign_device")),
        (
            "from the future",
            sent(&seal(build().with(|manifest| manifest.violation.at = future))),
            (422, "capture_in_future"),
        ),
        ("a gap", sent(&seal(gap)), (409, "out_of_order")),
        ("replayed number", sent(&seal(build().after(1, None))), (409, "out_of_order")),
        (
            "another predecessor",
            sent(&seal(build().after(2, Some(Digest::of(b"other"))))),
            (409, "broken_chain"),
        ),
        (
            "known id, other content",
            sent(&seal(build().with(|manifest| manifest.evidence_id = known_id))),
            (409, "evidence_conflict"),
        ),
        (
            "known id from another box",
            other.client.post(&other.base).json(
                &other
                    .sealed(other.next().with(|manifest| manifest.evidence_id = known_id))
                    .announcement(),
            ),
            (409, "evidence_conflict"),
        ),
        ("wrong address", not_found, (404, "not_found")),
        ("wrong method", road_box.client.get(&road_box.base), (405, "method_not_allowed")),
    ];
    for (what, request, expected) in cases {
        let detail = refuse(&world, &road_box, what, request, expected).await;
        if what == "a gap" {
            assert!(detail.contains("2 is next"), "{detail}");
        }
    }
    let gap = road_box.next().after(4, Some(Digest::of(b"unseen")));
    let answer = road_box.announce(&road_box.sealed(gap)).await;
    let members: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(members["expected"], 2);
    // After all that the right one still goes in.
    road_box.deliver(&good).await.unwrap();
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn chunks(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let other = world.road_box("edge-02", 2).await;
    let package = road_box.sealed(road_box.next().clip_bytes(5000));
    road_box.announce(&package).await.progress();
    let (file, content) = package.file(FileRole::Clip);
    let (id, sha256) = (package.id(), file.sha256);
    let arrived = road_box.put_range(id, sha256, content, 0, 999).await;
    assert_eq!(arrived.status, 204);

    let put = |range: &str, body: &[u8]| {
        road_box.put(id, sha256).header("Content-Range", range).body(body.to_vec())
    };
    let over = CHUNK_BYTES as usize + 1;
    // A streamed body has no length up front.
    let streamed = Body::wrap_stream(futures::stream::iter(
        (0..3).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 600_000])),
    ));
    let elsewhere = |id: Uuid, sha256: Digest| {
        road_box.put(id, sha256).header("Content-Range", "bytes 0-4/5000").body("abcde")
    };
    let cases: Vec<(&str, RequestBuilder, (u16, &str))> = vec![
        ("no range", road_box.put(id, sha256).body("abc"), (400, "bad_range")),
        ("strange range", put("bytes 1000-/5000", b"abc"), (400, "bad_range")),
        ("range beyond the total", put("bytes 4999-5000/5000", b"ab"), (400, "bad_range")),
        ("backwards", put("bytes 1005-1000/5000", b"ab"), (400, "bad_range")),
        ("body too short", put("bytes 1000-1999/5000", b"abc"), (400, "truncated")),
        ("body too long", put("bytes 1000-1001/5000", b"abc"), (400, "truncated")),
        (
            "chunk too large",
            put(&format!("bytes 0-{}/5000000", over - 1), &vec![0; over]),
            (413, "too_large"),
        ),
        ("body much too large", put("bytes 1000-1001/5000", &vec![0; over]), (413, "too_large")),
        (
            "endless body",
            road_box.put(id, sha256).header("Content-Range", "bytes 1000-1001/5000").body(streamed),
            (413, "too_large"),
        ),
        ("another total", put("bytes 1000-1001/5001", b"ab"), (422, "content_mismatch")),
        ("a gap", put("bytes 1001-1002/5000", b"ab"), (409, "chunk_gap")),
        ("an overlap", put("bytes 999-1000/5000", b"ab"), (409, "chunk_overlap")),
        ("unknown evidence", elsewhere(Uuid::now_v7(), sha256), (404, "unknown_evidence")),
        ("unknown file", elsewhere(id, Digest::of(b"?")), (404, "unknown_file")),
        (
            "another box's evidence",
            other.put(id, sha256).header("Content-Range", "bytes 1000-1001/5000").body("ab"),
            (403, "foreign_device"),
        ),
        (
            "no id",
            road_box.client.put(format!("{}/..%2f../files/{sha256}", road_box.base)).body("x"),
            (404, "unknown_evidence"),
        ),
    ];
    for (what, request, expected) in cases {
        refuse(&world, &road_box, what, request, expected).await;
    }
    road_box.deliver(&package).await.unwrap();
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn wrong_content(database: Database) {
    let world = World::new(database).await;
    let road_box = world.road_box("edge-01", 1).await;
    let package = road_box.sealed(road_box.next().clip_bytes(3000));
    road_box.announce(&package).await.progress();
    let (file, content) = package.file(FileRole::Clip);
    let mut wrong = content.clone();
    wrong[2500] ^= 0x10;

    // In one piece.
    let request =
        road_box.put(package.id(), file.sha256).header("Content-Range", "bytes 0-2999/3000");
    let expected = (422, "content_mismatch");
    let detail = refuse(&world, &road_box, "whole", request.body(wrong.clone()), expected).await;
    assert!(detail.starts_with("clip.mp4: SHA-256"), "{detail}");

    // In two: the end shows it, and what had come before is dropped as well.
    let before = world.snapshot().await;
    let first = road_box.put_range(package.id(), file.sha256, &wrong, 0, 1999).await;
    assert_eq!(first.status, 204);
    let second = road_box.put_range(package.id(), file.sha256, &wrong, 2000, 2999).await;
    assert_eq!(second.refusal(), (422, "content_mismatch".into()));
    assert_eq!(world.snapshot().await, before);
    assert_eq!(world.cases().await, 0);

    road_box.deliver(&package).await.unwrap();
    assert_eq!(world.cases().await, 1);
    assert!(world.verify().await.ok);
    world.stop().await;
}
