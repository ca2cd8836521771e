//! Releases over mutual TLS: only what was signed offline is published, a box gets what it was given
//! and no other's files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use central_api::admin::users::Role;
use central_api::release::{self, NewRelease, Refusal, To};
use contract::Digest;
use contract::release::{Offer, PROGRAM, RELEASE_FILE, RELEASE_SEAL, Release};
use contract::report::{Undone, Update};
use contract::seal::{SigningKey, VerifyingKey};
use contract::wire::CHUNK_BYTES;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;
use crate::support::road_box::Answer;
use crate::support::{Database, RoadBox, World, on_both};

on_both!(a_box_gets_what_it_was_given_and_no_other_s_files, only_what_was_signed_is_published,);

/// A machine apart, with the release key and folders to sign.
struct Apart {
    folder: tempfile::TempDir,
    public: VerifyingKey,
}

impl Apart {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let public = release::new_key(folder.path()).unwrap();
        Self { folder, public }
    }

    fn write(&self, name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let folder = self.folder.path().join(name);
        for (path, content) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            let mode = if path.ends_with(PROGRAM) { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        folder
    }

    fn sign(&self, folder: &Path, number: u64) -> Result<Release, Refusal> {
        let key = self.folder.path().join("release.key");
        let new = NewRelease { number, version: "0.2.0", over: 0, target: "x86_64" };
        release::make(&key, folder, time::OffsetDateTime::now_utc(), &new)
    }

    fn signed(&self, number: u64, files: &[(&str, &[u8])]) -> PathBuf {
        let folder = self.write(&number.to_string(), files);
        self.sign(&folder, number).unwrap();
        folder
    }
}

async fn publish(world: &World, folder: &Path, key: &VerifyingKey) -> Result<usize, Refusal> {
    let (store, evidence) = (&world.app.store, &world.app.evidence);
    let done = release::publish(store, evidence, world.app.clock.now(), folder, key).await?;
    Ok(done.stored)
}

async fn assign(world: &World, number: u64, to: To) -> Result<Vec<String>, Refusal> {
    release::assign(&world.app.store, world.app.clock.now(), number, to).await
}

async fn ask(road_box: &RoadBox) -> Answer {
    road_box.send(road_box.client.get(road_box.base.replace("evidence", "release"))).await
}

async fn part(road_box: &RoadBox, sha256: Digest, range: &str) -> Answer {
    let url = format!("{}/files/{sha256}", road_box.base.replace("evidence", "release"));
    road_box.send(road_box.client.get(url).header("Range", range)).await
}

async fn a_box_gets_what_it_was_given_and_no_other_s_files(database: Database) {
    let world = World::new(database).await;
    let [first, second] = [world.road_box("edge-01", 1).await, world.road_box("edge-02", 2).await];
    let apart = Apart::new();
    let model = vec![7; CHUNK_BYTES as usize + 5];
    let files: &[(&str, &[u8])] = &[(PROGRAM, b"#!/bin/sh\n"), ("models/a.onnx", &model)];
    let folder = apart.signed(7, files);
    assert_eq!(ask(&first).await.status, 204);

    assert_eq!(publish(&world, &folder, &apart.public).await.unwrap(), 2);
    assert_eq!(publish(&world, &folder, &apart.public).await.unwrap(), 0, "again is harmless");
    let kept =
        world.app.config.evidence.folder.join("releases").join(Digest::of(&model).to_string());
    fs::write(&kept, vec![8; model.len()]).unwrap();
    assert_eq!(publish(&world, &folder, &apart.public).await.unwrap(), 1, "and mends");
    assert_eq!(ask(&first).await.status, 204, "published is not given");
    assert_eq!(assign(&world, 7, To::Devices(vec!["edge-01".into()])).await.unwrap(), ["edge-01"]);

    let answer = ask(&first).await;
    assert_eq!(answer.status, 200);
    let offer: Offer = serde_json::from_slice(&answer.body).unwrap();
    let keys = [apart.public.clone()];
    let release = Release::open(&keys, offer.release.as_bytes(), &offer.seal).unwrap();
    assert_eq!((release.number, release.version.as_str()), (7, "0.2.0"));
    let executable: Vec<bool> = release.files.iter().map(|file| file.executable).collect();
    assert_eq!(executable, [false, true]);

    let sha256 = Digest::of(&model);
    let whole = [
        part(&first, sha256, &format!("bytes=0-{}", CHUNK_BYTES - 1)).await,
        part(&first, sha256, &format!("bytes={CHUNK_BYTES}-{}", model.len() - 1)).await,
    ];
    assert!(whole.iter().all(|answer| answer.status == 206));
    assert_eq!([whole[0].body.as_slice(), &whole[1].body].concat(), model);
    for range in
        ["", "bytes=5-4", "bytes=0-1048576", "bytes=0-9999999999", "bytes=0-", "bytes=0-1,3-4"]
    {
        let refused = part(&first, sha256, range).await.refusal();
        assert_eq!(refused, (416, "bad_range".into()), "{range}");
    }
    // What is not of the release that this very box was given is not there.
    for (road_box, sha256) in [(&first, Digest::of(b"x")), (&second, sha256)] {
        let refused = part(road_box, sha256, "bytes=0-1").await.refusal();
        assert_eq!(refused, (404, "unknown_file".into()));
    }
    assert_eq!(ask(&second).await.status, 204);

    // The next one is given to all, but for who is shut out; then to nobody.
    let folder = apart.signed(8, &[("settings/fleet.toml", b"# none\n")]);
    publish(&world, &folder, &apart.public).await.unwrap();
    assert_eq!(assign(&world, 8, To::Share(100)).await.unwrap().len(), 2);
    let offer: Offer = serde_json::from_slice(&ask(&second).await.body).unwrap();
    assert!(offer.release.contains("\"number\": 8"));
    let now = world.app.clock.now();
    assert_eq!(release::withdraw(&world.app.store, now, 8).await.unwrap(), 2);
    assert_eq!(ask(&first).await.status, 204);
    central_api::device::enrol::revoke(&world.app.store, now, "edge-02").await.unwrap();
    assert_eq!(assign(&world, 7, To::Share(100)).await.unwrap(), ["edge-01"]);
    for (number, to, said) in [
        (7, To::Devices(vec!["edge-02".into()]), "device edge-02 is not enrolled, or revoked"),
        (9, To::Share(50), "release 9 is not published"),
    ] {
        let refused = assign(&world, number, to).await.unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
    // Who did it stands in the audit, which holds.
    let rows = "SELECT COUNT(*) FROM audit WHERE subject_kind = 'release'";
    assert_eq!(world.count(rows).await, 6);
    assert!(world.verify().await.ok);
    world.stop().await;
}

async fn only_what_was_signed_is_published(database: Database) {
    let world = World::new(database).await;
    let apart = Apart::new();
    let files: &[(&str, &[u8])] = &[(PROGRAM, b"#!/bin/sh\n"), ("models/a.onnx", b"weights")];
    let folder = apart.signed(7, files);
    let refused = async |folder: &Path, key: &VerifyingKey| {
        publish(&world, folder, key).await.unwrap_err().to_string()
    };
    let foreign = SigningKey::from_seed(&[9; 32]).verifying_key();
    let said = refused(&folder, &foreign).await;
    assert!(said.contains("release.jws: seal was made with key"), "{said}");

    let model = folder.join("models/a.onnx");
    fs::write(&model, b"Weights").unwrap();
    let said = refused(&folder, &apart.public).await;
    assert!(said.contains("models/a.onnx: is not the file that was signed"), "{said}");
    fs::write(&model, b"weights").unwrap();

    let described = folder.join(RELEASE_FILE);
    let text = fs::read_to_string(&described).unwrap();
    fs::write(&described, text.replace("\"number\": 7", "\"number\": 8")).unwrap();
    let said = refused(&folder, &apart.public).await;
    assert!(said.contains("they were changed"), "{said}");
    fs::write(&described, text).unwrap();

    assert_eq!(world.count("SELECT COUNT(*) FROM releases").await, 0);
    publish(&world, &folder, &apart.public).await.unwrap();
    let other = apart.write("other", &[("models/a.onnx", b"other")]);
    apart.sign(&other, 7).unwrap();
    let said = refused(&other, &apart.public).await;
    assert!(said.contains("release 7 is published with other content"), "{said}");
    world.stop().await;
}

#[test]
fn what_cannot_be_released_is_not_signed() {
    let apart = Apart::new();
    let again = release::new_key(apart.folder.path()).unwrap();
    assert_eq!(again, apart.public, "a key is never replaced");
    let refused = |name: &str, files: &[(&str, &[u8])]| {
        let folder = apart.write(name, files);
        let said = apart.sign(&folder, 7).unwrap_err().to_string();
        assert!(!folder.join(RELEASE_SEAL).exists());
        said
    };
    assert!(refused("a", &[("program/other", b"x")]).contains("without an executable"));
    assert!(refused("b", &[("notes/a.txt", b"x")]).contains("files must be 1 to"));
    assert!(refused("c", &[("models/.hidden", b"x")]).contains("has a name that no release may"));
    assert!(refused("d", &[("models/empty", b"")]).contains("is empty"));
    assert!(refused("e", &[("settings/a.json", b"{}")]).contains("must be settings/NAME.toml"));
    let linked = apart.write("f", &[("models/a", b"x")]);
    std::os::unix::fs::symlink("/etc/passwd", linked.join("models/b")).unwrap();
    assert!(apart.sign(&linked, 7).unwrap_err().to_string().contains("is no plain file"));

    let key = apart.folder.path().join("release.key");
    let folder = apart.signed(7, &[("models/a", b"x")]);
    assert!(apart.sign(&folder, 8).unwrap_err().to_string().contains("is there already"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = apart.write("g", &[("models/a", b"x")]);
    assert!(apart.sign(&open, 8).unwrap_err().to_string().contains("readable by others"));
}

#[tokio::test]
async fn the_page_says_what_runs_where_and_what_was_undone() {
    let setting = Setting::new().await;
    setting.user("admin", &[Role::Admin]).await;
    let mut admin = Visitor::officer(&setting.state, "admin").await;
    let now = setting.state.clock.now();
    let word = |update| {
        let mut word = crate::fleet::report(now);
        word.cameras.truncate(1);
        word.update = update;
        Some(word)
    };
    let undone = Undone { release: 13, reason: "camera cam-01 is <failed>".into() };
    let trial = Update { release: 13, on_trial: true, ..Update::default() };
    let back = Update { release: 12, undone: Some(undone), ..Update::default() };
    for (id, update) in [("edge-a", Some(trial)), ("edge-b", Some(back)), ("edge-c", None)] {
        setting.enrolled(id, word(update).as_ref()).await;
    }
    let apart = Apart::new();
    let folder = apart.signed(14, &[("models/a", b"x")]);
    let (store, evidence) = (&setting.state.store, &setting.state.evidence);
    release::publish(store, evidence, now, &folder, &apart.public).await.unwrap();
    release::assign(store, now, 14, To::Devices(vec!["edge-b".into()])).await.unwrap();
    let page = admin.get("/thiet-bi").await.text();
    for text in [
        "Bản 13, đang chạy thử",
        "Bản 12 → 14",
        "Đã bỏ bản phát hành 13: camera cam-01 is &#60;failed&#62;",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let one = admin.get("/thiet-bi/edge-b").await.text();
    assert!(one.contains("Bản phát hành được giao") && one.contains("Bản 12 → 14"), "{one}");
}
