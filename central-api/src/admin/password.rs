//! Passwords: argon2id over the form that RFC 8265 calls OpaqueString, a few at a time.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::{Semaphore, SemaphorePermit};
use unicode_normalization::UnicodeNormalization as _;

use super::users::UserError;

/// How long a sign-in waits for its turn at the hashing before it is told to come back.
const WAIT: Duration = Duration::from_secs(5);

/// A stored argon2id hash; never shown.
#[derive(Clone)]
pub struct PasswordDigest(String);

impl PasswordDigest {
    pub(super) fn stored(hash: String) -> Self {
        Self(hash)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordDigest(…)")
    }
}

/// The one text of a password, whatever keyboard typed it (RFC 8265, OpaqueString): every kind of
/// space is U+0020, letters and their marks are composed (NFC). Case and width stay.
fn opaque(password: &str) -> String {
    let plain_space = |c: char| match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    };
    password.chars().map(plain_space).nfc().collect()
}

/// What may have been hashed for this password: today's form, and what came before it, when the
/// bytes were hashed as they had been typed, composed or not.
fn forms(password: &str) -> Vec<String> {
    let mut forms = vec![opaque(password)];
    for form in [password.to_owned(), password.nfc().collect(), password.nfd().collect()] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// Hashes a new password with argon2id on a blocking thread.
pub async fn hash_password(password: String) -> Result<PasswordDigest, UserError> {
    let password = opaque(&password);
    if !(10..=256).contains(&password.chars().count()) || password.chars().any(char::is_control) {
        return Err(UserError::BadPassword);
    }
    tokio::task::spawn_blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| PasswordDigest(hash.to_string()))
            .map_err(|e| UserError::Hash(e.to_string()))
    })
    .await
    .map_err(|e| UserError::Hash(e.to_string()))?
}

/// What a password is checked against where no user is: a hash with today's cost.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    Argon2::default().hash_password(b"nobody's").map(|hash| hash.to_string()).unwrap_or_default()
});

/// Whether `password` is the stored one. With no stored one it takes as long and says no, so that
/// the time tells nobody which logins exist.
pub async fn verify_password(stored: Option<PasswordDigest>, password: String) -> bool {
    // A megabyte of "password" is somebody else's idea of load.
    if password.len() > 1024 {
        return false;
    }
    tokio::task::spawn_blocking(move || {
        let known = stored.is_some();
        let hash = stored.as_ref().map_or(NOBODY.as_str(), PasswordDigest::as_str);
        let Ok(hash) = PasswordHash::new(hash) else { return false };
        let argon2 = Argon2::default();
        forms(&password).iter().any(|form| argon2.verify_password(form.as_bytes(), &hash).is_ok())
            && known
    })
    .await
    .unwrap_or(false)
}

/// One hash takes 19 MiB and a core for a while: as many at once as there are cores.
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores.clamp(1, 8))
});

/// A turn at checking a password; none where too many wait already.
pub async fn turn() -> Option<SemaphorePermit<'static>> {
    tokio::time::timeout(WAIT, PLACES.acquire()).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_verify_and_strangers_do_not() {
        let stored = hash_password("correct horse".into()).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$"));
        assert!(verify_password(Some(stored.clone()), "correct horse".into()).await);
        assert!(!verify_password(Some(stored), "wrong horse".into()).await);
        assert!(!verify_password(None, "correct horse".into()).await);
        for bad in ["short", "ten\tletters with a tab", "mật  khẩu"] {
            let refused = hash_password(bad.into()).await;
            assert!(matches!(refused, Err(UserError::BadPassword)), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_password_is_the_same_from_every_keyboard() {
        let composed = "Trường Sơn Đông 1975";
        let apart: String = composed.nfd().collect();
        assert_ne!(composed, apart);
        let wide = "Trường\u{a0}Sơn\u{3000}Đông 1975".to_owned();
        for set in [composed.to_owned(), apart.clone(), wide.clone()] {
            let stored = hash_password(set).await.unwrap();
            for typed in [composed.to_owned(), apart.clone(), wide.clone()] {
                assert!(verify_password(Some(stored.clone()), typed).await);
            }
            // Marks and case still count.
            for wrong in ["Trường Sơn Đông 1976", "trường Sơn Đông 1975", "Truong Son Dong 1975"]
            {
                assert!(!verify_password(Some(stored.clone()), wrong.into()).await, "{wrong}");
            }
        }
    }

    #[tokio::test]
    async fn hashes_from_before_keep_working() {
        let composed = "mật khẩu cũ";
        let apart: String = composed.nfd().collect();
        let spaced = "mật\u{a0}khẩu cũ";
        for bytes in [composed, apart.as_str(), spaced] {
            let hash = Argon2::default().hash_password(bytes.as_bytes()).unwrap().to_string();
            let stored = PasswordDigest::stored(hash);
            assert!(verify_password(Some(stored), bytes.into()).await, "{bytes:?}");
        }
        let hash = Argon2::default().hash_password(apart.as_bytes()).unwrap().to_string();
        assert!(verify_password(Some(PasswordDigest::stored(hash)), composed.into()).await);
    }
}
