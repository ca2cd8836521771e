//! A captcha without third parties: the browser finds a number whose hash with the challenge has
//! enough leading zero bits; without scripts a question in words does. Challenges are signed,
//! expire, and are taken once.

use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::number_words;
use crate::AppState;
use crate::store::{StoreError, to_ms};
use crate::web::Lang;
use crate::web::secret::{Secret, random_token};

const KEY: &str = "captcha";
/// Time from the form to the answer.
const LIFETIME: Duration = Duration::minutes(10);
/// Longest nonce a browser may find.
const MAX_NONCE: usize = 20;

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
    // The random id also picks the numbers.
    let pick = |at: usize, from: u64, count: u64| {
        let part = id.get(at..at + 8).and_then(|part| u64::from_str_radix(part, 16).ok());
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

/// Whether `answer` settles its challenge; uses the challenge up if so.
pub async fn redeem(state: &AppState, answer: &Answer) -> Result<bool, StoreError> {
    let secret = Secret::load(&state.store, KEY).await?;
    let Some((body, signature)) = answer.token.rsplit_once('.') else { return Ok(false) };
    if !secret.verify(body, signature) {
        return Ok(false);
    }
    let mut parts = body.split('.');
    let (Some(id), Some(expires), Some(bits), Some(right), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(false);
    };
    let (Ok(expires), Ok(bits)) = (expires.parse::<i64>(), bits.parse::<u32>()) else {
        return Ok(false);
    };
    let now = to_ms(state.clock.now());
    let typed = answer.answer.trim();
    let solved = proves(id, &answer.nonce, bits)
        || (!typed.is_empty() && secret.verify(&answer_text(id, typed), right));
    if expires <= now || !solved {
        return Ok(false);
    }
    let used = sqlx::query(
        "INSERT INTO captcha_used (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    )
    .bind(id.to_owned())
    .bind(expires)
    .execute(state.store.pool())
    .await?;
    sqlx::query("DELETE FROM captcha_used WHERE expires_at < $1")
        .bind(now)
        .execute(state.store.pool())
        .await?;
    Ok(used.rows_affected() == 1)
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
