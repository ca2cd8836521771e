//! A certification authority, who signs by its certificates, and what other programs say of a PDF.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use central_api::config;
use central_api::documents::sign::Trust;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

/// When everything is signed; openssl is told so, too.
pub const NOW: OffsetDateTime = datetime!(2026-11-21 01:20:00 UTC);

/// A folder with keys and certificates as `[signing]` wants them.
pub struct Authority {
    pub folder: TempDir,
}

/// The private key called `name`, as PEM.
pub fn key(name: &str) -> String {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assets/signing");
    std::fs::read_to_string(assets.join(format!("{name}.key.pem"))).unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "VN");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = datetime!(2025-01-01 00:00 UTC);
    params.not_after = datetime!(2030-01-01 00:00 UTC);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn issuer(name: &str, key_name: &str) -> Issuer<'static, KeyPair> {
    Issuer::new(authority(name), KeyPair::from_pem(&key(key_name)).unwrap())
}

const ROOT: &str = "Root CA thử nghiệm";
const ISSUER: &str = "CA cấp chứng thư số thử nghiệm";

/// The root's certificate, as PEM.
pub fn root() -> String {
    authority(ROOT).self_signed(&KeyPair::from_pem(&key("root")).unwrap()).unwrap().pem()
}

/// The certificate of the authority below the root.
pub fn between() -> String {
    let public = KeyPair::from_pem(&key("issuer")).unwrap();
    authority(ISSUER).signed_by(&public, &issuer(ROOT, "root")).unwrap().pem()
}

/// The certificate of the key `key_name`, for signing documents, changed by `edit`.
pub fn certificate(key_name: &str, edit: impl FnOnce(&mut CertificateParams)) -> String {
    let mut params = params("Phòng Cảnh sát giao thông");
    params.distinguished_name.push(DnType::OrganizationName, "Công an tỉnh Mẫu");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    edit(&mut params);
    let public = KeyPair::from_pem(&key(key_name)).unwrap();
    params.signed_by(&public, &issuer(ISSUER, "issuer")).unwrap().pem()
}

/// Says in a certificate that it is for time stamps alone.
pub fn for_time_stamps(params: &mut CertificateParams) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "TSA thử nghiệm");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = Vec::new();
    // The sequence of one purpose, id-kp-timeStamping; rcgen does not write it as critical.
    let purpose = [0x30, 0x0a, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 8];
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], purpose.to_vec());
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

pub fn der(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
}

/// The test's root is believed for everything.
pub fn trust() -> Trust {
    let roots = der(&root());
    Trust { documents: roots.clone(), stamps: roots }
}

impl Authority {
    pub fn new() -> Self {
        Self::with(certificate("signer", |_| {}))
    }

    /// Whose signing certificate is another one.
    pub fn with(certificate: String) -> Self {
        let authority = Self { folder: tempfile::tempdir().unwrap() };
        authority.write("signer.key", &key("signer"));
        authority.write("chain.pem", &(certificate + &between()));
        authority.write("roots.pem", &root());
        authority
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that nobody else may read.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    pub fn settings(&self) -> config::Signing {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        config::Signing {
            key: path("signer.key"),
            certificates: path("chain.pem"),
            roots: path("roots.pem"),
            time_stamp_roots: path("roots.pem"),
            ..config::Signing::default()
        }
    }

    /// What poppler and pyHanko say of a PDF: whether it holds, and in what words. Both are installed
    /// by `deploy/setup.sh --test`; `SKIP_PDF_CHECKERS=1` leaves them out, aloud.
    pub fn others(&self, pdf: &[u8]) -> Option<[(bool, String); 2]> {
        if std::env::var_os("SKIP_PDF_CHECKERS").is_some() {
            println!("skipped: SKIP_PDF_CHECKERS is set");
            return None;
        }
        let (file, roots) = (self.path("checked.pdf"), self.path("roots.pem"));
        std::fs::write(&file, pdf).unwrap();
        let poppler = said(Command::new("pdfsig").arg("-nocert").arg(&file));
        let valid = poppler.matches("Signature is Valid").count();
        let signatures = poppler.matches("Signature Validation:").count();
        // What was added behind a signature is for poppler a matter of words.
        let whole = poppler.matches("Total document signed").count() == 1;
        let poppler = (signatures > 0 && valid == signatures && whole, poppler);

        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.pdf-checker/bin/pyhanko");
        let mut command = Command::new(program);
        command.args(["sign", "validate", "--pretty-print", "--no-revocation-check"]);
        command.arg("--trust-replace").arg("--trust").arg(roots);
        command.args(["--validation-time", "2026-11-22T00:00:00+00:00"]).arg(&file);
        let output = run(&mut command);
        let words = text(&output);
        Some([poppler, (output.status.success(), words)])
    }
}

pub fn run(command: &mut Command) -> Output {
    command.env("TZ", "UTC").env("LC_ALL", "C.UTF-8").output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; deploy/setup.sh --test installs it, SKIP_PDF_CHECKERS=1 goes on without")
    })
}

fn said(command: &mut Command) -> String {
    text(&run(command))
}

fn text(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(error))
}
