//! A camera's address, and what of it may be told. Cameras take a login before the host
//! (`rtsp://user:password@host`), in the path (`/user=…_password=…`) and in the query
//! (`?username=…&password=…`); none of these may reach a log, a status page or a message, whoever
//! writes it. What cannot be told apart for certain is refused and asked for in a clear form.

use std::fmt;

use super::reach;

/// What stands for what is not told.
const HIDDEN: char = '…';
/// A path is told up to the first of these: what follows may be a login.
const DOUBTFUL: [char; 7] = ['?', '#', '=', ';', '&', ':', '@'];
const SCHEMES: [&str; 2] = ["rtsp", "rtsps"];

/// User and password. Prints without the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

/// An RTSP address in its parts. Prints without anything that may be a login.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    scheme: &'static str,
    /// Without the brackets of IPv6.
    host: String,
    port: Option<u16>,
    /// Path and query, as written.
    rest: String,
    login: Option<Login>,
    /// The login as written.
    written: String,
}

/// What is wrong with an address, and what would be right; never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("must be rtsp://HOST/PATH or rtsps://HOST/PATH")]
    Scheme,
    #[error("holds a space or a control character: write a space as %20")]
    Space,
    #[error(
        "holds '@' behind the first '/', '?' or '#'. If that belongs to the login, put \
         user:password into a file and name it with `credentials`, or write / as %2F, ? as %3F, \
         # as %23 and @ as %40 in it; if it belongs to the path, write it as %40"
    )]
    At,
    #[error(
        "has a '%' in its login without two hexadecimal digits behind: write it as %25, or put \
         user:password into a file and name it with `credentials`"
    )]
    Percent,
    #[error("names no host: must be rtsp://HOST/PATH")]
    Host,
    #[error("has no port number (1 to 65535) after the host's ':'")]
    Port,
}

impl Address {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, after) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let known = SCHEMES.into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
        let scheme = known.ok_or(AddressError::Scheme)?;
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(AddressError::Space);
        }
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        if rest.contains('@') {
            return Err(AddressError::At);
        }
        // A password may hold '@' itself: the last one ends it.
        let (written, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let login = (!written.is_empty()).then(|| login(written)).transpose()?;
        let (host, port) = match place.strip_prefix('[') {
            Some(v6) => v6.split_once(']').ok_or(AddressError::Host)?,
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => match digits.parse() {
                Ok(number) if number > 0 => Some(number),
                _ => return Err(AddressError::Port),
            },
            None if port.is_empty() => None,
            None => return Err(AddressError::Host),
        };
        if host.is_empty() {
            return Err(AddressError::Host);
        }
        let (host, rest, written) = (host.to_owned(), rest.to_owned(), written.to_owned());
        Ok(Self { scheme, host, port, rest, login, written })
    }

    /// The login that stands in the address, decoded.
    pub const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// Of RTSP where none is written: 554, with TLS 322.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "rtsps" { 322 } else { 554 })
    }

    /// What is asked of the camera: the whole address but the login before the host.
    pub fn location(&self) -> String {
        format!("{}{}", self.front(), self.rest)
    }

    /// The same at another host, without a login.
    pub fn at_host(self, host: &str) -> Self {
        Self { host: host.to_owned(), login: None, written: String::new(), ..self }
    }

    fn front(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.scheme)
    }

    /// A stranger's words about this address, such as an error message of GStreamer, without what
    /// may be a login.
    pub fn mask(&self, words: &str, login: Option<&Login>) -> String {
        let mut secrets = vec![self.rest.as_str(), self.written.as_str()];
        for login in login.into_iter().chain(&self.login) {
            secrets.push(&login.password);
        }
        let hidden = self.rest.find(DOUBTFUL).map_or("", |at| &self.rest[at + 1..]);
        secrets.push(hidden);
        if hidden.is_empty() {
            secrets.retain(|secret| *secret != self.rest);
        }
        // Two characters hide nothing and would tear every other word apart.
        secrets.retain(|secret| secret.chars().count() > 2);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut words = words.to_owned();
        for secret in secrets {
            words = words.replace(secret, &HIDDEN.to_string());
        }
        mask(&words)
    }

    /// In words, why nothing answers there; none where something does.
    pub fn silence(&self) -> Option<String> {
        reach::silence(self.host(), self.port())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.front(), told(&self.rest))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An address for messages, whatever is written there: of one that cannot be read, everything
/// before the last '@' may be a password.
pub fn without_login(text: &str) -> String {
    if let Ok(address) = Address::parse(text) {
        return address.to_string();
    }
    let (start, after) = text.split_at(text.find("://").map_or(0, |at| at + 3));
    let open = after.rsplit_once('@').map_or(after, |(_, open)| open);
    let host = open.find(['/', '?', '#']).unwrap_or(open.len());
    // Of what looks like host:port the port may be a password's beginning.
    let name = open[..host].split(':').next().unwrap_or_default();
    format!("{start}{name}{}", told(&open[host..]))
}

/// Every address in `words` without its login.
fn mask(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut left = words;
    while let Some(at) = left.find("://") {
        let start = left[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |i| i + 1);
        // `start` is behind an ASCII character or at the front; a wider one moves it to its end.
        let start = (start..=at).find(|&i| left.is_char_boundary(i)).unwrap_or(at);
        let ends = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        let end = left[at..].find(ends).map_or(left.len(), |length| at + length);
        out.push_str(&left[..start]);
        out.push_str(&without_login(&left[start..end]));
        left = &left[end..];
    }
    out + left
}

/// Path and query up to where a login may begin.
fn told(rest: &str) -> String {
    match rest.find(DOUBTFUL) {
        Some(at) => format!("{}{HIDDEN}", &rest[..at]),
        None => rest.to_owned(),
    }
}

fn login(written: &str) -> Result<Login, AddressError> {
    let (user, password) = written.split_once(':').unwrap_or((written, ""));
    Ok(Login { user: decoded(user)?, password: decoded(password)? })
}

/// Percent-decoded.
fn decoded(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    while let Some((&byte, tail)) = left.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            left = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let value = digits
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or(AddressError::Percent)?;
        bytes.push(value);
        left = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Percent)
}

/// Reads the one line `user:password` of a login file, as any editor may have saved it.
pub fn login_file(text: &str) -> Result<Login, &'static str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    let line = text.strip_suffix('\r').unwrap_or(text);
    if line.contains(['\n', '\r']) {
        return Err("must hold one line user:password, found more lines");
    }
    match line.split_once(':') {
        Some((user, password)) if !user.is_empty() => {
            Ok(Login { user: user.into(), password: password.into() })
        }
        _ => Err("must hold one line user:password"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_and_decoded() {
        let address =
            Address::parse("rtsp://vi%C3%AAn:p@ss%2Fw:rd@cam.example:8554/a?b=1").unwrap();
        let login = address.login().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("viên", "p@ss/w:rd"));
        assert_eq!(address.location(), "rtsp://cam.example:8554/a?b=1");
        assert_eq!((address.host(), address.port()), ("cam.example", 8554));
        let v6 = Address::parse("rtsps://[2001:db8::1]/s").unwrap();
        assert_eq!((v6.host(), v6.port(), v6.login()), ("2001:db8::1", 322, None));
        assert_eq!(v6.location(), "rtsps://[2001:db8::1]/s");
        // What a shell or make would touch is nothing special here.
        let shell = Address::parse("rtsp://u:pa$word`id`@h/s").unwrap();
        assert_eq!(shell.login().unwrap().password, "pa$word`id`");
    }

    #[test]
    fn what_is_ambiguous_or_malformed_is_refused_by_name() {
        for (text, expected) in [
            ("rtsp://admin:pa/ss@10.0.0.1/s", AddressError::At),
            ("rtsp://admin:12/34@10.0.0.1/s", AddressError::At),
            ("rtsp://admin:pa?ss@10.0.0.1/s", AddressError::At),
            ("rtsp://admin:pa#ss@10.0.0.1/s", AddressError::At),
            ("rtsp://10.0.0.1/s?user=a@b&password=x", AddressError::At),
            ("rtsp://admin:100%@10.0.0.1/s", AddressError::Percent),
            ("rtsp://admin:%FF@10.0.0.1/s", AddressError::Percent),
            ("rtsp://admin:p w@10.0.0.1/s", AddressError::Space),
            ("rtsp://10.0.0.1:rtsp/s", AddressError::Port),
            ("rtsp://10.0.0.1:99999/s", AddressError::Port),
            ("rtsp:///s", AddressError::Host),
            ("rtsp://u:p@/s", AddressError::Host),
            ("rtsp://[2001:db8::1/s", AddressError::Host),
            ("http://10.0.0.1/s", AddressError::Scheme),
            ("10.0.0.1/s", AddressError::Scheme),
        ] {
            assert_eq!(Address::parse(text), Err(expected), "{text}");
        }
    }

    /// Addresses with `geheim` somewhere in a login.
    const SECRET: [&str; 14] = [
        "rtsp://admin:geheim@10.0.0.1/s",
        "rtsp://admin:ge/geheim@10.0.0.1/s",
        "rtsp://admin:geheim/12@10.0.0.1/s",
        "rtsp://admin:12/geheim@10.0.0.1:554/s",
        "rtsp://admin:x?geheim@10.0.0.1/s",
        "rtsp://admin:x#geheim@10.0.0.1/s",
        "rtsp://admin:x@geheim@10.0.0.1/s",
        "rtsp://10.0.0.1:554/user=admin_password=geheim_channel=1_stream=0.sdp?real_stream",
        "rtsp://10.0.0.1/user=admin&password=geheim&channel=1",
        "rtsp://10.0.0.1/cam?username=admin&password=geheim",
        "rtsp://10.0.0.1/cam;pwd=geheim",
        "rtsp://10.0.0.1/admin:geheim/1",
        "rtsp://10.0.0.1:geheim/1",
        "admin:geheim@10.0.0.1",
    ];

    #[test]
    fn no_login_reaches_a_message() {
        for text in SECRET {
            let shown = without_login(text);
            assert!(!shown.contains("geheim"), "{shown}");
            assert!(shown.contains("10.0.0.1"), "{text}: {shown}");
            let words = format!("Could not open \"{text}\" ({text}).");
            let masked = mask(&words);
            assert!(!text.contains("://") || !masked.contains("geheim"), "{masked}");
            if let Ok(address) = Address::parse(text) {
                assert!(!format!("{address} {address:?} {:?}", address.login()).contains("geheim"));
                let password = address.login().map_or("", |login| &login.password);
                let quoted = format!("no {} at {}: {password}", address.location(), address.rest);
                let masked = address.mask(&quoted, None);
                assert!(!masked.contains("geheim"), "{masked}");
            }
        }
        assert_eq!(without_login("rtsp://h:8554/a/b"), "rtsp://h:8554/a/b");
        assert_eq!(without_login("file"), "file");
        let open = Address::parse("rtsp://h/s").unwrap();
        let login = Login { user: "u".into(), password: "geheim".into() };
        assert_eq!(
            open.mask("ầ://, rtsp://h/s says geheim", Some(&login)),
            "ầ://, rtsp://h/s says …"
        );
    }

    #[test]
    fn login_files_are_read_as_editors_save_them() {
        for text in ["u:p:w ", "u:p:w \n", "u:p:w \r\n", "\u{feff}u:p:w \r\n"] {
            let login = login_file(text).unwrap();
            assert_eq!((login.user.as_str(), login.password.as_str()), ("u", "p:w "), "{text:?}");
        }
        for text in ["", "\n", "u", ":p", "u:p\nu:q\n", "\u{feff}\n"] {
            assert!(login_file(text).is_err(), "{text:?}");
        }
    }
}
