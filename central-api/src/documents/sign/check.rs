//! Whether a signed document holds: every byte but the signature's own is covered, the signature is
//! its certificate's, the certificate leads to a configured root, and so does the time stamp.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::SignError;
use super::cms::Cms;
use super::object::Object;
use super::span::{Span, SpanError};
use super::stamp::{self, Stamped};
use super::trust::{Party, Purpose, Trust};

/// Signatures of one document.
const MOST: usize = 16;

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Signature {
    pub by: Party,
    /// When it was made: as the time stamp says, else as the signer's own clock said.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub stamp: Option<Stamped>,
}

/// The signatures of `file` in their order, none where it is not signed. The last one covers the whole
/// file, each earlier one the file as it was then.
pub fn check(file: &[u8], trust: &Trust) -> Result<Vec<Signature>, SignError> {
    let mut found = Vec::new();
    let mut next = Span::latest(file)?;
    while let Some(span) = next {
        if found.len() == MOST {
            return Err(SignError::TooMany(MOST));
        }
        found.push(one(file, &span, trust)?);
        next = Span::before(file, span.start)?;
        if next.as_ref().is_some_and(|earlier| earlier.end > span.start) {
            return Err(SpanError::Range.into());
        }
    }
    found.reverse();
    Ok(found)
}

fn one(file: &[u8], span: &Span, trust: &Trust) -> Result<Signature, SignError> {
    let cms = Cms::parse(&span.content(file)?)?;
    let certificate = cms.verify(&span.covered(file))?;
    let stamp = match cms.stamp()? {
        Some(token) => {
            Some(stamp::check(&token, cms.signature(), trust).map_err(SignError::Token)?)
        }
        None => None,
    };
    let at = match &stamp {
        Some(stamp) => stamp.at,
        None => said(span.dictionary.get("M")).ok_or(SpanError::Dictionary)?,
    };
    trust.follow(Purpose::Documents, certificate, cms.certificates(), at)?;
    Ok(Signature { by: Party::of(certificate), at, stamp })
}

/// `(D:20261121081530+07'00')`.
fn said(time: Option<&Object>) -> Option<OffsetDateTime> {
    let Object::Token(token) = time? else { return None };
    let text = std::str::from_utf8(token).ok()?.strip_prefix("(D:")?.strip_suffix("')")?;
    let (local, zone) = text.split_at_checked(14)?;
    let format = format_description!("[year][month][day][hour][minute][second]");
    let local = PrimitiveDateTime::parse(local, format).ok()?;
    let (sign, zone) = (if zone.starts_with('-') { -1 } else { 1 }, zone.get(1..)?);
    let (hours, minutes) = zone.split_once('\'')?;
    let hours: i8 = hours.parse().ok()?;
    let minutes: i8 = minutes.parse().ok()?;
    Some(local.assume_offset(UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_signer_s_time_is_read_with_its_zone() {
        let read = |text: &str| said(Some(&Object::raw(text)));
        let at = datetime!(2026-11-21 08:15:30 +7);
        assert_eq!(read("(D:20261121081530+07'00')"), Some(at));
        for wrong in ["(D:20261121081530Z)", "(D:2026+07'00')", "(D:20261321081530+07'00')", "()"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
