//! Signed documents: what holds, what is named where something does not, and that other programs
//! agree.

use std::process::Command;
use std::sync::Arc;

use axum::http::StatusCode;
use bytes::Bytes;
use central_api::AppState;
use central_api::admin::users::Role;
use central_api::documents::sign::{
    Order, Prepared, SignError, Signing, SpanError, StampError, Trust, TrustError, check, complete,
    prepare,
};
use central_api::documents::{Enclosed, Letters};
use central_api::notice::render;
use central_api::verify::{Depth, Signatures, verify_signed};
use central_api::work;
use time::Duration;

use crate::notices::{content, pictures, text_of};
use crate::setting::Setting;
use crate::setting::browserless::Visitor;
use crate::support::authority::{self, Authority, NOW, certificate, der, key, trust};
use crate::support::time_stamps::{Manner, TimeStamps};

/// A notice: two pages, pictures, letters of its own.
fn document() -> Bytes {
    render(&content(), Some(&pictures())).unwrap().into()
}

/// A notice of one page, small enough to be checked thousands of times.
fn short() -> Bytes {
    render(&content(), None).unwrap().into()
}

fn signing(authority: &Authority) -> Signing {
    Signing::open(&authority.settings()).unwrap()
}

async fn stamping(authority: &Authority, server: &TimeStamps) -> Signing {
    let time_stamp_url = server.url.clone();
    let reason = "Ban hành thông báo".to_owned();
    let settings = central_api::config::Signing { time_stamp_url, reason, ..authority.settings() };
    Signing::open(&settings).unwrap()
}

/// The file with one bit of one byte changed.
fn changed(file: &[u8], at: usize) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at] ^= 1;
    file
}

#[tokio::test]
async fn a_signed_document_holds_for_us_and_for_others() {
    let authority = Authority::new();
    let original = document();
    let signed = signing(&authority).sign(original.clone(), NOW).await.unwrap();
    assert!(signed.starts_with(&original), "what was there is changed");
    let found = check(&signed, &trust()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].by.name, "Phòng Cảnh sát giao thông");
    assert_eq!((found[0].at, &found[0].stamp), (NOW, &None));
    if let Some(others) = authority.others(&signed) {
        for (holds, words) in &others {
            assert!(*holds, "{words}");
        }
        assert!(others[0].1.contains("ETSI.CAdES.detached"), "{}", others[0].1);
        assert!(others[1].1.contains("The signature is judged VALID"), "{}", others[1].1);
    }
    // In the first words, in a picture, in the dictionary of the signature, in its value.
    let hole = hole(&signed);
    let value =
        hole.start + signed[hole.clone()].iter().rposition(|byte| *byte != b'0').unwrap() - 40;
    for at in [9, original.len() / 2, hole.start - 20, value] {
        let changed = changed(&signed, at);
        check(&changed, &trust()).unwrap_err();
        for (holds, words) in authority.others(&changed).into_iter().flatten() {
            assert!(!holds, "byte {at}: {words}");
        }
    }
}

#[tokio::test]
async fn the_first_signature_shows_who_and_when_in_the_place_of_the_form() {
    let authority = Authority::new();
    let signed = signing(&authority).sign(document(), NOW).await.unwrap();
    let prepared = laid_ready(&signed, &leader(|_| {}));
    let value = elsewhere(&authority, "leader", &prepared.digest().unwrap());
    let twice = complete(prepared, &value, None, &trust(), NOW).unwrap();
    for pdf in [&signed, &twice] {
        let file = authority.path("shown.pdf");
        std::fs::write(&file, pdf).unwrap();
        let Some(text) = text_of(&file) else { return };
        let shown = ["Ký bởi: Phòng Cảnh sát giao thông", "Cơ quan: Công an tỉnh Mẫu"];
        let at = "Thời gian ký: 21/11/2026 08:20:00 +07:00";
        for words in [shown[0], shown[1], at] {
            assert_eq!(text.matches(words).count(), 1, "{words}: {text}");
        }
        // The second one lies over nothing.
        assert_eq!(text.matches("Ký bởi").count(), 1, "{text}");
    }
}

/// A letter is printed from copies of the document's pages: the mark is on them, where it was.
#[tokio::test]
async fn a_letter_shows_the_mark_of_the_signature_where_the_document_has_it() {
    let authority = Authority::new();
    let signed = signing(&authority).sign(document(), NOW).await.unwrap();
    let config = central_api::config::Config::embedded().unwrap();
    let letters = Letters::new(&config.post, &config.agency).unwrap();
    let sheet = letters.sheet("Nguyễn Thị Mẫu", "1 Phố Mẫu", "1-0001".into(), String::new());
    let enclosed = Enclosed::read(&signed).unwrap();
    assert_eq!(enclosed.pages, 2);
    let (letter, pages) = letters.print(&[(sheet.unwrap(), enclosed)]).unwrap();
    assert_eq!(pages, 4, "the address, two pages, and the back of the last");
    let picture = |pdf: &[u8], name: &str, page: &str| {
        let (from, to) = (authority.path(&format!("{name}.pdf")), authority.path(name));
        std::fs::write(&from, pdf).unwrap();
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let kept = std::path::Path::new(&folder).join(format!("signed-{name}.pdf"));
            std::fs::write(kept, pdf).unwrap();
        }
        let arguments = ["-r", "100", "-png", "-singlefile", "-f", page, "-l", page];
        let files = [from.to_str().unwrap(), to.to_str().unwrap()];
        crate::notices::tool("pdftoppm", &[&arguments[..], &files[..]].concat())?;
        let picture = image::open(to.with_extension("png")).unwrap().to_rgb8();
        Some(picture)
    };
    let page = mark_page(&authority, &signed);
    let Some(own) = picture(&signed, "document", &page.to_string()) else { return };
    let copied = picture(&letter, "letter", &(page + 1).to_string()).unwrap();
    let red = |picture: &image::RgbImage| {
        let is_red = |it: &image::Rgb<u8>| it[0] > 120 && it[1] < 90 && it[2] < 90;
        picture.enumerate_pixels().filter(|(_, _, it)| is_red(it)).map(|(x, y, _)| (x, y)).collect()
    };
    let (own, copied): (Vec<_>, Vec<_>) = (red(&own), red(&copied));
    assert!(own.len() > 500, "the document shows its signature: {} points", own.len());
    assert_eq!(own, copied, "the letter shows it in the same place");
}

/// On which page the mark stands.
fn mark_page(authority: &Authority, pdf: &[u8]) -> usize {
    let file = authority.path("pages.pdf");
    std::fs::write(&file, pdf).unwrap();
    let page = |page: usize| {
        let number = page.to_string();
        let arguments = ["-f", &number, "-l", &number, file.to_str().unwrap(), "-"];
        crate::notices::tool("pdftotext", &arguments).is_some_and(|it| it.contains("Ký bởi"))
    };
    (1..=2).find(|it| page(*it)).unwrap_or(1)
}

#[tokio::test]
async fn the_program_says_of_a_file_who_signed_it() {
    let authority = Authority::new();
    let signed = signing(&authority).sign(short(), NOW).await.unwrap();
    let asked = |file: &[u8]| {
        std::fs::write(authority.path("asked.pdf"), file).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_central-api"));
        command.env("CENTRAL_SIGNING__ROOTS", authority.path("roots.pem"));
        command.args(["verify", "--document"]).arg(authority.path("asked.pdf"));
        let output = authority::run(&mut command);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (holds, words) = asked(&signed);
    let said = "OK: signed by Phòng Cảnh sát giao thông (Công an tỉnh Mẫu) at \
                2026-11-21T08:20:00+07:00, by the signer's own clock, whole";
    assert!(holds && words.trim() == said, "{words}");
    let (holds, words) = asked(&[&signed[..], b"more"].concat());
    assert!(!holds && words.contains("4 bytes were added after it was signed"), "{words}");
    let (holds, words) = asked(&short());
    assert!(!holds && words.contains("is not signed"), "{words}");
}

#[tokio::test]
async fn a_time_stamp_makes_it_b_t() {
    let authority = Authority::new();
    let server = TimeStamps::start(&authority).await;
    let signing = stamping(&authority, &server).await;
    let signed = signing.sign(document(), NOW).await.unwrap();
    let found = signing.check(&signed).unwrap();
    let stamp = found[0].stamp.as_ref().unwrap();
    assert_eq!(stamp.by.name, "TSA thử nghiệm");
    assert!((stamp.at - NOW).abs() < Duration::minutes(1), "{}", stamp.at);
    assert_eq!(found[0].at, stamp.at);
    if let Some([poppler, hanko]) = authority.others(&signed) {
        assert!(poppler.0, "{}", poppler.1);
        assert!(hanko.0, "{}", hanko.1);
        assert!(hanko.1.contains("TSA thử nghiệm"), "{}", hanko.1);
        assert!(hanko.1.contains("backed by a time stamping authority"), "{}", hanko.1);
    }
    // Believed for signatures alone, it is no time stamp.
    let roots = trust().documents;
    let without = check(&signed, &Trust { documents: roots, stamps: Vec::new() }).unwrap_err();
    let expected = TrustError::NoRoots("signing.time_stamp_roots");
    assert_eq!(without, SignError::Token(StampError::Trust(expected)));
}

#[tokio::test]
async fn every_byte_counts() {
    let authority = Authority::new();
    let server = TimeStamps::start(&authority).await;
    all_bytes_count(&signing(&authority).sign(short(), NOW).await.unwrap());
    let stamping = stamping(&authority, &server).await;
    all_bytes_count(&stamping.sign(short(), NOW).await.unwrap());
}

/// Changes a byte of every few: of the signature and what belongs to it, and of the document.
fn all_bytes_count(signed: &[u8]) {
    let from = signed.windows(10).rposition(|window| window == b"/ByteRange").unwrap() - 40;
    let trust = trust();
    // Most of the hole is zeros behind the signature: some of them do.
    let hole = hole(signed);
    let used =
        hole.start + signed[hole.clone()].iter().rposition(|byte| *byte != b'0').unwrap() + 1;
    let all = (from..used + 4).step_by(5);
    let all = all.chain((used..hole.end).step_by(997)).chain((hole.end..signed.len()).step_by(53));
    let holds =
        |at: &usize| check(&changed(signed, *at), &trust).is_ok_and(|found| !found.is_empty());
    let unnoticed: Vec<_> = all.chain((0..from).step_by(997)).filter(holds).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?} of {from}..{}", signed.len());
}

/// Where the digits of the latest signature stand.
fn hole(signed: &[u8]) -> std::ops::Range<usize> {
    let start = signed.windows(11).rposition(|window| window == b"/Contents <").unwrap() + 11;
    start..start + signed[start..].iter().position(|byte| *byte == b'>').unwrap()
}

#[tokio::test]
async fn the_same_document_gets_the_same_bytes() {
    let authority = Authority::new();
    let first = signing(&authority).sign(document(), NOW).await.unwrap();
    assert_eq!(first, signing(&authority).sign(document(), NOW).await.unwrap());
    let later = signing(&authority).sign(document(), NOW + Duration::SECOND).await.unwrap();
    assert_ne!(first, later);
}

#[tokio::test]
async fn what_is_added_or_cut_is_named() {
    let authority = Authority::new();
    let signed = signing(&authority).sign(short(), NOW).await.unwrap();
    let refused = |file: &[u8]| check(file, &trust()).unwrap_err();
    let garbage = [&signed[..], b"%garbage"].concat();
    assert_eq!(refused(&garbage), SignError::Span(SpanError::Appended(8)));
    // A whole second update, as an editor would append it.
    let update = b"\n1 0 obj\n<< /Type /Nothing >>\nendobj\nxref\n1 1\n0000000001 00000 n \n\
                   trailer\n<< /Size 1 >>\nstartxref\n1\n%%EOF\n";
    let updated = [&signed[..], update].concat();
    assert_eq!(refused(&updated), SignError::Span(SpanError::Appended(update.len())));
    if let Some(others) = authority.others(&garbage) {
        assert!(!others[0].0, "{}", others[0].1);
    }
    assert_eq!(refused(&signed[..signed.len() - 3]), SignError::Span(SpanError::Cut(3)));
    // Of what was never signed, nothing is said.
    assert_eq!(check(&short(), &trust()).unwrap(), []);
    assert_eq!(check(b"", &trust()).unwrap(), []);
}

/// Somebody's signature over `digest`, made by openssl with a key that this program never sees.
fn elsewhere(authority: &Authority, key_name: &str, digest: &[u8]) -> Vec<u8> {
    authority.write("elsewhere.key", &key(key_name));
    std::fs::write(authority.path("digest"), digest).unwrap();
    let mut command = Command::new("openssl");
    command.args(["pkeyutl", "-sign", "-pkeyopt", "digest:sha256"]);
    command.arg("-inkey").arg(authority.path("elsewhere.key"));
    command.arg("-in").arg(authority.path("digest")).arg("-out").arg(authority.path("value"));
    let output = authority::run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(authority.path("value")).unwrap()
}

fn leader(edit: impl FnOnce(&mut rcgen::CertificateParams)) -> String {
    let named = |params: &mut rcgen::CertificateParams| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Nguyễn Văn Bình");
        edit(params);
    };
    certificate("leader", named) + &authority::between()
}

fn laid_ready(pdf: &[u8], chain: &str) -> Prepared {
    let certificates = der(chain);
    let order = Order {
        certificates: &certificates,
        at: NOW,
        reason: "Phê duyệt",
        location: "Quảng Trị",
        stamped: false,
    };
    prepare(pdf, order).unwrap()
}

#[tokio::test]
async fn a_leader_signs_elsewhere_in_two_steps_after_the_office() {
    let authority = Authority::new();
    let office = signing(&authority).sign(document(), NOW).await.unwrap();
    let prepared = laid_ready(&office, &leader(|_| {}));
    // It waits on a disk; nothing else is kept.
    std::fs::write(authority.path("waiting.pdf"), prepared.file()).unwrap();
    drop(prepared);
    let waiting = || Bytes::from(std::fs::read(authority.path("waiting.pdf")).unwrap());
    let prepared = Prepared::open(waiting()).unwrap();
    let value = elsewhere(&authority, "leader", &prepared.digest().unwrap());
    let later = NOW + Duration::hours(20);
    let signed = complete(prepared, &value, None, &trust(), later).unwrap();
    let names: Vec<_> = check(&signed, &trust()).unwrap().into_iter().map(|s| s.by.name).collect();
    assert_eq!(names, ["Phòng Cảnh sát giao thông", "Nguyễn Văn Bình"]);
    for (holds, words) in authority.others(&signed).into_iter().flatten() {
        assert!(holds, "{words}");
    }
    // A signed document is no prepared one, and a prepared one is not signed.
    assert_eq!(Prepared::open(signed).unwrap_err(), SignError::NotPrepared);
    check(&waiting(), &trust()).unwrap_err();

    // What comes back is not believed: another key, another digest, another document.
    let again = || Prepared::open(waiting()).unwrap();
    let digest = again().digest().unwrap();
    for wrong in [
        elsewhere(&authority, "signer", &digest),
        elsewhere(&authority, "leader", &[7; 32]),
        Vec::new(),
        vec![0; 4000],
    ] {
        let error = complete(again(), &wrong, None, &trust(), later).unwrap_err();
        assert!(matches!(error, SignError::Cms(_)), "{error}");
    }
    let mut file = waiting().to_vec();
    file[2000] ^= 1;
    let changed = Prepared::open(file.into()).unwrap();
    let error = complete(changed, &value, None, &trust(), later).unwrap_err();
    assert!(error.to_string().contains("its digest differs"), "{error}");
    let much_later = NOW + Duration::days(3650);
    let error = complete(again(), &value, None, &trust(), much_later).unwrap_err();
    assert!(matches!(error, SignError::Trust(TrustError::Expired { .. })), "{error}");
}

#[test]
fn a_certificate_that_is_for_something_else_signs_nothing() {
    let authority = Authority::new();
    let complete_with = |chain: String, trust: &Trust| {
        let prepared = laid_ready(&short(), &chain);
        let value = elsewhere(&authority, "leader", &prepared.digest().unwrap());
        complete(prepared, &value, None, trust, NOW).unwrap_err().to_string()
    };
    let server = leader(|params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert!(complete_with(server, &trust()).contains("is not for signing documents"));
    let enciphers = leader(|params| {
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyEncipherment];
    });
    assert!(complete_with(enciphers, &trust()).contains("is not for signing documents"));
    let early = leader(|params| params.not_before = NOW + Duration::DAY);
    assert!(complete_with(early, &trust()).contains("begins on"));
    // Without the one between, and with a root that is another.
    let alone = certificate("leader", |_| {});
    assert!(complete_with(alone, &trust()).contains("none of the configured roots"));
    let other = Trust { documents: der(&certificate("tsa", |_| {})), stamps: Vec::new() };
    assert!(complete_with(leader(|_| {}), &other).contains("none of the configured roots"));
    assert!(complete_with(leader(|_| {}), &Trust::default()).contains("signing.roots"));
}

#[tokio::test]
async fn another_certificate_of_the_same_key_is_noticed() {
    let authority = Authority::new();
    let signed = signing(&authority).sign(short(), NOW).await.unwrap();
    // Of the same length, name and number, so that it fits: of another validity.
    let other = certificate("signer", |params| params.not_after += Duration::days(700));
    let (was, is) = (&der(&certificate("signer", |_| {}))[0], &der(&other)[0]);
    let (was, is) = (hex::encode(was), hex::encode(is));
    assert_eq!(was.len(), is.len());
    let at = signed.windows(was.len()).position(|window| window == was.as_bytes()).unwrap();
    let mut swapped = signed.to_vec();
    swapped[at..at + is.len()].copy_from_slice(is.as_bytes());
    let error = check(&swapped, &trust()).unwrap_err().to_string();
    assert!(error.contains("names another certificate"), "{error}");
}

#[tokio::test]
async fn a_time_stamp_server_that_misbehaves_is_named_and_nothing_is_signed() {
    let authority = Authority::new();
    let server = TimeStamps::start(&authority).await;
    let signing = stamping(&authority, &server).await;
    for (manner, words) in [
        (Manner::Fails, "answered 500"),
        (Manner::Refuses, "it refused (status 2)"),
        (Manner::Endless, "answered more than"),
        (Manner::Nonsense, "cannot be read"),
        (Manner::OtherNonce, "is to another request (nonce)"),
        (Manner::OtherDocument, "is of another document"),
    ] {
        server.now(manner);
        let error = signing.sign(short(), NOW).await.unwrap_err().to_string();
        let named = error.contains("the time stamp server 127.0.0.1 failed");
        assert!(named && error.contains(words), "{manner:?}: {error}");
    }
    server.now(Manner::Good);
    let error = signing.sign(short(), NOW + Duration::hours(1)).await.unwrap_err().to_string();
    assert!(error.contains("its clock says") && error.contains("one of them is wrong"), "{error}");
    signing.sign(short(), NOW).await.unwrap();
    // Nobody there.
    let mut nobody = server;
    nobody.url = "http://127.0.0.1:1/".into();
    let error = stamping(&authority, &nobody).await.sign(short(), NOW).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_time_stamp_by_whoever_is_not_believed() {
    let authority = Authority::new();
    // It is of the root, and for time stamps, but ended before.
    let ended = certificate("tsa", |params| {
        authority::for_time_stamps(params);
        params.not_after = NOW - Duration::DAY;
    });
    let server = TimeStamps::by(&authority, ended).await;
    let error = stamping(&authority, &server).await.sign(short(), NOW).await.unwrap_err();
    assert!(error.to_string().contains("ended on"), "{error}");
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let refused = |authority: &Authority| {
        let signing = Signing::open(&authority.settings());
        signing.and_then(|signing| signing.check_certificate(NOW)).unwrap_err().to_string()
    };
    let ended = certificate("signer", |params| params.not_after = NOW - Duration::DAY);
    let words = refused(&Authority::with(ended));
    assert!(
        words.starts_with("signing.certificates cannot be used") && words.contains("ended on"),
        "{words}"
    );
    let early = certificate("signer", |params| params.not_before = NOW + Duration::DAY);
    assert!(refused(&Authority::with(early)).contains("begins on"));
    let others = refused(&Authority::with(certificate("tsa", |_| {})));
    assert!(others.contains("signing.key") && others.contains("does not belong to"), "{others}");

    let authority = Authority::new();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(authority.path("signer.key"), open).unwrap();
    assert!(refused(&authority).contains("readable by others"));
    authority.write("signer.key", "no key");
    assert!(refused(&authority).contains("BEGIN PRIVATE KEY"));
    authority.write(
        "signer.key",
        &rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem(),
    );
    assert!(refused(&authority).contains("RSA of 2048 bits or more, or ECDSA on P-256"));
    authority.write("signer.key", &key("signer"));
    authority.write("chain.pem", "no certificate");
    assert!(refused(&authority).contains("BEGIN CERTIFICATE"));
}

#[tokio::test]
async fn a_notice_is_signed_once_the_time_stamp_server_works_and_never_goes_out_unsigned() {
    let authority = Authority::new();
    let server = TimeStamps::start(&authority).await;
    let mut setting = Setting::new().await;
    setting.state.signing = Arc::new(stamping(&authority, &server).await);
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    server.now(Manner::Fails);
    binh.decide(&case, "approve", &[]).await;
    let path = format!("/ho-so/{case}/thong-bao.pdf");
    assert_eq!(binh.get(&path).await.status, StatusCode::NOT_FOUND);
    let store = &setting.state.store;
    let why: String = sqlx::query_scalar("SELECT error FROM jobs WHERE error IS NOT NULL")
        .fetch_one(store.pool())
        .await
        .unwrap();
    let words = "the document is not signed: the time stamp server 127.0.0.1 failed: answered 500";
    assert!(why.starts_with(words), "{why}");

    server.now(Manner::Good);
    setting.clock.advance(Duration::seconds(10));
    work::work_off(&setting.state).await.unwrap();
    let pdf = binh.get(&path).await;
    assert_eq!(pdf.status, StatusCode::OK);
    let found = setting.state.signing.check(&pdf.bytes).unwrap();
    assert_eq!(found[0].stamp.as_ref().unwrap().by.name, "TSA thử nghiệm");
    let page = binh.get(&format!("/ho-so/{case}")).await.text();
    assert!(page.contains("Ký số: Phòng Cảnh sát giao thông, lúc"), "{page}");
    assert!(page.contains("có dấu thời gian của TSA thử nghiệm"), "{page}");
    for (holds, words) in authority.others(&pdf.bytes).into_iter().flatten() {
        assert!(holds, "{words}");
    }
    if let Some(keep) = std::env::var_os("SCREENSHOTS") {
        std::fs::write(std::path::Path::new(&keep).join("notice-signed.pdf"), &pdf.bytes).unwrap();
    }

    let verified = async |state: &AppState| {
        let (store, evidence) = (&state.store, &state.evidence);
        verify_signed(store, evidence, &state.law, Depth::Seals, &state.signing).await.unwrap()
    };
    let report = verified(&setting.state).await;
    assert_eq!(report.signatures, Some(Signatures { signed: 1, unsigned: 0 }));
    assert!(report.ok, "{:?}", report.findings);
    // A hand that changes file and records alike has no key to sign with.
    let case_row = "SELECT evidence_id FROM cases WHERE id = $1";
    let evidence: String =
        sqlx::query_scalar(case_row).bind(case.clone()).fetch_one(store.pool()).await.unwrap();
    let forged = changed(&pdf.bytes, pdf.bytes.len() / 2);
    let sha256 = contract::Digest::of(&forged).to_string();
    let file = setting.file(
        &evidence,
        &central_api::documents::file_name(central_api::documents::Kind::Notice, &sha256),
    );
    std::fs::write(file, &forged).unwrap();
    store.write(sqlx::query("UPDATE documents SET sha256 = $1").bind(sha256)).await.unwrap();
    let report = verified(&setting.state).await;
    let told: Vec<_> = report.findings.iter().map(|it| it.problem.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("column sha256 differs"), "{told:?}");
    assert_eq!(told[1], "is not the file that was issued");
    assert!(told[2].contains("its digest differs"), "{told:?}");
    assert_eq!(report.signatures, Some(Signatures::default()));
    let page = binh.get(&format!("/ho-so/{case}")).await.text();
    assert!(page.contains("Chữ ký số không hợp lệ"), "{page}");
}

#[tokio::test]
async fn without_a_key_the_page_says_that_it_is_to_be_signed_by_hand() {
    let setting = Setting::new().await;
    let case = setting.case(1, |_| {}).await;
    setting.user("an", &[Role::Reviewer]).await;
    setting.user("binh", &[Role::Approver]).await;
    Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
    let mut binh = Visitor::officer(&setting.state, "binh").await;
    binh.decide(&case, "approve", &[]).await;
    let page = binh.get(&format!("/ho-so/{case}")).await.text();
    assert!(page.contains("Bản in chưa ký số"), "{page}");
}
