//! Signed data (CMS, RFC 5652) with what PAdES and time stamps ask of it: one signer, whose signed
//! attributes name the content's digest and the signer's certificate.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Decode as _, Encode as _, Reader as _, Sequence, SliceReader};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::{EndEntityCert, ring};
use x509_cert::Certificate;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::spki::AlgorithmIdentifierOwned;

pub(super) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
const TIME_STAMP: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.14");
pub(super) const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
pub(super) const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
const ECDSA_SHA256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");

/// What does not hold in signed data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] der::Error),
    #[error("has other bytes behind it")]
    Trailing,
    #[error("must have exactly one signer")]
    Signers,
    #[error("does not hold its signer's certificate")]
    NoCertificate,
    #[error("lacks the signed attribute {0}")]
    Lacks(&'static str),
    #[error("has fields that no signature of this kind has")]
    Frame,
    #[error("is of another content: its digest differs")]
    Digest,
    #[error("names another certificate than it holds")]
    OtherCertificate,
    #[error("was not made by the key of its certificate")]
    Signature,
    #[error("uses the algorithm {0}, which is not accepted (SHA-2 with RSA or ECDSA is)")]
    Algorithm(ObjectIdentifier),
}

/// ESSCertIDv2 (RFC 5035); the digest is SHA-256 where none is named.
#[derive(Sequence)]
struct NamedV2 {
    #[asn1(optional = "true")]
    digest: Option<AlgorithmIdentifierOwned>,
    hash: OctetString,
    #[asn1(optional = "true")]
    issuer: Option<Any>,
}

#[derive(Sequence)]
struct SigningCertificateV2 {
    certificates: Vec<NamedV2>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// ESSCertID (RFC 2634), with SHA-1: time stamp servers still name their certificate so.
#[derive(Sequence)]
struct Named {
    hash: OctetString,
    #[asn1(optional = "true")]
    issuer: Option<Any>,
}

#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<Named>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// Signed data with its one signer.
#[derive(Debug, Clone)]
pub(super) struct Cms {
    data: SignedData,
    signer: SignerInfo,
}

impl Cms {
    /// Of content that stands elsewhere, without its signature: what is to be signed is
    /// [`Cms::to_sign`]. The signer's certificate comes first.
    pub(super) fn unsigned(
        certificates: &[CertificateDer<'_>],
        sha256: [u8; 32],
    ) -> Result<Self, CmsError> {
        let first = certificates.first().ok_or(CmsError::NoCertificate)?;
        let certificate = Certificate::from_der(first)?;
        let named = SigningCertificateV2 {
            certificates: vec![NamedV2 {
                digest: None,
                hash: OctetString::new(Sha256::digest(first).to_vec())?,
                issuer: None,
            }],
            policies: None,
        };
        let attributes = [
            attribute(CONTENT_TYPE, &DATA)?,
            attribute(MESSAGE_DIGEST, &OctetString::new(sha256.to_vec())?)?,
            attribute(SIGNING_CERTIFICATE_V2, &named)?,
        ];
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: certificate.tbs_certificate().issuer().clone(),
                serial_number: certificate.tbs_certificate().serial_number().clone(),
            }),
            digest_alg: algorithm(SHA256, None),
            signed_attrs: Some(SetOfVec::try_from(attributes.to_vec())?),
            signature_algorithm: signature_algorithm(&certificate)?,
            signature: OctetString::new(Vec::new())?,
            unsigned_attrs: None,
        };
        let certificates = certificates
            .iter()
            .map(|der| Ok(CertificateChoices::Certificate(Certificate::from_der(der)?)))
            .collect::<Result<Vec<_>, CmsError>>()?;
        let data = SignedData {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![algorithm(SHA256, None)])?,
            encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
            certificates: Some(CertificateSet::try_from(certificates)?),
            crls: None,
            signer_infos: SignerInfos::try_from(vec![signer.clone()])?,
        };
        Ok(Self { data, signer })
    }

    /// Reads signed data at the beginning of `bytes`; behind it nothing but zeros may stand.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CmsError> {
        let mut reader = SliceReader::new(bytes)?;
        let info = ContentInfo::decode(&mut reader)?;
        let end = usize::try_from(reader.position())?;
        if bytes[end..].iter().any(|byte| *byte != 0) {
            return Err(CmsError::Trailing);
        }
        if info.content_type != SIGNED_DATA {
            return Err(CmsError::Lacks("content of signed data"));
        }
        let data: SignedData = info.content.decode_as()?;
        let [signer] = data.signer_infos.0.as_slice() else { return Err(CmsError::Signers) };
        let signer = signer.clone();
        Ok(Self { data, signer })
    }

    pub(super) fn to_der(&self) -> Result<Vec<u8>, CmsError> {
        let mut data = self.data.clone();
        data.signer_infos = SignerInfos::try_from(vec![self.signer.clone()])?;
        let info = ContentInfo { content_type: SIGNED_DATA, content: Any::encode_from(&data)? };
        Ok(info.to_der()?)
    }

    /// The signed attributes as they are signed.
    pub(super) fn to_sign(&self) -> Result<Vec<u8>, CmsError> {
        let attributes = self.signer.signed_attrs.as_ref();
        Ok(attributes.ok_or(CmsError::Lacks("anything"))?.to_der()?)
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.signer.signature.as_bytes()
    }

    pub(super) fn sign(&mut self, signature: &[u8]) -> Result<(), CmsError> {
        self.signer.signature = OctetString::new(signature.to_vec())?;
        Ok(())
    }

    /// The time stamp token over the signature.
    pub(super) fn stamp(&self) -> Result<Option<Vec<u8>>, CmsError> {
        match find(self.signer.unsigned_attrs.as_ref(), TIME_STAMP) {
            Some(token) => Ok(Some(token?.to_der()?)),
            None => Ok(None),
        }
    }

    pub(super) fn set_stamp(&mut self, token: &[u8]) -> Result<(), CmsError> {
        let stamp = attribute(TIME_STAMP, &Any::from_der(token)?)?;
        self.signer.unsigned_attrs = Some(SetOfVec::try_from(vec![stamp])?);
        Ok(())
    }

    /// The content that stands inside, and its type.
    pub(super) fn content(&self) -> Result<(ObjectIdentifier, OctetString), CmsError> {
        let content = &self.data.encap_content_info;
        let inside = content.econtent.as_ref().ok_or(CmsError::Lacks("content"))?;
        Ok((content.econtent_type, inside.decode_as()?))
    }

    /// Every certificate inside, in no order.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.data.certificates.iter().flat_map(|set| set.0.iter()).filter_map(|choice| match choice
        {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
    }

    /// The certificate of the signer, which the signed attributes name.
    pub(super) fn certificate(&self) -> Result<&Certificate, CmsError> {
        let SignerIdentifier::IssuerAndSerialNumber(named) = &self.signer.sid else {
            return Err(CmsError::NoCertificate);
        };
        let is_named = |certificate: &&Certificate| {
            let tbs = certificate.tbs_certificate();
            *tbs.issuer() == named.issuer && *tbs.serial_number() == named.serial_number
        };
        self.certificates().find(is_named).ok_or(CmsError::NoCertificate)
    }

    /// What nobody signs must be as RFC 5652 says, and nothing unknown may stand beside it: so no byte
    /// changes unnoticed.
    fn check_frame(&self) -> Result<(), CmsError> {
        let is_data = self.data.encap_content_info.econtent_type == DATA;
        let version = if is_data { CmsVersion::V1 } else { CmsVersion::V3 };
        let no_parameters = |algorithm: &AlgorithmIdentifierOwned| {
            algorithm.parameters.as_ref().is_none_or(|parameters| *parameters == Any::null())
        };
        let digests = &self.data.digest_algorithms;
        let mut others = self.signer.unsigned_attrs.iter().flat_map(|attributes| attributes.iter());
        if self.data.version != version
            || self.signer.version != CmsVersion::V1
            || !digests.iter().any(|digest| digest.oid == self.signer.digest_alg.oid)
            || !digests.iter().all(no_parameters)
            || !no_parameters(&self.signer.digest_alg)
            || !no_parameters(&self.signer.signature_algorithm)
            || is_data && others.any(|attribute| attribute.oid != TIME_STAMP)
        {
            return Err(CmsError::Frame);
        }
        Ok(())
    }

    /// Checks all but the certificate's own worth: that the signature is over `parts` (nothing else
    /// where they stand elsewhere), by the key of the certificate that it names.
    pub(super) fn verify(&self, parts: &[&[u8]]) -> Result<&Certificate, CmsError> {
        self.check_frame()?;
        let certificate = self.certificate()?;
        let attributes = self.signer.signed_attrs.as_ref();
        let kind: ObjectIdentifier =
            required(attributes, CONTENT_TYPE, "content-type")?.decode_as()?;
        let digest = required(attributes, MESSAGE_DIGEST, "message-digest")?;
        let digest: OctetString = digest.decode_as()?;
        if kind != self.data.encap_content_info.econtent_type
            || digest.as_bytes() != hash(self.signer.digest_alg.oid, parts)?
        {
            return Err(CmsError::Digest);
        }
        let der = certificate.to_der()?;
        self.check_named(&der)?;
        let der = CertificateDer::from(der);
        let end = EndEntityCert::try_from(&der).map_err(|_| CmsError::NoCertificate)?;
        let (message, signature) = (self.to_sign()?, self.signature());
        let accepted = accepted(&self.signer)?;
        if !accepted.iter().any(|a| end.verify_signature(*a, &message, signature).is_ok()) {
            return Err(CmsError::Signature);
        }
        Ok(certificate)
    }

    /// The signed attributes must name the certificate: whoever exchanges it changes them.
    fn check_named(&self, certificate: &[u8]) -> Result<(), CmsError> {
        let attributes = self.signer.signed_attrs.as_ref();
        let holds = if let Some(named) = find(attributes, SIGNING_CERTIFICATE_V2) {
            let named: SigningCertificateV2 = named?.decode_as()?;
            let first = named.certificates.first().ok_or(CmsError::OtherCertificate)?;
            let digest = first.digest.as_ref().map_or(SHA256, |digest| digest.oid);
            first.hash.as_bytes() == hash(digest, &[certificate])?
        } else {
            let named = required(attributes, SIGNING_CERTIFICATE, "signing-certificate")?;
            let named: SigningCertificate = named.decode_as()?;
            let first = named.certificates.first().ok_or(CmsError::OtherCertificate)?;
            first.hash.as_bytes() == sha1::Sha1::digest(certificate).as_slice()
        };
        if holds { Ok(()) } else { Err(CmsError::OtherCertificate) }
    }
}

fn attribute(oid: ObjectIdentifier, value: &impl der::Encode) -> Result<Attribute, CmsError> {
    let value = Any::from_der(&value.to_der()?)?;
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn algorithm(oid: ObjectIdentifier, parameters: Option<Any>) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters }
}

/// What a key of this certificate signs with.
fn signature_algorithm(certificate: &Certificate) -> Result<AlgorithmIdentifierOwned, CmsError> {
    let key = &certificate.tbs_certificate().subject_public_key_info().algorithm;
    match key.oid {
        RSA => Ok(algorithm(RSA_SHA256, Some(Any::null()))),
        EC => Ok(algorithm(ECDSA_SHA256, None)),
        other => Err(CmsError::Algorithm(other)),
    }
}

/// The algorithms that may stand behind what a signer says, by the length of keys.
fn accepted(
    signer: &SignerInfo,
) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, CmsError> {
    let oid = signer.signature_algorithm.oid;
    Ok(match (oid, signer.digest_alg.oid) {
        (RSA_SHA256, _) | (RSA, SHA256) => vec![ring::RSA_PKCS1_2048_8192_SHA256],
        (RSA_SHA384, _) | (RSA, SHA384) => vec![ring::RSA_PKCS1_2048_8192_SHA384],
        (RSA_SHA512, _) | (RSA, SHA512) => vec![ring::RSA_PKCS1_2048_8192_SHA512],
        (ECDSA_SHA256, _) => vec![ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256],
        (ECDSA_SHA384, _) => vec![ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA384],
        _ => return Err(CmsError::Algorithm(oid)),
    })
}

pub(super) fn hash(oid: ObjectIdentifier, parts: &[&[u8]]) -> Result<Vec<u8>, CmsError> {
    fn over<D: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
        parts.iter().fold(D::new(), |digest, part| digest.chain_update(part)).finalize().to_vec()
    }
    match oid {
        SHA256 => Ok(over::<Sha256>(parts)),
        SHA384 => Ok(over::<Sha384>(parts)),
        SHA512 => Ok(over::<Sha512>(parts)),
        other => Err(CmsError::Algorithm(other)),
    }
}

/// The one value of an attribute.
fn find(attributes: Option<&Attributes>, oid: ObjectIdentifier) -> Option<Result<&Any, CmsError>> {
    let attribute = attributes?.iter().find(|attribute| attribute.oid == oid)?;
    Some(attribute.values.get(0).ok_or(CmsError::Lacks("a value")))
}

fn required<'a>(
    attributes: Option<&'a Attributes>,
    oid: ObjectIdentifier,
    name: &'static str,
) -> Result<&'a Any, CmsError> {
    find(attributes, oid).ok_or(CmsError::Lacks(name))?
}
