//! Time stamps (RFC 3161): what is asked, what comes back, and what a token must hold to be believed.

use der::asn1::{ObjectIdentifier, OctetString, Uint};
use der::{Any, Decode as _, Encode as _, Sequence, Tag, Tagged as _};
use sha2::{Digest as _, Sha256};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::cms::{self, Cms, CmsError};
use super::trust::{Party, Purpose, Trust, TrustError};

/// A server's clock and ours may differ by this much; more, and one of them is wrong.
const MOST_APART: Duration = Duration::minutes(5);

#[derive(Debug, Clone, Sequence)]
struct Imprint {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

#[derive(Debug, Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    #[asn1(optional = "true")]
    policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    nonce: Option<Uint>,
    #[asn1(default = "no")]
    certificate: bool,
}

const fn no() -> bool {
    false
}

/// Status, and the token where it was granted. Texts beside the status are not passed on.
#[derive(Debug, Sequence)]
struct Response {
    status: Any,
    #[asn1(optional = "true")]
    token: Option<Any>,
}

/// Why there is no time stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    #[error("it refused (status {0})")]
    Refused(u8),
    #[error("its time stamp is of another document")]
    Imprint,
    #[error("its answer is to another request (nonce)")]
    Nonce,
    #[error("its clock says {theirs}, ours {ours}: one of them is wrong")]
    Clock { theirs: OffsetDateTime, ours: OffsetDateTime },
    #[error("its time stamp {0}")]
    Token(#[from] CmsError),
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl From<der::Error> for StampError {
    fn from(error: der::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// A time stamp that holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Stamped {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub by: Party,
}

/// The request for a time stamp over `message`.
pub(super) fn request(message: &[u8], nonce: u64) -> Result<Vec<u8>, StampError> {
    let request = Request {
        version: 1,
        imprint: Imprint {
            algorithm: AlgorithmIdentifierOwned { oid: cms::SHA256, parameters: None },
            digest: OctetString::new(Sha256::digest(message).to_vec())?,
        },
        policy: None,
        nonce: Some(Uint::new(&nonce.to_be_bytes())?),
        certificate: true,
    };
    Ok(request.to_der()?)
}

/// The token in a server's answer, once everything in it holds: it is of `message`, answers the
/// request with `nonce`, is of this time, and signed by a server that is believed.
pub(super) fn accept(
    response: &[u8],
    message: &[u8],
    nonce: u64,
    trust: &Trust,
    now: OffsetDateTime,
) -> Result<Vec<u8>, StampError> {
    const GRANTED: u8 = 1;
    let response = Response::from_der(response)?;
    let status = response.status.sequence(|reader| {
        let status = u8::decode(reader)?;
        // Words about a refusal, in the server's language.
        while !der::Reader::is_finished(reader) {
            Any::decode(reader)?;
        }
        Ok::<_, der::Error>(status)
    })?;
    let token = response.token.filter(|_| status <= GRANTED);
    let token = token.ok_or(StampError::Refused(status))?.to_der()?;
    let info = Info::of(&token)?;
    if info.nonce.as_ref().map(Uint::as_bytes) != Some(Uint::new(&nonce.to_be_bytes())?.as_bytes())
    {
        return Err(StampError::Nonce);
    }
    let stamped = check(&token, message, trust)?;
    if (stamped.at - now).abs() > MOST_APART {
        return Err(StampError::Clock { theirs: stamped.at, ours: now });
    }
    Ok(token)
}

/// Checks a token over `message`: whose it is and when it says that was there.
pub(super) fn check(token: &[u8], message: &[u8], trust: &Trust) -> Result<Stamped, StampError> {
    let cms = Cms::parse(token)?;
    let info = Info::of(token)?;
    let digest = cms::hash(info.imprint.algorithm.oid, &[message])?;
    if info.imprint.digest.as_bytes() != digest {
        return Err(StampError::Imprint);
    }
    let (_, content) = cms.content()?;
    let certificate = cms.verify(&[content.as_bytes()])?;
    trust.follow(Purpose::Stamps, certificate, cms.certificates(), info.at)?;
    Ok(Stamped { at: info.at, by: Party::of(certificate) })
}

/// What is read of TSTInfo.
struct Info {
    imprint: Imprint,
    at: OffsetDateTime,
    nonce: Option<Uint>,
}

impl Info {
    fn of(token: &[u8]) -> Result<Self, StampError> {
        let (kind, content) = Cms::parse(token)?.content()?;
        if kind != cms::TST_INFO {
            return Err(StampError::Unreadable("it holds no time stamp".into()));
        }
        let info = Any::from_der(content.as_bytes())?;
        let (imprint, time, nonce) = info.sequence(|reader| {
            let (_version, _policy) = (u8::decode(reader)?, Any::decode(reader)?);
            let imprint = Imprint::decode(reader)?;
            let _serial = Any::decode(reader)?;
            let time = Any::decode(reader)?;
            let mut nonce = None;
            // Accuracy, ordering, nonce, name and extensions, each of its own tag.
            while !der::Reader::is_finished(reader) {
                let part = Any::decode(reader)?;
                if part.tag() == Tag::Integer {
                    nonce = Some(part.decode_as::<Uint>()?);
                }
            }
            Ok::<_, der::Error>((imprint, time, nonce))
        })?;
        let at = generalized_time(&time)
            .ok_or_else(|| StampError::Unreadable("its time is no time".into()))?;
        Ok(Self { imprint, at, nonce })
    }
}

/// With or without parts of a second, which DER's own reader does not take.
fn generalized_time(time: &Any) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(time.value()).ok()?.strip_suffix('Z')?;
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let format = format_description!("[year][month][day][hour][minute][second]");
    let whole = PrimitiveDateTime::parse(whole, format).ok()?.assume_utc();
    let is_part = (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let nanoseconds: i64 = is_part.then(|| format!("{part:0<9}").parse().ok())??;
    (time.tag() == Tag::GeneralizedTime).then_some(whole + Duration::nanoseconds(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_read_with_and_without_parts_of_a_second() {
        let read = |text: &str| {
            generalized_time(&Any::new(Tag::GeneralizedTime, text.as_bytes()).unwrap())
        };
        assert_eq!(read("20261121012345Z"), Some(datetime!(2026-11-21 01:23:45 UTC)));
        assert_eq!(read("20261121012345.25Z"), Some(datetime!(2026-11-21 01:23:45.25 UTC)));
        for wrong in ["20261121012345", "2026Z", "20261121012345.Z", "20261121012345.+5Z"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let (trust, now) = (Trust::default(), datetime!(2026-11-21 01:23:45 UTC));
        let refuse = |bytes: &[u8]| accept(bytes, b"m", 1, &trust, now).unwrap_err();
        assert!(matches!(refuse(b"<html>"), StampError::Unreadable(_)));
        assert!(matches!(refuse(&[]), StampError::Unreadable(_)));
        // PKIStatusInfo of status 2, with a failure code.
        let refused = [0x30, 0x09, 0x30, 0x07, 0x02, 0x01, 0x02, 0x03, 0x02, 0x05, 0x20];
        assert_eq!(refuse(&refused), StampError::Refused(2));
    }
}
