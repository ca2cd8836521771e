//! Signing in two steps, with any time between them: [`prepare`] lays the document ready with all but
//! the signature's value, [`complete`] puts that in once somebody made it, on a card, a phone or with
//! the key beside. What lies ready is one file and nothing else; it holds certificate, signed
//! attributes and the place for the value, so that it can wait on a disk.

use bytes::Bytes;
use der::Decode as _;
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::cms::Cms;
use super::file::{File, FileError, Update};
use super::object::{Dictionary, Object};
use super::span::{self, Span};
use super::trust::{Party, Purpose, Trust};
use super::{SignError, appearance, place, stamp};

/// Room for the longest signature (RSA of 4096 bits), the signed attributes and what encloses both.
const ROOM_SIGNATURE: usize = 1024;
/// Room for a time stamp with its certificates.
const ROOM_STAMP: usize = 16 * 1024;
/// Printed and locked (ISO 32000-1, 12.5.3).
const FLAGS: u32 = 4 | 128;

/// What a signature is to say.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The signer's, then those between it and its root.
    pub certificates: &'a [CertificateDer<'static>],
    pub at: OffsetDateTime,
    /// Empty where none is to be given.
    pub reason: &'a str,
    pub location: &'a str,
    /// Whether a time stamp will be put in.
    pub stamped: bool,
}

/// A document that lies ready for the value of its signature.
#[derive(Debug, Clone)]
pub struct Prepared {
    file: Bytes,
    span: Span,
    cms: Cms,
}

/// Lays `pdf` ready: what was there stays byte for byte, the signature lies behind it.
pub fn prepare(pdf: &[u8], order: Order<'_>) -> Result<Prepared, SignError> {
    let file = File::open(pdf)?;
    let signer = order.certificates.first().ok_or(SignError::NoCertificate)?;
    let by = Party::of(&certificate(signer)?);
    let certificates: usize = order.certificates.iter().map(|der| der.len()).sum();
    // The signer's name and number stand twice: in its certificate and beside the signature.
    let stamp = if order.stamped { ROOM_STAMP } else { 0 };
    let room = certificates + signer.len() + ROOM_SIGNATURE + stamp;

    let mut update = Update::of(&file)?;
    let earlier = fields(&file)?.len();
    let place = place::find(&file)?;
    let (value, field) = (update.number(), update.number());
    let start = update.write(value, &signature(&by, &order, room));
    let mut widget = Dictionary::of([
        ("Type", Object::name("Annot")),
        ("Subtype", Object::name("Widget")),
        ("FT", Object::name("Sig")),
        ("T", Object::raw(format!("(Signature{})", earlier + 1))),
        ("V", Object::Reference(value, 0)),
        ("P", Object::Reference(place.page, 0)),
        ("F", Object::raw(FLAGS)),
    ]);
    // The first one has the place; what is signed behind it shows nothing, nor does a form without one.
    let rectangle = place.rectangle.filter(|_| earlier == 0);
    let corners = rectangle.unwrap_or_default().map(|n| Object::raw(decimal(n)));
    widget.set("Rect", Object::Array(corners.to_vec()));
    if rectangle.is_some() {
        let shown = appearance::write(&mut update, &by, order.at)?;
        let shown = Dictionary::of([("N", Object::Reference(shown, 0))]);
        widget.set("AP", Object::Dictionary(shown));
    }
    update.write(field, &Object::Dictionary(widget));
    enter(&file, &mut update, place.page, field)?;
    let mut out = update.finish();

    span::write_range(&mut out, start, room).ok_or(SignError::Room)?;
    let span = Span::latest(&out)?.ok_or(SignError::Room)?;
    let cms = Cms::unsigned(order.certificates, span.sha256(&out))?;
    span.fill(&mut out, &cms.to_der()?).ok_or(SignError::Room)?;
    Ok(Prepared { file: out.into(), span, cms })
}

impl Prepared {
    /// Reads back what was kept.
    pub fn open(file: Bytes) -> Result<Self, SignError> {
        let span = Span::latest(&file)?.ok_or(SignError::NotPrepared)?;
        let cms = Cms::parse(&span.content(&file)?)?;
        if !cms.signature().is_empty() {
            return Err(SignError::NotPrepared);
        }
        Ok(Self { file, span, cms })
    }

    /// To be kept until the signature comes.
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    /// What is to be signed: the signed attributes.
    pub fn attributes(&self) -> Result<Vec<u8>, SignError> {
        Ok(self.cms.to_sign()?)
    }

    /// Their SHA-256, for cards and services that are given a digest.
    pub fn digest(&self) -> Result<[u8; 32], SignError> {
        Ok(Sha256::digest(self.attributes()?).into())
    }
}

/// Puts `signature` into `prepared`, and a time stamp token over it where there is one. Nothing of
/// what came back is believed: the document must be what was prepared, the signature its
/// certificate's, the certificate in force, for documents, and of a configured root.
pub fn complete(
    prepared: Prepared,
    signature: &[u8],
    token: Option<&[u8]>,
    trust: &Trust,
    now: OffsetDateTime,
) -> Result<Bytes, SignError> {
    let Prepared { file, span, mut cms } = prepared;
    cms.sign(signature)?;
    let certificate = cms.verify(&span.covered(&file))?;
    trust.follow(Purpose::Documents, certificate, cms.certificates(), now)?;
    if let Some(token) = token {
        stamp::check(token, signature, trust).map_err(SignError::Token)?;
        cms.set_stamp(token)?;
    }
    let mut file = Vec::from(file);
    span.fill(&mut file, &cms.to_der()?).ok_or(SignError::Room)?;
    Ok(file.into())
}

fn certificate(der: &CertificateDer<'_>) -> Result<x509_cert::Certificate, SignError> {
    x509_cert::Certificate::from_der(der).map_err(|e| SignError::Cms(e.into()))
}

/// The signature's dictionary, with a hole of `room` bytes.
fn signature(by: &Party, order: &Order<'_>, room: usize) -> Object {
    let at = order.at.to_offset(crate::law::VIETNAM);
    let (day, time) = (at.date(), at.time());
    let written = format!(
        "(D:{}{:02}{:02}{:02}{:02}{:02}+07'00')",
        day.year(),
        u8::from(day.month()),
        day.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let mut dictionary = Dictionary::of([
        ("Type", Object::name("Sig")),
        ("Filter", Object::name("Adobe.PPKLite")),
        ("SubFilter", Object::name(span::FORMAT)),
        ("ByteRange", span::unknown_range()),
        ("Contents", span::hole(room)),
        ("M", Object::raw(written)),
        ("Name", Object::text(&by.name)),
    ]);
    for (key, text) in [("Reason", order.reason), ("Location", order.location)] {
        if !text.is_empty() {
            dictionary.set(key, Object::text(text));
        }
    }
    Object::Dictionary(dictionary)
}

/// The document's form fields.
pub(super) fn fields(file: &File<'_>) -> Result<Vec<Object>, FileError> {
    let (_, catalog) = file.catalog()?;
    let Some(form) = catalog.get("AcroForm") else { return Ok(Vec::new()) };
    let form = file.resolved(form)?;
    let Some(fields) = form.dictionary().and_then(|form| form.get("Fields")) else {
        return Ok(Vec::new());
    };
    Ok(file.resolved(fields)?.array().unwrap_or_default().to_vec())
}

/// Makes `field` known to the document and its page.
fn enter(file: &File<'_>, update: &mut Update<'_>, page: u32, field: u32) -> Result<(), SignError> {
    let field = Object::Reference(field, 0);
    let (root, mut catalog) = file.catalog()?;
    let form = catalog.get("AcroForm").map(|form| file.resolved(form)).transpose()?;
    let mut form = form.as_ref().and_then(Object::dictionary).cloned().unwrap_or_default();
    let mut all = fields(file)?;
    all.push(field.clone());
    form.set("Fields", Object::Array(all));
    // Signatures exist; whoever changes the file must append to it.
    form.set("SigFlags", Object::raw(3));
    catalog.set("AcroForm", Object::Dictionary(form));
    update.write(root, &Object::Dictionary(catalog));

    let mut written = file.dictionary(page)?;
    let annotations = written.get("Annots").map(|all| file.resolved(all)).transpose()?;
    let mut all = annotations.as_ref().and_then(Object::array).unwrap_or_default().to_vec();
    all.push(field);
    written.set("Annots", Object::Array(all));
    update.write(page, &Object::Dictionary(written));
    Ok(())
}

/// As PDF writes numbers, to a hundredth.
fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}
