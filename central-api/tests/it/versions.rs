//! Packages of every version, as agents sealed them: they verify, are reviewed, become notices, and
//! are judged again where they say what their verdict stood on.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use central_api::admin::users::Role;
use central_api::verify::{Depth, Report, verify_package, verify_store};
use contract::manifest::{BASIS_FILE, FileRole};
use contract::package::{MANIFEST_FILE, SEAL_FILE};
use contract::seal::{Purpose, SigningKey};
use contract::{Digest, Facts, Manifest};
use time::Duration;
use time::macros::datetime;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

fn package(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/tests/packages").join(name)
}

#[tokio::test]
async fn every_version_leads_to_a_notice() {
    for (name, act, points, moments) in [
        ("v1-red-light", "Vượt đèn đỏ", "điểm c khoản 7 Điều 7", ["Trước", "Lúc vi phạm", "Sau"]),
        ("v1-stop-line", "Dừng đè vạch", "điểm a khoản 1 Điều 6", ["Trước", "Lúc vi phạm", "Sau"]),
        ("v2-red-light", "Vượt đèn đỏ", "điểm c khoản 7 Điều 7", ["Trước", "Lúc vi phạm", "Sau"]),
    ] {
        let setting = Setting::new().await;
        setting.user("an", &[Role::Reviewer]).await;
        setting.user("binh", &[Role::Approver]).await;
        let now = datetime!(2026-11-29 04:30 +7);
        setting.clock.advance(now - central_api::clock::Clock::now(&*setting.clock));
        let case = setting.stored(&package(name)).await;
        let mut an = Visitor::officer(&setting.state, "an").await;
        let page = an.get(&format!("/ho-so/{case}")).await.text();
        assert!(page.contains(act) && page.contains(points), "{name}");
        for moment in moments {
            assert!(page.contains(moment), "{name}: {moment}");
        }
        let judged = page.contains("Xét lại từ dữ liệu niêm phong");
        assert_eq!(judged, name.starts_with("v2"), "{name}");
        assert_eq!(page.contains("Giống hệt"), judged, "{name}: {page}");
        let accepted = an.decide(&case, "accept", &[]).await;
        assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{name}: {}", accepted.text());
        setting.clock.advance(Duration::minutes(2));
        let mut binh = Visitor::officer(&setting.state, "binh").await;
        let approved = binh.decide(&case, "approve", &[]).await;
        assert_eq!(approved.status, StatusCode::SEE_OTHER, "{name}: {}", approved.text());
        let detail = binh.get(&format!("/api/v1/cases/{case}")).await.json();
        assert_eq!(detail["case"]["state"], "notified", "{name}");

        let state = &setting.state;
        let report = verify_store(&state.store, &state.evidence, &state.law, Depth::Verdicts);
        let report = report.await.unwrap();
        assert!(report.ok, "{name}: {:?} {:?}", report.findings, report.judged);
        let again = report.judged.unwrap();
        let expected = if name.starts_with("v1") { (0, 1) } else { (1, 0) };
        assert_eq!((again.same, again.without), expected, "{name}");
    }
}

/// A package of version 2 with its basis and its manifest changed, sealed anew by a box that does
/// not judge as it should.
fn judged_otherwise(basis: impl Fn(&str) -> String, claim: impl Fn(&mut Manifest)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(package("v2-red-light")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let at = |name: &str| folder.path().join(name);
    let changed = basis(&std::fs::read_to_string(at(BASIS_FILE)).unwrap());
    let mut manifest = Manifest::parse(&std::fs::read(at(MANIFEST_FILE)).unwrap()).unwrap();
    let entry = manifest.files.iter_mut().find(|file| file.role == FileRole::Basis).unwrap();
    (entry.bytes, entry.sha256) = (changed.len() as u64, Digest::of(changed.as_bytes()));
    claim(&mut manifest);
    let key = SigningKey::from_seed(&[3; 32]);
    let bytes = manifest.to_bytes();
    std::fs::write(at(BASIS_FILE), changed).unwrap();
    std::fs::write(at(SEAL_FILE), key.sign_detached(Purpose::Manifest, &bytes)).unwrap();
    std::fs::write(at(MANIFEST_FILE), bytes).unwrap();
    verify_package(folder.path(), &key.verifying_key(), Depth::Verdicts)
}

#[test]
fn what_judges_otherwise_is_named() {
    let same = judged_otherwise(str::to_owned, |_| {});
    assert!(same.ok && same.judged.unwrap().same == 1);
    let differing = |report: Report| {
        assert!(!report.ok && report.findings.is_empty(), "{:?}", report.findings);
        report.judged.unwrap().differing.remove(0).problem
    };
    // Another figure than the rule gives.
    let longer = differing(judged_otherwise(str::to_owned, |manifest| {
        let Facts::Signal(signal) = &mut manifest.violation.facts else { panic!() };
        signal.lit.red.value = 9333.0;
    }));
    let by = format!(" (judged by the rules 0.1.0, these are {})", judge::basis::BUILD);
    assert_eq!(longer, format!("red: 2333 ms, limit 300; sealed: 9333 ms, limit 300{by}"));
    // A red that the lamp's history does not hold.
    let green = |basis: &str| basis.replace("\"light\":\"red\"", "\"light\":\"green\"");
    assert_eq!(
        differing(judged_otherwise(green, |_| {})),
        format!("these rules accuse nobody: lamp not red{by}")
    );
    // Settings that are not those whose digest the manifest holds.
    let stricter = |basis: &str| basis.replace("\\\"grace_ms\\\":300", "\\\"grace_ms\\\":0");
    let other = differing(judged_otherwise(stricter, |_| {}));
    assert!(other.starts_with("the basis is of the configuration"), "{other}");
    let nothing = differing(judged_otherwise(|_| "{}".into(), |_| {}));
    assert!(nothing.contains("missing field"), "{nothing}");
}

#[test]
fn one_number_of_the_path_changed_breaks_the_seal() {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(package("v2-red-light")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let at = folder.path().join(BASIS_FILE);
    let text = std::fs::read_to_string(&at).unwrap();
    let found = text.rfind("\"x1\":").unwrap() + 5;
    let digit = if text.as_bytes()[found] == b'1' { "2" } else { "1" };
    std::fs::write(&at, format!("{}{digit}{}", &text[..found], &text[found + 1..])).unwrap();
    let pem = std::fs::read_to_string(folder.path().join("seal.pub")).unwrap();
    let key = contract::seal::VerifyingKey::from_pem(&pem).unwrap();
    let report = verify_package(folder.path(), &key, Depth::Verdicts);
    let subjects: Vec<_> = report.findings.iter().map(|found| found.subject.as_str()).collect();
    assert_eq!(subjects, [BASIS_FILE]);
}
