//! A package verifies whole, and any change is named by its file.

use contract::facts::Lane;
use contract::manifest::{
    ClockSource, File, MAX_FILE_BYTES, MAX_MANIFEST_BYTES, ManifestError, SourceKind,
};
use contract::package::{self, Failure, MANIFEST_FILE, SEAL_FILE, open_manifest};
use contract::seal::{Purpose, SealError};
use contract::view::View;
use contract::{Facts, FileRole, Manifest, Movement};
use proptest::prelude::*;
use time::macros::offset;

use crate::sample::{FILES, Package, key, manifest, package};

fn failures(package: &Package) -> Vec<Failure> {
    let read = |entry: &File| package.files.get(&entry.name).cloned();
    package::verify(&key().verifying_key(), &package.manifest, &package.seal, read)
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn an_untouched_package_holds() {
    assert_eq!(failures(&package(1, None)), []);
}

#[test]
fn the_seal_file_may_end_its_line_once() {
    let mut whole = package(1, None);
    whole.seal.push('\n');
    assert_eq!(failures(&whole), []);
    whole.seal.push('\n');
    assert_eq!(failures(&whole), [Failure::Seal(SealError::Malformed)]);
}

#[test]
fn every_flipped_bit_of_the_seal_is_blamed_on_the_seal() {
    let whole = package(1, None);
    let public = key().verifying_key();
    let mut file = format!("{}\n", whole.seal).into_bytes();
    for bit in 0..file.len() * 8 {
        flip(&mut file, bit);
        // What is no text any more is no JWS either; whoever read the file says so.
        if let Ok(seal) = std::str::from_utf8(&file) {
            let failure = open_manifest(&public, &whole.manifest, seal).unwrap_err();
            assert_eq!(failure.file(), SEAL_FILE, "bit {bit}: {failure}");
        }
        flip(&mut file, bit);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_manifest_is_blamed_on_the_manifest() {
    let mut whole = package(1, None);
    let public = key().verifying_key();
    for byte in 0..whole.manifest.len() {
        let bit = byte * 8 + byte % 8;
        flip(&mut whole.manifest, bit);
        let failure = open_manifest(&public, &whole.manifest, &whole.seal).unwrap_err();
        assert_eq!(failure.file(), MANIFEST_FILE, "bit {bit}: {failure}");
        assert!(failure.to_string().starts_with(MANIFEST_FILE), "{failure}");
        flip(&mut whole.manifest, bit);
    }
}

#[test]
fn every_flipped_bit_of_a_file_is_blamed_on_that_file_alone() {
    let mut whole = package(1, None);
    for (_, name, _) in FILES {
        for bit in 0..whole.files[name].len() * 8 {
            flip(whole.files.get_mut(name).unwrap(), bit);
            let failures = failures(&whole);
            assert_eq!(failures.len(), 1, "{name} bit {bit}");
            assert!(matches!(&failures[0], Failure::Content { file, .. } if file == name));
            flip(whole.files.get_mut(name).unwrap(), bit);
        }
    }
}

#[test]
fn every_file_at_fault_is_named() {
    let mut whole = package(1, None);
    whole.files.remove("clip.mp4");
    whole.files.get_mut("on.jpg").unwrap().pop();
    let names: Vec<_> = failures(&whole).iter().map(|f| f.file().to_owned()).collect();
    assert_eq!(names, ["on.jpg", "clip.mp4"]);
}

fn lane(name: &str) -> Facts {
    Facts::Lane(Lane { lane: name.into(), movement: Movement::Left, allowed: Vec::new() })
}

/// One change to a good manifest, with the field that is refused.
type Change = (&'static str, fn(&mut Manifest));

#[test]
fn manifests_that_claim_the_impossible_are_refused_by_field() {
    let changes: [Change; 33] = [
        ("sequence", |m| m.sequence = 0),
        ("previous", |m| m.previous = Some(m.config)),
        ("device.id", |m| m.device.id = " ".into()),
        ("unit.operator", |m| m.unit.operator.clear()),
        ("camera.place", |m| m.camera.place = "ổ\n".into()),
        ("camera.lane", |m| m.camera.lane = Some("x".repeat(257))),
        ("violation.reason", |m| m.violation.reason = "x".repeat(257)),
        ("violation.facts", |m| m.violation.facts = lane(" ")),
        ("violation.facts", |m| m.violation.facts = lane("trong\tcùng")),
        ("violation.moments", |m| m.violation.moments.clear()),
        ("violation.moments[1]", |m| m.violation.moments[1].file = "closeup.jpg".into()),
        ("violation.moments[2]", |m| m.violation.moments[2].at += time::Duration::SECOND),
        ("source", |m| m.source = None),
        ("violation.at", |m| m.violation.at = m.violation.at.to_offset(offset!(+7:00:01))),
        ("clock.source", |m| m.clock.source = ClockSource::Unknown),
        ("camera.gps", |m| m.camera.gps = Some([91.0, 0.0])),
        ("plate.confidence", |m| m.plate.as_mut().unwrap().confidence = 1.1),
        ("plate.rows", |m| m.plate.as_mut().unwrap().rows = 3),
        ("plate.raw", |m| m.plate.as_mut().unwrap().raw = "7\u{7}".into()),
        ("plate.text", |m| m.plate.as_mut().unwrap().text = Some("77-B1".into())),
        ("models", |m| m.models = vec![m.models[0].clone(); 17]),
        ("files", |m| m.files = vec![m.files[0].clone(); 33]),
        ("files[1].name", |m| m.files[1].name = "../on.jpg".into()),
        ("files[0].name", |m| m.files[0].name = "manifest.json".into()),
        ("files[0].name", |m| m.files[0].name = "manifest.jws".into()),
        ("files[0].name", |m| m.files[0].name = "receipt.jws".into()),
        ("files[0].name", |m| m.files[0].name = "notice-0123456789abcdef.pdf".into()),
        ("files[0].name", |m| m.files[0].name = "before.mp4".into()),
        ("files[2].role", |m| m.files[2].role = FileRole::FrameOn),
        ("files[5].name", |m| m.files[5].role = FileRole::CloseUp),
        ("files[0].role", |m| m.files[0].role = FileRole::Basis),
        ("files[4].bytes", |m| m.files[4].bytes = MAX_FILE_BYTES + 1),
        ("files[0].media_type", |m| m.files[0].media_type = "text/html".into()),
    ];
    for (expected, change) in changes {
        let mut changed = manifest(1, None);
        change(&mut changed);
        match changed.check() {
            Err(ManifestError::Field { field, problem }) => {
                assert_eq!(field, expected);
                if field.ends_with(".bytes") {
                    assert!(problem.ends_with(&format!("{} MiB", MAX_FILE_BYTES >> 20)));
                }
            }
            other => panic!("{expected}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_no_manifest_are_refused() {
    let huge = vec![b' '; MAX_MANIFEST_BYTES + 1];
    assert_eq!(Manifest::parse(&huge), Err(ManifestError::TooLarge { bytes: huge.len() }));
    let text = String::from_utf8(manifest(1, None).to_bytes()).unwrap();
    for (from, to) in [
        ("\"track\": 42", "\"track\": 42, \"track\": 43"),
        ("\"track\": 42", "\"track\": -1"),
        ("\"track\": 42", "\"extra\": 1, \"track\": 42"),
        ("\"red_light\"", "\"red light\""),
        ("\"signal\"", "\"sound\""),
        ("\"movement\": \"straight\"", "\"movement\": \"straight\", \"colour\": \"red\""),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replace(from, to);
        let result = Manifest::parse(changed.as_bytes());
        assert!(matches!(result, Err(ManifestError::Syntax(_))), "{to}: {result:?}");
    }
    let newer = text.replace("\"version\": 2", "\"version\": 3");
    assert_eq!(Manifest::parse(newer.as_bytes()), Err(ManifestError::Version { found: 3 }));
}

#[test]
fn what_newer_software_adds_is_absent_where_it_is_not_said() {
    let old = manifest(1, None);
    let text = String::from_utf8(old.to_bytes()).unwrap();
    assert!(!text.contains("\"view\"") && !text.contains("\"tolerance\""), "{text}");
    assert_eq!(Manifest::parse(text.as_bytes()).unwrap().to_bytes(), text.as_bytes());
    let mut new = old;
    new.files[0].view = Some(view());
    let bytes = new.to_bytes();
    assert!(String::from_utf8_lossy(&bytes).contains("\"source\": \"camera_stream\""));
    assert_eq!(Manifest::parse(&bytes).unwrap(), new);
}

#[test]
fn a_stream_has_no_recordings_clock_and_a_view_lies_in_its_picture() {
    let refused = |edit: &dyn Fn(&mut Manifest)| {
        let mut manifest = manifest(1, None);
        manifest.files[0].view = Some(view());
        edit(&mut manifest);
        match manifest.check() {
            Err(ManifestError::Field { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    let recorded = |manifest: &mut Manifest| {
        manifest.source = Some(SourceKind::CameraStream);
        manifest.clock.source = ClockSource::Recording;
    };
    assert_eq!(refused(&recorded), "source");
    type Spoil = fn(&mut View);
    let spoilt: [Spoil; 7] = [
        |view| view.picture = [0, 720],
        |view| view.picture[1] = 70_000,
        |view| view.vehicle[2] = 0,
        |view| view.vehicle = [1200, 0, 100, 10],
        |view| view.lamps[0] = [u32::MAX, 0, 2, 2],
        |view| view.plate.as_mut().unwrap()[2] = [10, 721],
        |view| view.others = vec![[0, 0, 1, 1]; 65],
    ];
    for spoil in spoilt {
        let edit = |manifest: &mut Manifest| spoil(manifest.files[0].view.as_mut().unwrap());
        assert_eq!(refused(&edit), "files[0].view");
    }
    assert_eq!(refused(&|manifest| manifest.files[4].view = Some(view())), "files[4].view");
}

fn view() -> View {
    View {
        picture: [1280, 720],
        vehicle: [100, 200, 60, 90],
        plate: Some([[120, 250], [140, 250], [140, 262], [120, 262]]),
        others: vec![[150, 190, 60, 80]],
        lamps: vec![[900, 40, 20, 60]],
        marks: vec![vec![[0, 400], [1280, 420]]],
    }
}

#[test]
fn a_strangers_text_in_an_error_is_short_and_on_one_line() {
    let hostile = format!("{{\"{}\": 1}}", "evil\\n".repeat(9_000));
    let error = Manifest::parse(hostile.as_bytes()).unwrap_err().to_string();
    assert!(error.len() < 400 && !error.contains('\n'), "{error}");
    assert!(error.contains("at line 1 column"), "{error}");
}

proptest! {
    #[test]
    fn manifests_survive_writing_and_reading(
        sequence in 2_u64..,
        place in "[^\\p{C}\\p{Zl}\\p{Zp}]{0,255}x",
        reason in "[^\\p{C}\\p{Zl}\\p{Zp}]{0,256}",
        // Decimals as agents write them: 0.1 m and 0.01 %. The last bit of a longer fraction may
        // differ after reading, which is why the bytes are sealed and never a re-serialisation.
        gps in prop::option::of(
            (-90_000_000..=90_000_000, -180_000_000..=180_000_000)
                .prop_map(|(lat, lon)| [lat, lon].map(|micro: i32| f64::from(micro) / 1e6)),
        ),
        confidence in (0..=10_000_u16).prop_map(|parts| f64::from(parts) / 1e4),
        nanoseconds in 0_u32..1_000_000_000,
        track in any::<u64>(),
        read in any::<bool>(),
    ) {
        let mut written = manifest(sequence, Some(contract::Digest::of(b"previous")));
        written.camera.place = place;
        written.camera.gps = gps;
        written.violation.reason = reason;
        written.violation.track = track;
        written.violation.at = written.violation.at.replace_nanosecond(nanoseconds).unwrap();
        if read {
            written.plate.as_mut().unwrap().confidence = confidence;
        } else {
            written.plate = None;
        }
        let bytes = written.to_bytes();
        let seal = key().sign_detached(Purpose::Manifest, &bytes);
        prop_assert_eq!(open_manifest(&key().verifying_key(), &bytes, &seal), Ok(written));
    }

    #[test]
    fn seals_carry_any_payload(payload in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let public = key().verifying_key();
        let attached = key().sign(Purpose::Receipt, &payload);
        prop_assert_eq!(public.verify(Purpose::Receipt, &attached), Ok(payload.clone()));
        let detached = key().sign_detached(Purpose::Manifest, &payload);
        prop_assert_eq!(public.verify_detached(Purpose::Manifest, &detached, &payload), Ok(()));
        prop_assert!(public.verify(Purpose::Receipt, &detached).is_err());
        prop_assert!(public.verify_detached(Purpose::Receipt, &attached, &payload).is_err());
    }

    #[test]
    fn arbitrary_text_is_no_seal(text in "\\PC{0,200}", payload in any::<[u8; 8]>()) {
        let public = key().verifying_key();
        prop_assert!(public.verify_detached(Purpose::Manifest, &text, &payload).is_err());
        prop_assert!(public.verify(Purpose::Receipt, &text).is_err());
    }
}
