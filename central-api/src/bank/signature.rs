//! Who a notification is from: HMAC-SHA-256 over the time it was sent at and its body, with a key that
//! only the bank and this installation have. One that is too old is no news, whoever repeats it.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

use crate::device::keyfile::{self, KeyFileError};

/// How far the bank's clock and ours, and the way between, may differ.
pub const WINDOW: Duration = Duration::minutes(5);
/// Shorter keys can be guessed.
const SHORTEST: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("[treasury] notification_key_file: {0}")]
    File(#[from] KeyFileError),
    #[error("[treasury] notification_key_file: the key must have at least {SHORTEST} characters")]
    Short,
}

/// The bank's key.
pub struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// From its file, which only this user may read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::new(keyfile::load(path, true)?.trim())
    }

    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.len() < SHORTEST { Err(KeyError::Short) } else { Ok(Self(text.into())) }
    }

    /// The signature of `body` sent at `timestamp` (seconds since 1970), hex.
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        hex::encode(self.mac(timestamp, body).finalize().into_bytes())
    }

    /// Whether `signature` is that of `body`, sent now; takes the same time for every wrong one.
    pub fn verify(
        &self,
        timestamp: &str,
        body: &[u8],
        signature: &str,
        now: OffsetDateTime,
    ) -> bool {
        let is_plain = timestamp.len() <= 12 && timestamp.bytes().all(|b| b.is_ascii_digit());
        let sent = timestamp.parse().ok().filter(|_| is_plain);
        let sent = sent.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        let is_now = sent.is_some_and(|sent| (now - sent).abs() <= WINDOW);
        let is_bank_s = hex::decode(signature)
            .is_ok_and(|bytes| self.mac(timestamp, body).verify_slice(&bytes).is_ok());
        is_bank_s && is_now
    }

    fn mac(&self, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn only_the_key_the_time_and_the_body_together_pass() {
        let key = Key::new("0123456789abcdef0123456789abcdef").unwrap();
        let now = datetime!(2026-12-01 08:00 +7);
        let at = |minutes| (now + Duration::minutes(minutes)).unix_timestamp().to_string();
        let sent = at(0);
        let signature = key.sign(&sent, b"{}");
        assert!(key.verify(&sent, b"{}", &signature, now));
        assert!(key.verify(&sent, b"{}", &signature.to_uppercase(), now));
        assert!(!key.verify(&sent, b"{ }", &signature, now));
        assert!(!key.verify(&at(1), b"{}", &signature, now), "another time");
        assert!(!key.verify(&sent, b"{}", &signature[..62], now));
        assert!(!key.verify(&sent, b"{}", "", now));
        let other = Key::new("1123456789abcdef0123456789abcdef").unwrap();
        assert!(!other.verify(&sent, b"{}", &signature, now));
        for (minutes, passes) in [(-6, false), (-5, true), (5, true), (6, false)] {
            let sent = at(minutes);
            let signature = key.sign(&sent, b"{}");
            assert_eq!(key.verify(&sent, b"{}", &signature, now), passes, "{minutes}");
        }
        // Signed right, but no time: neither a sign nor more digits.
        for sent in ["", "+1", "-1", "99999999999999999999", "now"] {
            assert!(!key.verify(sent, b"{}", &key.sign(sent, b"{}"), now), "{sent}");
        }
        assert!(matches!(Key::new("short"), Err(KeyError::Short)));
    }
}
