//! Who may use the page: one password, few attempts, short sessions. A session is a random number in
//! a cookie that no script and no other site gets; every change carries a second one that only the
//! page itself knows.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::Digest;

use crate::clock::Clock;
use crate::host;

/// The variable that may hold the password.
pub const VARIABLE: &str = "EDGE_CALIBRATE_PASSWORD";
const SHORTEST: usize = 10;
const LONGEST: usize = 200;
/// So many wrong passwords of one client within this time, and it has to wait as long.
const ATTEMPTS: usize = 5;
const WITHIN: Duration = Duration::from_secs(15 * 60);
/// Clients remembered.
const CLIENTS: usize = 1024;
/// Sessions at once; the oldest makes room.
const SESSIONS: usize = 8;
const IDLE: Duration = Duration::from_secs(30 * 60);
const WHOLE: Duration = Duration::from_secs(12 * 3600);

/// Why there is no password to ask for.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error(
        "no password: write one of {SHORTEST} characters or more into a file that only you can read \
         and give --password-file FILE, or set {VARIABLE}"
    )]
    None,
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: readable by others (mode {mode:03o}): chmod 600 it, and choose a new one", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the password must have {SHORTEST} to {LONGEST} characters")]
    Length,
}

/// The password, as a digest under a key of this process: comparing it tells nothing of it.
pub struct Password {
    key: [u8; 32],
    digest: Digest,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    pub fn new(text: &str) -> Result<Self, PasswordError> {
        if !(SHORTEST..=LONGEST).contains(&text.chars().count()) {
            return Err(PasswordError::Length);
        }
        let key = rand::random();
        Ok(Self { key, digest: keyed(&key, text) })
    }

    /// From the first line of a file, else from the variable.
    pub fn find(file: Option<&Path>) -> Result<Self, PasswordError> {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(path) = file else {
            let text = std::env::var(VARIABLE).map_err(|_| PasswordError::None)?;
            return Self::new(&text);
        };
        let wrong = |source| PasswordError::Io { path: path.into(), source };
        let mode = std::fs::metadata(path).map_err(wrong)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(PasswordError::Exposed { path: path.into(), mode });
        }
        let text = std::fs::read_to_string(path).map_err(wrong)?;
        Self::new(text.lines().next().unwrap_or_default())
    }

    fn is(&self, text: &str) -> bool {
        equal(&keyed(&self.key, text), &self.digest)
    }
}

fn keyed(key: &[u8; 32], text: &str) -> Digest {
    Digest::of(&[key, text.as_bytes()].concat())
}

/// In the same time wherever they differ.
fn equal(a: &Digest, b: &Digest) -> bool {
    let pairs = a.as_bytes().iter().zip(b.as_bytes());
    pairs.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// A number that nobody guesses, as text.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Login {
    /// The cookie's value.
    Session(String),
    Wrong,
    /// Too many wrong ones: not looked at.
    Wait(Duration),
}

/// The sessions that are open.
#[derive(Debug)]
pub struct Sessions {
    password: Password,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: Vec<Session>,
    /// When each client gave a wrong password, lately.
    wrong: BTreeMap<IpAddr, Vec<Duration>>,
}

/// By the digest of its cookie: what is compared is not what is secret.
#[derive(Debug)]
struct Session {
    digest: Digest,
    token: String,
    since: Duration,
    used: Duration,
}

impl Sessions {
    pub fn new(password: Password, clock: Arc<dyn Clock>) -> Self {
        Self { password, clock, state: Mutex::default() }
    }

    pub fn log_in(&self, client: IpAddr, password: &str) -> Login {
        let now = self.clock.monotonic();
        let client = listen::network(client);
        let mut state = self.lock();
        let wrong = state.wrong.entry(client).or_default();
        wrong.retain(|at| now < *at + WITHIN);
        if wrong.len() >= ATTEMPTS {
            let last = wrong.last().copied().unwrap_or(now);
            return Login::Wait((last + WITHIN).saturating_sub(now));
        }
        if !self.password.is(password) {
            wrong.push(now);
            state.forget_clients(client);
            return Login::Wrong;
        }
        state.wrong.remove(&client);
        let cookie = secret();
        let digest = Digest::of(cookie.as_bytes());
        state.open.push(Session { digest, token: secret(), since: now, used: now });
        if state.open.len() > SESSIONS {
            state.open.remove(0);
        }
        Login::Session(cookie)
    }

    /// The token of an open session, which somebody uses.
    pub fn token(&self, cookie: &str) -> Option<String> {
        self.find(cookie, true)
    }

    /// The same where nobody does anything, as when a page that was left open asks by itself.
    pub fn unused(&self, cookie: &str) -> Option<String> {
        self.find(cookie, false)
    }

    fn find(&self, cookie: &str, used: bool) -> Option<String> {
        let now = self.clock.monotonic();
        let digest = Digest::of(cookie.as_bytes());
        let mut state = self.lock();
        state.open.retain(|it| now < it.used + IDLE && now < it.since + WHOLE);
        let session = state.open.iter_mut().find(|it| equal(&it.digest, &digest))?;
        if used {
            session.used = now;
        }
        Some(session.token.clone())
    }

    pub fn log_out(&self, cookie: &str) {
        let digest = Digest::of(cookie.as_bytes());
        self.lock().open.retain(|it| !equal(&it.digest, &digest));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps the map small: who was wrong longest ago is forgotten, never the one that just was.
    fn forget_clients(&mut self, just: IpAddr) {
        while self.wrong.len() > CLIENTS {
            let others = self.wrong.iter().filter(|(client, _)| **client != just);
            let Some(oldest) = others.min_by_key(|(_, at)| at.last().copied()).map(|(it, _)| *it)
            else {
                return;
            };
            self.wrong.remove(&oldest);
        }
    }
}

/// Whether two tokens are the same.
pub fn same(a: &str, b: &str) -> bool {
    equal(&Digest::of(a.as_bytes()), &Digest::of(b.as_bytes()))
}

/// Whether a request's `Host` is one that this page answers to.
pub fn host_is_ours(host: &str, names: &[String]) -> bool {
    let name = host::name(host);
    name == "localhost" || host::is_address(name) || names.iter().any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::clock::Simulated;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));
    const RIGHT: &str = "mật khẩu đủ dài";

    fn sessions() -> (Sessions, Simulated) {
        let clock = Simulated::at(time::OffsetDateTime::UNIX_EPOCH);
        (Sessions::new(Password::new(RIGHT).unwrap(), Arc::new(clock.clone())), clock)
    }

    fn opened(sessions: &Sessions) -> String {
        match sessions.log_in(HERE, RIGHT) {
            Login::Session(cookie) => cookie,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn after_five_wrong_ones_even_the_right_one_waits() {
        let (sessions, clock) = sessions();
        for _ in 0..ATTEMPTS {
            assert_eq!(sessions.log_in(HERE, "falsch"), Login::Wrong);
        }
        assert!(matches!(sessions.log_in(HERE, RIGHT), Login::Wait(_)));
        assert!(matches!(sessions.log_in(THERE, RIGHT), Login::Session(_)), "others do not");
        clock.advance(WITHIN);
        assert!(matches!(sessions.log_in(HERE, RIGHT), Login::Session(_)));
    }

    #[test]
    fn clients_are_forgotten_not_gathered() {
        let (sessions, _) = sessions();
        for i in 0..2000u32 {
            sessions.log_in(IpAddr::V4(Ipv4Addr::from_bits(i)), "falsch");
        }
        assert!(sessions.lock().wrong.len() <= CLIENTS);
    }

    #[test]
    fn a_session_ends_by_rest_by_age_by_its_owner_and_when_there_are_too_many() {
        let (sessions, clock) = sessions();
        let cookie = opened(&sessions);
        let token = sessions.token(&cookie).unwrap();
        assert_ne!(token, cookie);
        assert_eq!(sessions.token(&cookie), Some(token));
        assert_eq!(sessions.token("another"), None);
        clock.advance(IDLE);
        assert_eq!(sessions.token(&cookie), None);

        let cookie = opened(&sessions);
        clock.advance(IDLE / 2);
        assert!(sessions.unused(&cookie).is_some());
        clock.advance(IDLE / 2);
        assert_eq!(sessions.unused(&cookie), None, "a page left open is no use of it");

        let cookie = opened(&sessions);
        for _ in 0..WHOLE.as_secs() / IDLE.as_secs() * 2 {
            clock.advance(IDLE / 2);
            sessions.token(&cookie);
        }
        assert_eq!(sessions.token(&cookie), None, "however busy");

        let cookie = opened(&sessions);
        sessions.log_out(&cookie);
        assert_eq!(sessions.token(&cookie), None);

        let first = opened(&sessions);
        let rest: Vec<String> = (0..SESSIONS).map(|_| opened(&sessions)).collect();
        assert_eq!(sessions.token(&first), None);
        assert!(rest.iter().all(|cookie| sessions.token(cookie).is_some()));
    }

    #[test]
    fn hosts_are_addresses_and_what_was_named() {
        let names = ["hop-dien.local".to_owned()];
        for good in [
            "localhost",
            "localhost:8090",
            "127.0.0.1:8090",
            "[::1]:8090",
            "10.0.0.2",
            "hop-dien.local:8090",
        ] {
            assert!(host_is_ours(good, &names), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:8090",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "localhost:8090:9",
            "x@127.0.0.1",
        ] {
            assert!(!host_is_ours(bad, &names), "{bad}");
        }
    }

    #[test]
    fn passwords_are_long_and_out_of_sight() {
        use std::os::unix::fs::PermissionsExt as _;
        assert!(matches!(Password::new("kurz"), Err(PasswordError::Length)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, format!("{RIGHT}\nanother line\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Password::find(Some(&path)), Err(PasswordError::Exposed { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let password = Password::find(Some(&path)).unwrap();
        assert!(password.is(RIGHT) && !password.is("another line"));
        assert!(!format!("{password:?}").contains(RIGHT));
    }
}
