//! Proving a login without sending it: the digest of WS-UsernameToken in the message, dated, or
//! HTTP digest (RFC 7616) in its head. Which of the two a camera wants, it says by its refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::format_description;

use super::xml::escaped;
use crate::source::Login;

const PASSWORD_DIGEST: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64_BINARY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";
const SECURITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// The longest challenge that is read.
const MAX_CHALLENGE: usize = 4096;

/// The security element of a message's header, sent at `created`, by the clock that the camera is to compare.
pub fn username_token(login: &Login, created: OffsetDateTime, nonce: [u8; 16]) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    // Every date has these parts.
    let created = created.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default();
    let mut digest = Sha1::new();
    digest.update(nonce);
    digest.update(created.as_bytes());
    digest.update(login.password.as_bytes());
    format!(
        "<Security s:mustUnderstand=\"1\" xmlns=\"{SECURITY}\"><UsernameToken><Username>{}\
         </Username><Password Type=\"{PASSWORD_DIGEST}\">{}</Password><Nonce EncodingType=\
         \"{BASE64_BINARY}\">{}</Nonce><Created xmlns=\"{UTILITY}\">{created}</Created>\
         </UsernameToken></Security>",
        escaped(&login.user),
        BASE64.encode(digest.finalize()),
        BASE64.encode(nonce),
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn hex(self, text: &str) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(text)),
            Self::Sha256 => hex::encode(Sha256::digest(text)),
        }
    }
}

/// What a camera asks to be signed by HTTP digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// As written, where it was.
    named: Option<String>,
    /// Whether it knows `qop=auth`; older ones do not.
    auth: bool,
    /// The login was right, only the nonce too old.
    pub stale: bool,
}

impl Challenge {
    /// The strongest of a camera's challenges that is known here.
    pub fn strongest<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        headers.filter_map(Self::parse).max_by_key(|challenge| challenge.algorithm)
    }

    fn parse(header: &str) -> Option<Self> {
        // Basic would send the password as it is.
        let at = header
            .to_ascii_lowercase()
            .find("digest ")
            .filter(|_| header.len() <= MAX_CHALLENGE)?;
        let fields = fields(&header[at + "digest ".len()..]);
        let field = |name: &str| {
            fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
        };
        let named = field("algorithm");
        let algorithm = match named.map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5") => Algorithm::Md5,
            Some("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let offered = field("qop").unwrap_or_default();
        let auth = offered.split(',').any(|word| word.trim().eq_ignore_ascii_case("auth"));
        if !offered.is_empty() && !auth {
            return None;
        }
        Some(Self {
            realm: field("realm")?.to_owned(),
            nonce: field("nonce")?.to_owned(),
            opaque: field("opaque").map(str::to_owned),
            algorithm,
            named: named.map(str::to_owned),
            auth,
            stale: field("stale").is_some_and(|word| word.eq_ignore_ascii_case("true")),
        })
    }

    /// The `Authorization` of the `count`th POST to `target` under this challenge.
    pub fn answer(&self, login: &Login, target: &str, count: u32, cnonce: &str) -> String {
        let Self { realm, nonce, algorithm, .. } = self;
        let user = login.user.replace('\\', "\\\\").replace('"', "\\\"");
        let who = algorithm.hex(&format!("{}:{realm}:{}", login.user, login.password));
        let what = algorithm.hex(&format!("POST:{target}"));
        let signed = if self.auth {
            format!("{who}:{nonce}:{count:08x}:{cnonce}:auth:{what}")
        } else {
            format!("{who}:{nonce}:{what}")
        };
        let response = algorithm.hex(&signed);
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{target}\", \
             response=\"{response}\""
        );
        if let Some(named) = &self.named {
            header.push_str(&format!(", algorithm={named}"));
        }
        if self.auth {
            header.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque=\"{opaque}\""));
        }
        header
    }
}

/// `key=value` and `key="value"`, as far as they go. A value with an escape is left out: it would
/// have to be signed unescaped and sent escaped, and cameras disagree in that.
fn fields(mut text: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    while let Some((key, after)) = text.split_once('=') {
        let (value, rest) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => match quoted.split_once('"') {
                Some(parts) => parts,
                None => break,
            },
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let key = key.trim_matches(|c: char| c == ',' || c.is_whitespace());
        if !value.contains('\\') && !value.chars().any(char::is_control) {
            out.push((key, value.trim()));
        }
        text = rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    /// The example of the ONVIF programmer's guide.
    #[test]
    fn a_token_is_digested_as_the_standard_shows() {
        let login = Login { user: "user".into(), password: "userpassword".into() };
        let nonce = BASE64.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        let header =
            username_token(&login, datetime!(2010-09-16 07:50:45 UTC), nonce.try_into().unwrap());
        assert!(header.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=</Password>"), "{header}");
        assert!(!header.contains("userpassword"));
    }

    /// The examples of RFC 7616 (3.9.1), with the method changed: digests made with `md5sum` and
    /// `sha256sum`.
    #[test]
    fn http_digests_answer_as_the_standard_shows() {
        let login = Login { user: "Mufasa".into(), password: "Circle of Life".into() };
        let fields = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=ALG, \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                      opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let md5 = format!("Digest {}", fields.replace("ALG", "MD5"));
        let sha = format!("Digest {}", fields.replace("ALG", "SHA-256"));
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let challenge =
            Challenge::strongest([md5.as_str(), "Basic realm=\"x\""].into_iter()).unwrap();
        let answer = challenge.answer(&login, "/dir/index.html", 1, cnonce);
        assert!(answer.contains("response=\"6f31d8ff6361bb27783b6ac62b999535\""), "{answer}");
        assert!(answer.contains("qop=auth, nc=00000001"), "{answer}");
        let challenge = Challenge::strongest([md5.as_str(), sha.as_str()].into_iter()).unwrap();
        assert_eq!(challenge.algorithm, Algorithm::Sha256);
        let answer = challenge.answer(&login, "/dir/index.html", 1, cnonce);
        assert!(
            answer.contains(
                "response=\"b85bfcaae378db6f6d75b1706062ac3d66fec2dd3d0082d77885522866488dac\""
            ),
            "{answer}"
        );
        assert!(!answer.contains("Circle"), "{answer}");
    }

    #[test]
    fn a_password_is_never_sent_as_it_is() {
        for header in ["Basic realm=\"x\"", "Digest realm=\"x\"", "Digest", "digest nonce=\"x"] {
            assert_eq!(Challenge::strongest([header].into_iter()), None, "{header}");
        }
        let header = "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"";
        assert_eq!(Challenge::strongest([header].into_iter()), None);
    }

    proptest! {
        #[test]
        fn any_challenge_is_answered_in_one_line(header in "Digest .{0,200}", user in ".{0,20}") {
            let login = Login { user, password: "geheim-ở-đây".into() };
            if let Some(challenge) = Challenge::parse(&header) {
                let answer = challenge.answer(&login, "/x", 1, "c");
                prop_assert!(!answer.contains("geheim"));
            }
        }
    }
}
