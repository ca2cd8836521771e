//! One flipped bit anywhere is found and named, in a folder and in the store.

use std::path::Path;

use central_api::device::settle::{self, SettleError};
use central_api::verify::{Depth, Finding, verify_package, verify_view};
use contract::FileRole;

use crate::support::{Database, PackageBuilder, World, on_both};

on_both!(
    the_store_names_what_fails,
    a_store_that_takes_packages_meanwhile_verifies,
    a_settled_gap_lets_the_box_go_on_and_stays_named,
);

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_package_names_what_fails() {
    let key = contract::seal::SigningKey::from_seed(&[5; 32]);
    let at = time::macros::datetime!(2026-11-20 10:00 +07:00);
    let package = PackageBuilder::new("edge-01", at).seal(&key);
    let folder = tempfile::tempdir().unwrap();
    package.write_to(folder.path());
    let public = key.verifying_key();
    let whole = verify_package(folder.path(), &public, Depth::Seals);
    assert!(whole.ok, "{:?}", whole.findings);
    assert_eq!(whole.files, 6);

    for (file, at, named) in [
        ("manifest.json", 300, "manifest.json"),
        ("before.jpg", 0, "before.jpg"),
        ("on.jpg", 1000, "on.jpg"),
        ("clip.mp4", 2999, "clip.mp4"),
    ] {
        let path = folder.path().join(file);
        flip(&path, at);
        let report = verify_package(folder.path(), &public, Depth::Seals);
        assert!(!report.ok);
        let subjects: Vec<_> = report.findings.iter().map(|f| f.subject.as_str()).collect();
        assert_eq!(subjects, [named]);
        flip(&path, at);
    }
    // The seal itself: its last character carries bits of the signature.
    let seal = folder.path().join("manifest.jws");
    std::fs::write(&seal, format!("A{}", package.seal)).unwrap();
    let report = verify_package(folder.path(), &public, Depth::Seals);
    assert_eq!(report.findings[0].subject, "manifest.jws");
    std::fs::write(&seal, &package.seal).unwrap();

    let other = contract::seal::SigningKey::from_seed(&[6; 32]).verifying_key();
    assert_eq!(
        verify_package(folder.path(), &other, Depth::Seals).findings[0].subject,
        "manifest.jws"
    );

    std::fs::remove_file(folder.path().join("on.jpg")).unwrap();
    std::fs::write(folder.path().join("clip.mp4"), b"short").unwrap();
    let report = verify_package(folder.path(), &public, Depth::Seals);
    let found: Vec<_> =
        report.findings.iter().map(|f| (f.subject.as_str(), f.problem.as_str())).collect();
    assert_eq!(found, [("on.jpg", "missing"), ("clip.mp4", "5 bytes, the manifest says 3000")]);

    // What would never end is not read.
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("on.jpg")).unwrap();
    let report = verify_package(folder.path(), &public, Depth::Seals);
    assert_eq!(report.findings[0].problem, "is no file");
}

/// A package that comes whole between two reads of one verification is no finding.
async fn a_store_that_takes_packages_meanwhile_verifies(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let whole = road_box.sealed(road_box.next());
    road_box.deliver(&whole).await.unwrap();
    road_box.advance(&whole);
    let announced = road_box.sealed(road_box.next());
    road_box.announce(&announced).await;

    let mut view = world.app.store.snapshot().await.unwrap();
    sqlx::query("SELECT COUNT(*) FROM evidence").fetch_one(&mut *view).await.unwrap();
    road_box.deliver(&announced).await.unwrap();
    road_box.advance(&announced);
    let next = road_box.sealed(road_box.next());
    road_box.deliver(&next).await.unwrap();

    let (evidence, law) = (&world.app.evidence, &world.app.law);
    let report = verify_view(&mut view, evidence, law, Depth::Seals).await.unwrap();
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!((report.packages, report.incomplete), (1, 1));
    drop(view);
    let after = world.verify().await;
    assert_eq!((after.ok, after.packages, after.incomplete), (true, 3, 0));
}

async fn a_settled_gap_lets_the_box_go_on_and_stays_named(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    // Five were sealed; the second to the fourth died with the box's disk.
    for lost in [false, true, true, true] {
        let package = road_box.sealed(road_box.next());
        if !lost {
            road_box.deliver(&package).await.unwrap();
        }
        road_box.advance(&package);
    }
    let fifth = road_box.sealed(road_box.next());
    assert_eq!(road_box.announce(&fifth).await.problem().expected, Some(2));
    let store = &world.app.store;
    let at = time::OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap();
    let settle = async |id, next, reason| settle::settle(store, at, id, next, reason).await;
    let error = settle("edge-01", 2, "the disk of the box died").await.unwrap_err();
    assert!(error.to_string().contains("ends at 1"), "{error}");
    assert!(matches!(settle("edge-01", 5, "lost").await, Err(SettleError::Reason)));
    assert!(matches!(settle("edge-09", 5, "disk died").await, Err(SettleError::Reason)));
    let unknown = settle("edge-09", 5, "the disk of the box died").await;
    assert!(matches!(unknown, Err(SettleError::Unknown(_))));
    // Settled for another number than the one that comes: nothing changes.
    assert_eq!(settle("edge-01", 4, "the disk of the box died").await.unwrap(), 2);
    assert_eq!(road_box.announce(&fifth).await.refusal(), (409, "out_of_order".into()));
    assert_eq!(settle("edge-01", 5, "the disk of the box died").await.unwrap(), 3);
    road_box.deliver(&fifth).await.unwrap();
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert_eq!(report.settled.len(), 1);
    let told = &report.settled[0].problem;
    assert!(told.contains("sequence 2 to 4 missing before 5; settled on 2026-01-01"), "{told}");
    world.stop().await;
}

async fn the_store_names_what_fails(database: Database) {
    let world = World::new(database).await;
    let mut road_box = world.road_box("edge-01", 1).await;
    let mut packages = Vec::new();
    for _ in 0..3 {
        let package = road_box.sealed(road_box.next());
        road_box.deliver(&package).await.unwrap();
        road_box.advance(&package);
        packages.push(package);
    }
    let report = world.verify().await;
    assert!(report.ok, "{:?}", report.findings);
    assert!(report.audit_head.is_some());

    let id = packages[1].id();
    let folder = world.folder().join("evidence/packages").join(id.to_string());
    let expect = async |subject: String| {
        let findings = world.verify().await.findings;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].subject, subject);
    };
    for name in ["manifest.json", "manifest.jws", "past.jpg", "closeup.jpg", "clip.mp4"] {
        let path = folder.join(name);
        flip(&path, 33);
        expect(format!("evidence {id}: {name}")).await;
        flip(&path, 33);
    }
    let clip = folder.join(&packages[1].file(FileRole::Clip).0.name);
    let content = std::fs::read(&clip).unwrap();
    std::fs::remove_file(&clip).unwrap();
    let findings = world.verify().await.findings;
    let missing =
        Finding { subject: format!("evidence {id}: clip.mp4"), problem: "missing".into() };
    assert_eq!(findings, [missing]);
    std::fs::write(&clip, content).unwrap();

    // A hand in the database.
    let run = async |sql: &'static str| {
        sqlx::query(sql).execute(world.app.store.pool()).await.unwrap();
        world.verify().await.findings
    };
    let findings = run("UPDATE devices SET head_sequence = 2").await;
    assert_eq!(findings[0].subject, "device edge-01");
    run("UPDATE devices SET head_sequence = 3").await;
    let findings = run("UPDATE evidence SET sequence = 9 WHERE sequence = 3").await;
    assert!(findings[0].problem.contains("sequence 3 to 8 missing"), "{findings:?}");
    run("UPDATE evidence SET sequence = 3 WHERE sequence = 9").await;
    let findings = run("UPDATE audit SET detail = '{}' WHERE seq = 2").await;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].problem.contains("row 2"), "{findings:?}");
    world.stop().await;
}
