//! Releases at the double of the central: signed here, given to whoever asks, the line cut when told.

use std::collections::BTreeMap;
use std::path::Path as FsPath;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use contract::Digest;
use contract::release::{FORMAT, File, Offer, PROGRAM, RELEASE_FILE, RELEASE_SEAL, Release};
use contract::seal::{Purpose, SigningKey};
use time::macros::datetime;

/// What may be asked for.
#[derive(Clone, Default)]
pub struct Releases(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    offer: Option<Offer>,
    files: BTreeMap<Digest, Vec<u8>>,
    /// So many more pieces are handed out.
    left: Option<usize>,
    sent: u64,
}

/// The key that signs them.
pub fn release_key() -> SigningKey {
    SigningKey::from_seed(&[77; 32])
}

/// Files by path.
pub type Content = Vec<(String, Vec<u8>)>;

/// A release of these files, described and signed.
pub fn signed(number: u64, content: &Content) -> Offer {
    let mut files: Vec<File> = content
        .iter()
        .map(|(path, bytes)| File {
            path: path.clone(),
            bytes: bytes.len() as u64,
            sha256: Digest::of(bytes),
            executable: path == PROGRAM,
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let release = Release {
        format: FORMAT,
        number,
        version: format!("test {number}"),
        created: datetime!(2026-11-29 10:00 UTC),
        target: std::env::consts::ARCH.into(),
        over: 0,
        files,
    };
    let bytes = release.to_bytes();
    let seal = release_key().sign_detached(Purpose::Release, &bytes);
    Offer { release: String::from_utf8(bytes).unwrap(), seal }
}

/// The same as an agent leaves it, staged whole under its number.
pub fn stage(root: &FsPath, number: u64, content: &Content) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = root.join("releases").join(number.to_string());
    for (path, bytes) in content {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let offer = signed(number, content);
    std::fs::write(folder.join(RELEASE_FILE), offer.release).unwrap();
    std::fs::write(folder.join(RELEASE_SEAL), offer.seal).unwrap();
}

impl Releases {
    pub fn give(&self, number: u64, content: &Content) {
        let mut held = self.0.lock().unwrap();
        held.offer = Some(signed(number, content));
        held.files = content.iter().map(|(_, it)| (Digest::of(it), it.clone())).collect();
    }

    pub fn cut_after(&self, pieces: Option<usize>) {
        self.0.lock().unwrap().left = pieces;
    }

    /// Bytes of files that were handed out.
    pub fn sent(&self) -> u64 {
        self.0.lock().unwrap().sent
    }
}

pub fn router(releases: &Releases) -> Router {
    Router::new()
        .route("/device/v1/release", get(offer))
        .route("/device/v1/release/files/{sha256}", get(file))
        .with_state(releases.clone())
}

async fn offer(State(releases): State<Releases>) -> Response {
    match releases.0.lock().unwrap().offer.clone() {
        Some(offer) => Json(offer).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn file(
    State(releases): State<Releases>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut held = releases.0.lock().unwrap();
    if let Some(left) = &mut held.left {
        if *left == 0 {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        *left -= 1;
    }
    let range = headers["range"].to_str().unwrap().strip_prefix("bytes=").unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let [first, last] = [first, last].map(|text| text.parse::<usize>().unwrap());
    let part = held.files[&sha256.parse::<Digest>().unwrap()][first..=last].to_vec();
    held.sent += part.len() as u64;
    (StatusCode::PARTIAL_CONTENT, part).into_response()
}
