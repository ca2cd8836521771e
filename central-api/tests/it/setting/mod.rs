//! A central service to test against: a fresh database, an evidence folder, a simulated clock, and
//! sealed packages whose cases are open.

pub mod browserless;
pub mod crowd;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use central_api::admin::users::{self, NewUser, Role};
use central_api::audit::{self, Entry};
use central_api::clock::{Clock as _, Simulated};
use central_api::config::Config;
use central_api::device::fleet;
use central_api::evidence::EvidenceStore;
use central_api::store::{Store, to_ms};
use central_api::{AppState, case, law};
use contract::act::Violation;
use contract::facts::{Facts, Lamp, Lit, Measured, Signal, Unit as In};
use contract::manifest::{
    BASIS_FILE, Camera, Clock, ClockSource, Device, File, FileRole, Manifest, ModelUsed,
    PlateReading, SourceKind, Unit, Verification,
};
use contract::package::{MANIFEST_FILE, SEAL_FILE, open_manifest};
use contract::plate::{PlateClass, PlateColour};
use contract::report::Report;
use contract::seal::{Purpose, SigningKey, VerifyingKey};
use contract::{Act, Digest, Movement, VehicleClass};
use sqlx::Row as _;
use time::OffsetDateTime;
use time::macros::{date, datetime};
use uuid::Uuid;

use crate::support::Database;
use crate::support::moments;

pub const PASSWORD: &str = "mat khau thu nghiem";
pub const DEVICE: &str = "box-01";
pub const START: OffsetDateTime = datetime!(2026-11-21 01:20:00 UTC);

/// The service's state and what keeps it alive.
pub struct Setting {
    pub state: AppState,
    pub clock: Arc<Simulated>,
    pub folder: tempfile::TempDir,
    key: SigningKey,
}

impl Setting {
    /// On SQLite, the default.
    pub async fn new() -> Self {
        Self::on(Database::sqlite()).await
    }

    /// On both databases.
    pub async fn each() -> Vec<Self> {
        let mut settings = vec![Self::new().await];
        match Database::postgres().await {
            Some(database) => settings.push(Self::on(database).await),
            None => println!("skipped: SKIP_POSTGRES is set"),
        }
        settings
    }

    pub async fn on(database: Database) -> Self {
        Self::from(database, START).await
    }

    /// The same with a clock that begins at `start`.
    pub async fn from(database: Database, start: OffsetDateTime) -> Self {
        let Database { url, folder } = database;
        let mut config = Config::embedded().unwrap();
        // Cheap for the tests; the browser test uses the real amount.
        config.lookup.captcha_bits = 8;
        // Chance has no place in a test but in the one about it.
        config.cases.recheck_rejections = 0.0;
        config.agency.parent = "CÔNG AN TỈNH MẪU".into();
        config.warnings.folder = folder.path().join("warnings");
        let store = Store::open(&url, 8).await.unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(Simulated::at(start));
        let state = AppState {
            store,
            evidence: EvidenceStore::open_folder(&folder.path().join("evidence")).unwrap(),
            clock: clock.clone(),
            config: Arc::new(config),
            law: Arc::new(law::book().unwrap()),
            receipt_key: Arc::new(SigningKey::from_seed(&[9; 32])),
            signing: Arc::default(),
            registry: Arc::default(),
            bell: Arc::default(),
        };
        let key = SigningKey::from_seed(&[7; 32]);
        enrol(&state, DEVICE, &key.verifying_key()).await;
        Self { state, clock, folder, key }
    }

    /// A member of staff; the login is the name.
    pub async fn user(&self, login: &str, roles: &[Role]) -> String {
        let name = format!("Nguyễn Văn {}", login.to_uppercase());
        let user = NewUser { login, name: &name, roles };
        users::create(&self.state.store, self.clock.now(), "system", user, PASSWORD.into())
            .await
            .unwrap()
    }

    /// Another box, and what it said of itself.
    pub async fn enrolled(&self, id: &str, word: Option<&Report>) {
        enrol(&self.state, id, &self.key.verifying_key()).await;
        if let Some(word) = word {
            fleet::note(&self.state.store, id, self.clock.now(), word).await.unwrap();
        }
    }

    /// A sealed package like [`manifest`] changed by `edit`, whole, with its case open.
    pub async fn case(&self, sequence: u64, edit: impl FnOnce(&mut Manifest)) -> String {
        self.case_with(sequence, Vec::new(), edit).await
    }

    /// The same with some files exchanged.
    pub async fn case_with(
        &self,
        sequence: u64,
        others: Vec<(&'static str, Bytes)>,
        edit: impl FnOnce(&mut Manifest),
    ) -> String {
        let mut files = files();
        files.extend(others);
        let mut manifest = manifest(sequence, &files);
        edit(&mut manifest);
        self.case_of(manifest, files).await
    }

    /// A package of this manifest, with its files as [`manifest_of`] names them.
    pub async fn keep_manifest(&self, manifest: Manifest) -> String {
        self.case_of(manifest, files()).await
    }

    /// The package of `manifest` with exactly these files.
    pub async fn case_of(&self, mut manifest: Manifest, files: BTreeMap<&str, Bytes>) -> String {
        manifest.violation.moments = moments(&manifest.files);
        let last = sqlx::query("SELECT head_sequence, head_digest FROM devices WHERE id = $1")
            .bind(DEVICE)
            .fetch_one(self.state.store.pool())
            .await
            .unwrap();
        if last.get::<i64, _>(0) + 1 == i64::try_from(manifest.sequence).unwrap() {
            let digest: Option<String> = last.get(1);
            manifest.previous = digest.map(|digest| digest.parse().unwrap());
        }
        let content = |file: &File| {
            // A file may have been named anew; its content tells which it is.
            let same = |content: &&Bytes| Digest::of(content) == file.sha256;
            let named = files.get(file.name.as_str());
            named.or_else(|| files.values().find(same)).unwrap().clone()
        };
        let bytes = manifest.to_bytes();
        let seal = self.key.sign_detached(Purpose::Manifest, &bytes);
        self.keep(&manifest, bytes, seal, &self.key.verifying_key(), content).await
    }

    /// The package in `folder` as its agent sealed it, whole, with its case open. Its box is
    /// enrolled with the key beside it.
    pub async fn stored(&self, folder: &Path) -> String {
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let text = |name: &str| String::from_utf8(read(name)).unwrap();
        let key = VerifyingKey::from_pem(&text("seal.pub")).unwrap();
        let manifest = open_manifest(&key, &read(MANIFEST_FILE), &text(SEAL_FILE)).unwrap();
        enrol(&self.state, &manifest.device.id, &key).await;
        let content = |file: &File| Bytes::from(read(&file.name));
        self.keep(&manifest, read(MANIFEST_FILE), text(SEAL_FILE), &key, content).await
    }

    async fn keep(
        &self,
        manifest: &Manifest,
        bytes: Vec<u8>,
        seal: String,
        key: &VerifyingKey,
        content: impl Fn(&File) -> Bytes,
    ) -> String {
        let id = manifest.evidence_id.to_string();
        let device = &manifest.device.id;
        for file in &manifest.files {
            self.state.evidence.put_file(&id, &file.name, content(file)).await.unwrap();
        }
        for (name, content) in [(MANIFEST_FILE, bytes.clone()), (SEAL_FILE, seal.clone().into())] {
            self.state.evidence.put_file(&id, name, content.into()).await.unwrap();
        }
        let now = self.state.clock.now();
        let mut tx = self.state.store.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO evidence (id, device_id, sequence, manifest, manifest_digest, seal,
                 key_id, captured_at, announced_at, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(id.clone())
        .bind(device.clone())
        .bind(i64::try_from(manifest.sequence).unwrap())
        .bind(String::from_utf8(bytes.clone()).unwrap())
        .bind(Digest::of(&bytes).to_string())
        .bind(seal)
        .bind(key.id())
        .bind(to_ms(manifest.violation.at))
        .bind(to_ms(now))
        .execute(&mut *tx)
        .await
        .unwrap();
        for file in &manifest.files {
            sqlx::query(
                "INSERT INTO evidence_files (evidence_id, name, role, media_type, sha256, bytes,
                     stored_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(id.clone())
            .bind(file.name.clone())
            .bind(case::name_of(&file.role))
            .bind(file.media_type.clone())
            .bind(file.sha256.to_string())
            .bind(i64::try_from(file.bytes).unwrap())
            .bind(to_ms(now))
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        let case_id = case::open(&mut tx, self.state.terms(), manifest, now).await.unwrap();
        for (action, detail) in [
            ("evidence.announced", serde_json::json!({ "sequence": manifest.sequence })),
            ("evidence.received", serde_json::json!({ "case": case_id })),
        ] {
            let actor = &format!("device:{device}");
            let (subject_kind, subject_id) = ("evidence", id.as_str());
            let entry = Entry { at: now, actor, action, subject_kind, subject_id, detail };
            audit::append(&mut tx, entry).await.unwrap();
        }
        sqlx::query("UPDATE devices SET head_sequence = $1, head_digest = $2 WHERE id = $3")
            .bind(i64::try_from(manifest.sequence).unwrap())
            .bind(Digest::of(&bytes).to_string())
            .bind(device.clone())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        case_id
    }

    /// Address of a file of the package that carries a case.
    pub async fn url(&self, case: &str, name: &str) -> String {
        let evidence: String = sqlx::query_scalar("SELECT evidence_id FROM cases WHERE id = $1")
            .bind(case.to_owned())
            .fetch_one(self.state.store.pool())
            .await
            .unwrap();
        format!("/ho-so/{case}/tep/{evidence}/{name}")
    }

    /// Path of a stored evidence file.
    pub fn file(&self, evidence_id: &str, name: &str) -> std::path::PathBuf {
        self.folder.path().join("evidence/packages").join(evidence_id).join(name)
    }
}

async fn enrol(state: &AppState, device: &str, key: &VerifyingKey) {
    sqlx::query("INSERT INTO devices (id, enrolled_at) VALUES ($1, $2)")
        .bind(device.to_owned())
        .bind(to_ms(state.clock.now()))
        .execute(state.store.pool())
        .await
        .unwrap();
    sqlx::query("INSERT INTO device_keys (device_id, key_id, pem, since) VALUES ($1, $2, $3, $4)")
        .bind(device.to_owned())
        .bind(key.id())
        .bind(key.to_pem().unwrap())
        .bind(to_ms(state.clock.now()))
        .execute(state.store.pool())
        .await
        .unwrap();
}

fn files() -> BTreeMap<&'static str, Bytes> {
    BTreeMap::from([
        ("before.jpg", Bytes::from_static(include_bytes!("../../assets/before.jpg"))),
        ("on.jpg", Bytes::from_static(include_bytes!("../../assets/on.jpg"))),
        ("past.jpg", Bytes::from_static(include_bytes!("../../assets/past.jpg"))),
        ("closeup.jpg", Bytes::from_static(include_bytes!("../../assets/closeup.jpg"))),
        ("clip.mp4", Bytes::from_static(include_bytes!("../../assets/clip.mp4"))),
        (BASIS_FILE, Bytes::from_static(b"{}")),
    ])
}

/// [`manifest`] with the usual files and their moments.
pub fn manifest_of(sequence: u64) -> Manifest {
    let mut manifest = manifest(sequence, &files());
    manifest.violation.moments = moments(&manifest.files);
    manifest
}

/// A motorbike on red, with everything a notice needs.
pub fn manifest(sequence: u64, files: &BTreeMap<&str, Bytes>) -> Manifest {
    let at = datetime!(2026-11-21 08:15:30.500 +7) + time::Duration::minutes(sequence as i64);
    let file = |name: &str, role, media_type: &str, offset_ms: i64| File {
        name: name.into(),
        role,
        media_type: media_type.into(),
        bytes: files[name].len() as u64,
        sha256: Digest::of(&files[name]),
        captured_at: at + time::Duration::milliseconds(offset_ms),
        view: None,
    };
    Manifest {
        version: contract::manifest::VERSION,
        evidence_id: Uuid::from_u128(
            0x0193_4b1e_0000_7000_8000_0000_0000_0000 + u128::from(sequence),
        ),
        sequence,
        previous: (sequence > 1).then(|| Digest::of(b"the one before")),
        device: Device {
            id: DEVICE.into(),
            serial: "SN-0001".into(),
            software: "edge 0.1.0".into(),
        },
        unit: Unit {
            code: "PC08-D1".into(),
            name: "Đội Cảnh sát giao thông số 1".into(),
            operator: "Trung úy Trần Thị Bình".into(),
        },
        camera: Camera {
            id: "cam-01".into(),
            place: "Nút giao Trần Phú – Hùng Vương, phường Đông Hà".into(),
            km: None,
            gps: Some([16.816, 107.1]),
            direction: "Hướng Bắc – Nam".into(),
            lane: None,
            plan: "12/PA-PC08".into(),
            verification: Some(Verification {
                certificate: "KĐ-2026-0192".into(),
                valid_to: date!(2027 - 06 - 30),
            }),
        },
        clock: Clock {
            source: ClockSource::Rtcp,
            offset_ms: Some(12),
            age_ms: Some(800),
            epoch: 1,
        },
        source: Some(SourceKind::CameraStream),
        violation: Violation {
            act: Act::RED_LIGHT,
            at,
            track: 41 + sequence,
            vehicle: VehicleClass::Motorbike,
            facts: Facts::Signal(Signal {
                movement: Movement::Straight,
                lit: Lit {
                    lamp: Lamp::Red,
                    red: Measured::new(4200.0, In::Milliseconds).against(300.0),
                    right_arrow: false,
                },
            }),
            moments: Vec::new(),
            may_be_on_duty: false,
            reason: "crossed the stop line 4.2 s after red and left by the straight exit".into(),
        },
        plate: Some(PlateReading {
            raw: "29AA12345".into(),
            text: Some("29AA12345".into()),
            class: Some(PlateClass::MotorbikeNew),
            colour: PlateColour::White,
            rows: 2,
            confidence: 0.97,
            frames: 11,
        }),
        models: vec![ModelUsed { name: "reader".into(), sha256: Digest::of(b"reader") }],
        config: Digest::of(b"config"),
        files: vec![
            file("before.jpg", FileRole::Scene, "image/jpeg", -1300),
            file("on.jpg", FileRole::Scene, "image/jpeg", 0),
            file("past.jpg", FileRole::Scene, "image/jpeg", 1500),
            file("closeup.jpg", FileRole::CloseUp, "image/jpeg", 0),
            file("clip.mp4", FileRole::Clip, "video/mp4", -2900),
            file(BASIS_FILE, FileRole::Basis, "application/json", 0),
        ],
    }
}
