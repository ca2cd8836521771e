//! Whom signatures and time stamps are believed: chains of certificates up to configured roots
//! (RFC 5280, by webpki), at the time of the signature. Whether a certificate was revoked is not asked.

use der::Encode as _;
use der::asn1::ObjectIdentifier;
use rustls_pki_types::{CertificateDer, UnixTime};
use time::OffsetDateTime;
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage};

use super::cms::oid;

const TIME_STAMPING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
/// What issuers write into certificates of people and offices who sign documents: any purpose, client
/// authentication, e-mail, documents (RFC 9336, Microsoft, Adobe).
const DOCUMENTS: [ObjectIdentifier; 6] = [
    oid("2.5.29.37.0"),
    oid("1.3.6.1.5.5.7.3.2"),
    oid("1.3.6.1.5.5.7.3.4"),
    oid("1.3.6.1.5.5.7.3.36"),
    oid("1.3.6.1.4.1.311.10.3.12"),
    oid("1.2.840.113583.1.1.5"),
];

/// Root certificates, for signatures and for time stamps.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    pub documents: Vec<CertificateDer<'static>>,
    pub stamps: Vec<CertificateDer<'static>>,
}

/// Who a certificate says somebody is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Party {
    pub name: String,
    pub organisation: Option<String>,
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error("the certificate of {name} ended on {}", .until.date())]
    Expired { name: String, until: OffsetDateTime },
    #[error("the certificate of {name} begins on {}: is the clock right?", .from.date())]
    NotYet { name: String, from: OffsetDateTime },
    #[error("the certificate of {name} is not for {purpose} (key usage)")]
    Usage { name: String, purpose: &'static str },
    #[error("the certificate of {name} leads to none of the configured roots: {why}")]
    Chain { name: String, why: String },
    #[error("no roots are configured ({0})")]
    NoRoots(&'static str),
    #[error("a certificate cannot be read: {0}")]
    Unreadable(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Documents,
    Stamps,
}

impl Purpose {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Documents => "signing documents",
            Self::Stamps => "time stamps",
        }
    }
}

impl Party {
    pub(super) fn of(certificate: &Certificate) -> Self {
        let subject = certificate.tbs_certificate().subject();
        let organisation = subject.organization().ok().flatten().map(|name| name.value().into());
        let name = subject.common_name().ok().flatten().map(|name| name.value().into());
        Self { name: name.unwrap_or_else(|| subject.to_string()), organisation }
    }
}

impl Trust {
    /// Follows the chain from `leaf` over `others` to a root, as it was at `at`.
    pub(super) fn follow<'a>(
        &self,
        purpose: Purpose,
        leaf: &Certificate,
        others: impl Iterator<Item = &'a Certificate>,
        at: OffsetDateTime,
    ) -> Result<(), TrustError> {
        let (roots, key) = match purpose {
            Purpose::Documents => (&self.documents, "signing.roots"),
            Purpose::Stamps => (&self.stamps, "signing.time_stamp_roots"),
        };
        if roots.is_empty() {
            return Err(TrustError::NoRoots(key));
        }
        let name = || Party::of(leaf).name;
        check_validity(leaf, at)?;
        if !is_for(purpose, leaf) {
            return Err(TrustError::Usage { name: name(), purpose: purpose.in_words() });
        }
        let fault = |why: webpki::Error| TrustError::Chain { name: name(), why: why.to_string() };
        let der = CertificateDer::from(encoded(leaf)?);
        let others: Vec<CertificateDer<'_>> =
            others.map(|other| Ok(encoded(other)?.into())).collect::<Result<_, TrustError>>()?;
        let anchors = roots.iter().map(anchor_from_trusted_cert).collect::<Result<Vec<_>, _>>();
        let anchors = anchors.map_err(fault)?;
        let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let end = EndEntityCert::try_from(&der).map_err(fault)?;
        end.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &others, time, AnyUse, None, None)
            .map_err(fault)?;
        Ok(())
    }
}

/// What the leaf is for is asked above, by this module's own rule.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

pub(super) fn check_validity(
    certificate: &Certificate,
    at: OffsetDateTime,
) -> Result<(), TrustError> {
    let validity = certificate.tbs_certificate().validity();
    let name = || Party::of(certificate).name;
    let read = |time: &x509_cert::time::Time| OffsetDateTime::UNIX_EPOCH + time.to_unix_duration();
    let (from, until) = (read(&validity.not_before), read(&validity.not_after));
    if at < from {
        return Err(TrustError::NotYet { name: name(), from });
    }
    if at > until {
        return Err(TrustError::Expired { name: name(), until });
    }
    Ok(())
}

fn is_for(purpose: Purpose, certificate: &Certificate) -> bool {
    let tbs = certificate.tbs_certificate();
    let usage = match tbs.get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.digital_signature() || usage.non_repudiation(),
        Ok(None) => true,
        Err(_) => false,
    };
    let extended = match (tbs.get_extension::<ExtendedKeyUsage>(), purpose) {
        // RFC 3161, 2.3: this purpose alone, and critical.
        (Ok(Some((critical, uses))), Purpose::Stamps) => critical && uses.0 == [TIME_STAMPING],
        (Ok(Some((_, uses))), Purpose::Documents) => {
            uses.0.iter().any(|usage| DOCUMENTS.contains(usage))
        }
        (Ok(None), Purpose::Documents) => true,
        (Ok(None), Purpose::Stamps) | (Err(_), _) => false,
    };
    usage && extended
}

fn encoded(certificate: &Certificate) -> Result<Vec<u8>, TrustError> {
    certificate.to_der().map_err(|e| TrustError::Unreadable(e.to_string()))
}
