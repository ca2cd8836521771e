//! The seal: a JSON Web Signature (RFC 7515) with Ed25519 (RFC 8037), so any JWS tool can check it.
//!
//! Manifests carry a *detached* JWS (RFC 7515 appendix F): the payload is the manifest file itself.
//! Receipts carry their payload inside. A seal says who signed which bytes, nothing more.
//!
//! A bare signature that fails cannot say whether the seal or the sealed bytes were changed. The
//! protected header of a detached seal therefore also names the payload's SHA-256 in the private
//! parameter `sha256`, which other tools ignore.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signature, Signer as _};
use serde::{Deserialize, Serialize};

use crate::Digest;

/// Upper bound on a JWS, bytes.
pub const MAX_JWS_BYTES: usize = 16 * 1024;

/// What is signed, kept in the protected header so that a receipt never passes for a manifest or a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    #[serde(rename = "phatnguoi-manifest+jws")]
    Manifest,
    #[serde(rename = "phatnguoi-receipt+jws")]
    Receipt,
    #[serde(rename = "phatnguoi-release+jws")]
    Release,
}

/// The protected header. Unknown parameters are refused, so is `crit` (RFC 7515 §4.1.11).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: Purpose,
    kid: String,
    /// Digest of a detached payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
}

/// Why a seal was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("seal is not a compact JWS with an Ed25519 header")]
    Malformed,
    #[error("seal was made for another purpose: expected {expected:?}, found {found:?}")]
    Purpose { expected: Purpose, found: Purpose },
    #[error("seal was made with key {found}, expected key {expected}")]
    Key { expected: String, found: String },
    #[error("sealed bytes have SHA-256 {found}, the seal says {expected}: they were changed")]
    Payload { expected: Digest, found: Digest },
    #[error("signature does not match: the seal was changed")]
    Signature,
    #[error("not an Ed25519 key in PEM form: {0}")]
    Pem(String),
}

/// A private sealing key. It never leaves the machine that made it.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The public half, by which anyone checks a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().id())
    }
}

impl SigningKey {
    /// A key from 32 secret random bytes, given by the caller's random source.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    pub fn from_pem(pem: &str) -> Result<Self, SealError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|e| SealError::Pem(e.to_string()))
    }

    pub fn to_pem(&self) -> Result<String, SealError> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|e| SealError::Pem(e.to_string()))?;
        Ok(pem.to_string())
    }

    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Signs `payload`, leaving it out of the result: `header..signature`.
    pub fn sign_detached(&self, purpose: Purpose, payload: &[u8]) -> String {
        let (header, signature) = self.sign_parts(purpose, payload, Some(Digest::of(payload)));
        format!("{header}..{signature}")
    }

    /// Signs `payload` and carries it: `header.payload.signature`.
    pub fn sign(&self, purpose: Purpose, payload: &[u8]) -> String {
        let (header, signature) = self.sign_parts(purpose, payload, None);
        format!("{header}.{}.{signature}", B64.encode(payload))
    }

    fn sign_parts(
        &self,
        purpose: Purpose,
        payload: &[u8],
        sha256: Option<Digest>,
    ) -> (String, String) {
        let header = self.verifying_key().header(purpose, sha256);
        let signature = self.0.sign(&signing_input(&header, payload));
        (header, B64.encode(signature.to_bytes()))
    }
}

impl VerifyingKey {
    pub fn from_pem(pem: &str) -> Result<Self, SealError> {
        ed25519_dalek::VerifyingKey::from_public_key_pem(pem)
            .map(Self)
            .map_err(|e| SealError::Pem(e.to_string()))
    }

    pub fn to_pem(&self) -> Result<String, SealError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|e| SealError::Pem(e.to_string()))
    }

    /// Short name of the key: the first 16 hex digits of the SHA-256 of its 32 bytes.
    pub fn id(&self) -> String {
        let mut id = Digest::of(self.0.as_bytes()).to_string();
        id.truncate(16);
        id
    }

    /// Checks a detached seal over `payload` and tells a changed payload from a changed seal. A
    /// seal whose header and signature were both changed passes for a changed payload.
    pub fn verify_detached(
        &self,
        purpose: Purpose,
        jws: &str,
        payload: &[u8],
    ) -> Result<(), SealError> {
        let [header, middle, signature] = split(jws)?;
        if !middle.is_empty() {
            return Err(SealError::Malformed);
        }
        let expected = self.read_header(purpose, header)?.sha256.ok_or(SealError::Malformed)?;
        let found = Digest::of(payload);
        if found == expected {
            return self.verify_signature(header, payload, signature);
        }
        // Where the signature holds under the header that this payload would have had, the payload
        // is the one that was sealed, and the header was changed.
        let honest = self.header(purpose, Some(found));
        match self.verify_signature(&honest, payload, signature) {
            Ok(()) => Err(SealError::Signature),
            Err(SealError::Malformed) => Err(SealError::Malformed),
            Err(_) => Err(SealError::Payload { expected, found }),
        }
    }

    /// Checks a seal that carries its payload and returns the payload.
    pub fn verify(&self, purpose: Purpose, jws: &str) -> Result<Vec<u8>, SealError> {
        let [header, middle, signature] = split(jws)?;
        let payload = B64.decode(middle).map_err(|_| SealError::Malformed)?;
        self.read_header(purpose, header)?;
        self.verify_signature(header, &payload, signature)?;
        Ok(payload)
    }

    /// The encoded header that this key's seals have.
    fn header(&self, purpose: Purpose, sha256: Option<Digest>) -> String {
        let header = Header { alg: "EdDSA".into(), typ: purpose, kid: self.id(), sha256 };
        // Plain strings: serialisation cannot fail.
        B64.encode(serde_json::to_vec(&header).unwrap_or_default())
    }

    fn read_header(&self, purpose: Purpose, header: &str) -> Result<Header, SealError> {
        let decoded = B64.decode(header).map_err(|_| SealError::Malformed)?;
        let header: Header = serde_json::from_slice(&decoded).map_err(|_| SealError::Malformed)?;
        if header.alg != "EdDSA" {
            return Err(SealError::Malformed);
        }
        if header.typ != purpose {
            return Err(SealError::Purpose { expected: purpose, found: header.typ });
        }
        if header.kid != self.id() {
            return Err(SealError::Key { expected: self.id(), found: header.kid });
        }
        Ok(header)
    }

    fn verify_signature(
        &self,
        header: &str,
        payload: &[u8],
        signature: &str,
    ) -> Result<(), SealError> {
        let signature = B64.decode(signature).map_err(|_| SealError::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| SealError::Malformed)?;
        self.0
            .verify_strict(&signing_input(header, payload), &signature)
            .map_err(|_| SealError::Signature)
    }
}

fn signing_input(header: &str, payload: &[u8]) -> Vec<u8> {
    format!("{header}.{}", B64.encode(payload)).into_bytes()
}

fn split(jws: &str) -> Result<[&str; 3], SealError> {
    if jws.len() > MAX_JWS_BYTES {
        return Err(SealError::Malformed);
    }
    let mut parts = jws.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(SealError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    #[test]
    fn detached_seal_holds_and_breaks_on_one_bit() {
        let seal = key(1).sign_detached(Purpose::Manifest, b"claims");
        let public = key(1).verifying_key();
        assert_eq!(public.verify_detached(Purpose::Manifest, &seal, b"claims"), Ok(()));
        assert_eq!(
            public.verify_detached(Purpose::Manifest, &seal, b"clbims"),
            Err(SealError::Payload {
                expected: Digest::of(b"claims"),
                found: Digest::of(b"clbims")
            })
        );
    }

    #[test]
    fn a_seal_made_for_other_bytes_by_changing_its_header_is_blamed() {
        let seal = key(1).sign_detached(Purpose::Manifest, b"claims");
        let public = key(1).verifying_key();
        let forged = public.header(Purpose::Manifest, Some(Digest::of(b"other")));
        let signature = seal.rsplit_once('.').unwrap().1;
        let forged = format!("{forged}..{signature}");
        let verdict = |payload| public.verify_detached(Purpose::Manifest, &forged, payload);
        assert_eq!(verdict(b"claims".as_slice()), Err(SealError::Signature));
        assert_eq!(verdict(b"other".as_slice()), Err(SealError::Signature));
    }

    #[test]
    fn a_critical_parameter_that_nobody_understands_is_refused() {
        let key = key(1);
        let header = format!(
            r#"{{"alg":"EdDSA","typ":"phatnguoi-receipt+jws","kid":"{}","crit":["x"],"x":1}}"#,
            key.verifying_key().id()
        );
        let header = B64.encode(header);
        let signature = B64.encode(key.0.sign(&signing_input(&header, b"x")).to_bytes());
        let jws = format!("{header}.{}.{signature}", B64.encode(b"x"));
        assert_eq!(key.verifying_key().verify(Purpose::Receipt, &jws), Err(SealError::Malformed));
    }

    #[test]
    fn another_key_is_named() {
        let seal = key(1).sign_detached(Purpose::Manifest, b"claims");
        let other = key(2).verifying_key();
        assert!(matches!(
            other.verify_detached(Purpose::Manifest, &seal, b"claims"),
            Err(SealError::Key { .. })
        ));
    }

    #[test]
    fn a_receipt_never_passes_for_a_manifest() {
        let jws = key(1).sign(Purpose::Receipt, b"got it");
        let public = key(1).verifying_key();
        assert_eq!(public.verify(Purpose::Receipt, &jws), Ok(b"got it".to_vec()));
        assert!(matches!(public.verify(Purpose::Manifest, &jws), Err(SealError::Purpose { .. })));
    }

    #[test]
    fn pem_round_trip() {
        let pem = key(3).to_pem().unwrap();
        assert_eq!(SigningKey::from_pem(&pem).unwrap().verifying_key(), key(3).verifying_key());
        let public = key(3).verifying_key().to_pem().unwrap();
        assert_eq!(VerifyingKey::from_pem(&public).unwrap(), key(3).verifying_key());
    }
}
