//! Packages of every version ever sealed, as agents wrote them: read, verified, and told in the
//! terms of today. A writer's new version adds its packages here and takes none away.

use std::path::{Path, PathBuf};

use contract::facts::{Lamp, LineKind};
use contract::manifest::{File, FileRole, SourceKind};
use contract::package::{self, MANIFEST_FILE, SEAL_FILE, open_manifest};
use contract::seal::VerifyingKey;
use contract::{Act, Facts, Manifest, MomentRole, Movement, VehicleClass};

fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages").join(name)
}

/// The manifest of a stored package whose seal and files all hold.
fn read(name: &str) -> Manifest {
    let folder = stored(name);
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let key = VerifyingKey::from_pem(&text("seal.pub")).unwrap();
    let (manifest, seal) = (text(MANIFEST_FILE), text(SEAL_FILE));
    let content = |entry: &File| std::fs::read(folder.join(&entry.name)).ok();
    assert_eq!(package::verify(&key, manifest.as_bytes(), &seal, content), [], "{name}");
    open_manifest(&key, manifest.as_bytes(), &seal).unwrap()
}

#[test]
fn the_red_light_of_version_1() {
    let manifest = read("v1-red-light");
    assert_eq!(manifest.version, 1);
    let violation = &manifest.violation;
    assert_eq!(violation.act, Act::RED_LIGHT);
    assert_eq!(violation.vehicle, VehicleClass::Motorbike);
    let Facts::Signal(signal) = &violation.facts else { panic!("{:?}", violation.facts) };
    assert_eq!((signal.movement, signal.lit.lamp), (Movement::Straight, Lamp::Red));
    assert_eq!((signal.lit.red.value, signal.lit.right_arrow), (2333.0, true));
    assert_eq!(manifest.source, Some(SourceKind::CameraStream));
    shows_its_three_moments(&manifest);
}

#[test]
fn the_stop_line_of_version_1() {
    let manifest = read("v1-stop-line");
    let violation = &manifest.violation;
    assert_eq!((manifest.version, &violation.act), (1, &Act::STOP_LINE));
    let Facts::Line(line) = &violation.facts else { panic!("{:?}", violation.facts) };
    assert_eq!(line.line, LineKind::Stop);
    assert_eq!(line.lit.as_ref().unwrap().lamp, Lamp::Red);
    // What it did not measure is not made up.
    assert_eq!((line.over, line.stood), (None, None));
    shows_its_three_moments(&manifest);
}

#[test]
fn the_red_light_of_version_2() {
    let manifest = read("v2-red-light");
    let violation = &manifest.violation;
    assert_eq!((manifest.version, &violation.act), (2, &Act::RED_LIGHT));
    let Facts::Signal(signal) = &violation.facts else { panic!("{:?}", violation.facts) };
    assert_eq!((signal.lit.red.value, signal.lit.red.limit), (2333.0, Some(300.0)));
    assert_eq!(signal.lit.red.excess(), Some(2033.0));
    assert_eq!(manifest.file(FileRole::Basis).unwrap().name, "basis.json");
    let roles: Vec<_> = violation.moments.iter().map(|moment| moment.role).collect();
    assert_eq!(roles, [MomentRole::Before, MomentRole::On, MomentRole::Past]);
    assert_eq!(manifest.main_moment(), Some(MomentRole::On));
}

fn shows_its_three_moments(manifest: &Manifest) {
    let roles = [MomentRole::Before, MomentRole::On, MomentRole::Past];
    let told: Vec<_> = manifest.violation.moments.iter().map(|moment| moment.role).collect();
    assert_eq!(told, roles);
    let names = roles.map(|role| manifest.picture(role).unwrap().name.as_str());
    assert_eq!(names, ["before.jpg", "on.jpg", "past.jpg"]);
    assert_eq!(manifest.picture(MomentRole::On).unwrap().captured_at, manifest.violation.at);
    let view = manifest.picture(MomentRole::On).unwrap().view.as_ref().unwrap();
    assert_eq!((view.marks.len(), view.marks[0].len()), (1, 2), "the stop line");
    assert!(manifest.file(FileRole::Basis).is_none() && manifest.file(FileRole::Clip).is_some());
}

#[test]
fn version_1_has_no_word_of_version_2() {
    let folder = stored("v1-red-light");
    let text = std::fs::read_to_string(folder.join(MANIFEST_FILE)).unwrap();
    for (from, to) in [
        ("\"frame_on\"", "\"scene\""),
        ("\"rule\": \"red_light\"", "\"act\": \"red_light\""),
        ("\"rule\": \"red_light\"", "\"rule\": \"wrong_way\""),
        ("\"version\": 1", "\"version\": 2"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(Manifest::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
}
