//! A captcha without third parties: the browser finds a number whose hash with the challenge has
//! enough leading zero bits. Challenges are signed, expire, and are taken once: work can neither be
//! done before nor used twice.
//!
//! Without scripts a question in words does. A program could answer it for nothing, so whoever
//! answers pays in look-ups: see [`Answer::cost`].

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::number_words;
use crate::AppState;
use crate::secret::{Secret, random_token};
use crate::store::{StoreError, Tx, to_ms};
use crate::web::Lang;

const KEY: &str = "captcha";
/// Time from the form to the answer.
const LIFETIME: Duration = Duration::minutes(10);
/// Longest nonce a browser may find.
const MAX_NONCE: usize = 20;
/// How many look-ups an answer in words counts for.
const QUESTION_COST: u32 = 5;

/// What the form needs.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Signed; comes back with the answer.
    pub token: String,
    /// What is hashed together with the nonce.
    pub id: String,
    pub bits: u32,
    pub question: String,
    pub expires_at: OffsetDateTime,
}

/// How a visitor answered.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub token: String,
    /// Found by the browser.
    pub nonce: String,
    /// Typed by the visitor.
    pub answer: String,
}

/// A new challenge.
pub async fn issue(state: &AppState, lang: Lang) -> Result<Challenge, StoreError> {
    let secret = Secret::load(&state.store, KEY).await?;
    let id = random_token();
    let bits = state.config.lookup.captcha_bits;
    let expires_at = state.clock.now() + LIFETIME;
    // The id is public, so only the secret makes numbers of it.
    let numbers = secret.sign(&format!("numbers of {id}"));
    let pick = |at: usize, from: u64, count: u64| {
        let part = numbers.get(at..at + 8).and_then(|part| u64::from_str_radix(part, 16).ok());
        from + part.unwrap_or(0) % count
    };
    let (a, b, minus) = (pick(0, 12, 60), pick(8, 2, 9), pick(16, 0, 2) == 1);
    let result = if minus { a - b } else { a + b };
    let w = lang.words();
    let question = w
        .with("lookup.question", "a", number_words::in_words(a, lang))
        .replace("{op}", w.t(if minus { "lookup.minus" } else { "lookup.plus" }))
        .replace("{b}", &number_words::in_words(b, lang));
    let right = secret.sign(&answer_text(&id, &result.to_string()));
    let body = format!("{id}.{}.{bits}.{right}", to_ms(expires_at));
    let token = format!("{body}.{}", secret.sign(&body));
    Ok(Challenge { token, id, bits, question: capital(&question), expires_at })
}

impl Answer {
    /// How many of its look-ups a visitor with `allowed` in a minute pays for this one. A question
    /// costs a machine no work, so it costs more of these.
    pub fn cost(&self, allowed: u32) -> u32 {
        if self.nonce.is_empty() { QUESTION_COST.min(allowed) } else { 1 }
    }
}

/// A challenge that was met in time, and perhaps before.
#[derive(Debug)]
pub struct Solved {
    id: String,
    expires_at: i64,
}

/// The challenge that `answer` settles, if it does.
pub async fn check(state: &AppState, answer: &Answer) -> Result<Option<Solved>, StoreError> {
    let secret = Secret::load(&state.store, KEY).await?;
    Ok(solved(&secret, answer).filter(|solved| to_ms(state.clock.now()) < solved.expires_at))
}

fn solved(secret: &Secret, answer: &Answer) -> Option<Solved> {
    let (body, signature) = answer.token.rsplit_once('.')?;
    if !secret.verify(body, signature) {
        return None;
    }
    let mut parts = body.split('.');
    let (id, expires, bits, right) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let typed = answer.answer.trim();
    let solved = proves(id, &answer.nonce, bits.parse().ok()?)
        || (!typed.is_empty() && secret.verify(&answer_text(id, typed), right));
    let expires_at = expires.parse().ok()?;
    solved.then(|| Solved { id: id.to_owned(), expires_at })
}

impl Solved {
    /// Whether nobody has used the challenge yet; it is used now.
    pub async fn use_up(self, tx: &mut Tx<'_>, now: OffsetDateTime) -> Result<bool, StoreError> {
        let used = sqlx::query(
            "INSERT INTO captcha_used (id, expires_at) VALUES ($1, $2)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(self.id)
        .bind(self.expires_at)
        .execute(&mut **tx)
        .await?;
        sqlx::query("DELETE FROM captcha_used WHERE expires_at < $1")
            .bind(to_ms(now))
            .execute(&mut **tx)
            .await?;
        Ok(used.rows_affected() == 1)
    }
}

/// Whether `nonce` proves the work for `id`.
pub fn proves(id: &str, nonce: &str, bits: u32) -> bool {
    if nonce.is_empty() || nonce.len() > MAX_NONCE || !nonce.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let hash = Sha256::digest(format!("{id}:{nonce}"));
    let mut zeros = 0;
    for byte in hash {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros >= bits
}

fn answer_text(id: &str, answer: &str) -> String {
    format!("{id}={answer}")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::proves;

    #[test]
    fn work_is_checked_bit_by_bit() {
        let nonce = (0u32..).map(|n| n.to_string()).find(|n| proves("id", n, 9)).unwrap();
        assert!(proves("id", &nonce, 8));
        assert!(!proves("other", &nonce, 30));
        assert!(!proves("id", "", 0));
        assert!(!proves("id", "12x", 0));
        assert!(!proves("id", &"1".repeat(21), 0));
    }
}
