use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use contract::release::{FORMAT, PROGRAM};
use contract::seal::{Purpose, SigningKey};
use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::update::folder::Undone;

const NOW: time::OffsetDateTime = datetime!(2026-11-29 10:00 UTC);

fn key() -> SigningKey {
    SigningKey::from_seed(&[5; 32])
}

/// Files by path.
type Content<'a> = &'a [(&'a str, &'a [u8])];

const FIRST: Content<'_> = &[
    ("models/reader.onnx", &[1; 3000]),
    (PROGRAM, b"#!/bin/sh\nexit 0\n"),
    ("settings/fleet.toml", b"# none\n"),
];

/// A release as it is signed elsewhere.
fn signed(number: u64, content: Content<'_>, change: impl FnOnce(&mut Release)) -> Offer {
    let file = |(path, bytes): &(&str, &[u8])| File {
        path: (*path).into(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        executable: *path == PROGRAM,
    };
    let mut release = Release {
        format: FORMAT,
        number,
        version: "test".into(),
        created: NOW,
        target: std::env::consts::ARCH.into(),
        over: 0,
        files: content.iter().map(file).collect(),
    };
    change(&mut release);
    let bytes = release.to_bytes();
    let seal = key().sign_detached(Purpose::Release, &bytes);
    Offer { release: String::from_utf8(bytes).unwrap(), seal }
}

/// A central in memory that counts, and cuts the line when told.
#[derive(Default)]
struct Memory {
    files: BTreeMap<Digest, Vec<u8>>,
    fetched: u64,
    left: Option<usize>,
}

impl Memory {
    fn of(content: Content<'_>) -> Self {
        let files = content.iter().map(|(_, bytes)| (Digest::of(bytes), bytes.to_vec()));
        Self { files: files.collect(), ..Self::default() }
    }
}

impl Files for Memory {
    fn chunk(&self) -> u64 {
        1000
    }

    async fn fetch(&mut self, sha256: Digest, first: u64, last: u64) -> Result<Bytes, String> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1).ok_or("the line is cut")?;
        }
        // As on a line: others get their turn.
        tokio::task::yield_now().await;
        let part = self.files[&sha256][first as usize..=last as usize].to_vec();
        self.fetched += part.len() as u64;
        Ok(part.into())
    }
}

struct RoadBox {
    stager: Stager,
    root: TempDir,
}

fn road_box() -> RoadBox {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::open(root.path()).unwrap();
    let keys = vec![key().verifying_key()];
    RoadBox { stager: Stager { folder, keys, reserve: 0 }, root }
}

impl RoadBox {
    async fn take(&self, offer: &Offer, files: &mut Memory) -> Result<Release, UpdateError> {
        let release = self.stager.judge(offer)?.expect("is no news");
        self.stager.stage(offer, &release, files, |_| {}).await?;
        self.stager.folder.verified(release.number, &self.stager.keys)
    }

    fn prove(&self, number: u64) {
        let standing = Standing { proven: number, highest: number, ..Standing::default() };
        self.stager.folder.stand(&standing).unwrap();
    }

    fn refusal(&self, offer: &Offer) -> String {
        self.stager.judge(offer).unwrap_err().to_string()
    }
}

#[tokio::test]
async fn only_what_an_earlier_release_lacks_is_fetched() {
    let it = road_box();
    let mut files = Memory::of(FIRST);
    let first = it.take(&signed(7, FIRST, |_| {}), &mut files).await.unwrap();
    assert_eq!(files.fetched, first.bytes());
    it.prove(7);
    let second: Content<'_> = &[FIRST[0], FIRST[1], ("settings/fleet.toml", b"# two\n")];
    let mut files = Memory::of(second);
    it.take(&signed(9, second, |_| {}), &mut files).await.unwrap();
    assert_eq!(files.fetched, 6);
    let inode = |number: u64, path: &str| {
        it.stager.folder.release(number).join(path).metadata().unwrap().ino()
    };
    assert_eq!(inode(7, FIRST[0].0), inode(9, FIRST[0].0), "one file under two names");
    let mode = |path| it.stager.folder.release(9).join(path).metadata().unwrap().mode() & 0o777;
    assert_eq!([PROGRAM, FIRST[0].0].map(mode), [0o700, 0o600]);
    // Nothing is left on the way.
    assert!(disk::folders(&it.stager.folder.incoming()).unwrap().is_empty());
}

#[tokio::test]
async fn a_cut_fetch_goes_on_where_it_was_cut() {
    let it = road_box();
    let offer = signed(7, FIRST, |_| {});
    let mut files = Memory::of(FIRST);
    for _ in 0..5 {
        files.left = Some(1);
        let cut = it.take(&offer, &mut files).await;
        match cut {
            Ok(_) => break,
            Err(error) => assert_eq!(error.to_string(), "the line is cut"),
        }
        assert!(it.stager.folder.numbers().unwrap().is_empty(), "half a release has no number");
    }
    let whole: usize = FIRST.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(files.fetched, whole as u64, "no byte twice");
    assert_eq!(it.stager.folder.numbers().unwrap(), [7]);
}

#[test]
fn dropped_at_any_moment_it_is_whole_in_the_end() {
    use std::task::Poll;
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for polls in 0..40 {
        let it = road_box();
        let offer = signed(7, FIRST, |_| {});
        let mut files = Memory::of(FIRST);
        let release = it.stager.judge(&offer).unwrap().unwrap();
        // Its end waits for what is being done to files, which a process's end would cut.
        runtime().block_on(async {
            let mut staging = std::pin::pin!(it.stager.stage(&offer, &release, &mut files, |_| {}));
            for _ in 0..polls {
                let ended = std::future::poll_fn(|context| {
                    Poll::Ready(staging.as_mut().poll(context).is_ready())
                });
                if ended.await {
                    break;
                }
                // File work goes on beside it.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        });
        if it.stager.folder.numbers().unwrap() == [7] {
            it.stager.folder.verified(7, &it.stager.keys).unwrap();
        }
        runtime().block_on(it.take(&offer, &mut files)).unwrap();
    }
}

#[tokio::test]
async fn other_bytes_are_named_and_not_kept() {
    let it = road_box();
    let offer = signed(7, FIRST, |_| {});
    let mut files = Memory::of(FIRST);
    let reader = files.files.get_mut(&Digest::of(FIRST[0].1)).unwrap();
    reader[1500] ^= 1;
    let said = it.take(&offer, &mut files).await.unwrap_err().to_string();
    assert!(said.contains("models/reader.onnx: came with other bytes"), "{said}");
    let reader = files.files.get_mut(&Digest::of(FIRST[0].1)).unwrap();
    reader[1500] ^= 1;
    it.take(&offer, &mut files).await.unwrap();

    // A file that changed on the disk is no release, and gives none to another.
    std::fs::write(it.stager.folder.release(7).join(FIRST[0].0), [2; 3000]).unwrap();
    let said = it.stager.folder.verified(7, &it.stager.keys).unwrap_err().to_string();
    assert!(said.contains("models/reader.onnx: is not the file that was signed"), "{said}");
    it.prove(7);
    files.fetched = 0;
    it.take(&signed(8, FIRST, |_| {}), &mut files).await.unwrap();
    assert_eq!(files.fetched, 3000);
    drop(it.root);
}

#[tokio::test]
async fn what_is_not_for_this_box_is_refused_by_name() {
    let it = road_box();
    let good = signed(7, FIRST, |_| {});
    let seal =
        SigningKey::from_seed(&[6; 32]).sign_detached(Purpose::Release, good.release.as_bytes());
    let said = it.refusal(&Offer { seal, ..good.clone() });
    assert!(said.contains("seal was made with key"), "{said}");
    let said = it
        .refusal(&Offer { release: good.release.replace("\"test\"", "\"tost\""), ..good.clone() });
    assert!(said.contains("they were changed"), "{said}");
    let said =
        it.refusal(&signed(7, FIRST, |it| it.files[0].path = "models/../../../etc/x".into()));
    assert!(said.contains("models/../../../etc/x") && said.contains("is no path inside"), "{said}");
    let said = it.refusal(&signed(7, FIRST, |it| it.target = "s390x".into()));
    assert!(said.contains("is for s390x processors"), "{said}");
    let said = it.refusal(&signed(7, FIRST, |it| it.over = 5));
    assert!(said.contains("may follow release 5 or a later one, this box runs 0"), "{said}");

    it.prove(7);
    assert_eq!(it.stager.judge(&good).unwrap(), None, "runs already");
    let said = it.refusal(&signed(6, FIRST, |_| {}));
    assert!(said.contains("release 6 is not newer than release 7"), "{said}");
    // What was undone or did not pass is not tried again, and nothing before it.
    let refused = Undone { number: 9, reason: "x".into(), at: NOW };
    it.stager.folder.refuse(&refused).unwrap();
    assert_eq!(it.stager.judge(&signed(9, FIRST, |_| {})).unwrap(), None);
    assert!(it.refusal(&signed(8, FIRST, |_| {})).contains("not newer than release 9"));

    let full = Stager { reserve: u64::MAX / 2, ..it.stager.clone() };
    let offer = signed(10, &[("models/new", b"new")], |_| {});
    let release = full.judge(&offer).unwrap().unwrap();
    let said = full.stage(&offer, &release, &mut Memory::default(), |_| {}).await.unwrap_err();
    assert!(said.to_string().contains("3 bytes are to be fetched"), "{said}");
}
