//! Keys of this installation for signing captchas and forms: made once, shared by the replicas.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::Rng as _;
use sha2::Sha256;

use crate::store::{Store, StoreError};

/// A secret key and what it signs.
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The key called `name`, made on first use.
    pub async fn load(store: &Store, name: &'static str) -> Result<Self, StoreError> {
        const SELECT: &str = "SELECT hex FROM server_keys WHERE name = $1";
        let found: Option<String> =
            sqlx::query_scalar(SELECT).bind(name).fetch_optional(store.pool()).await?;
        let text = match found {
            Some(text) => text,
            None => {
                let mut key = [0; 32];
                rand::rng().fill_bytes(&mut key);
                // Of two replicas that start together, the first one's key is everybody's.
                store
                    .write(
                        sqlx::query(
                            "INSERT INTO server_keys (name, hex) VALUES ($1, $2)
                     ON CONFLICT (name) DO NOTHING",
                        )
                        .bind(name)
                        .bind(hex::encode(key)),
                    )
                    .await?;
                sqlx::query_scalar(SELECT).bind(name).fetch_one(store.pool()).await?
            }
        };
        let mut key = [0; 32];
        hex::decode_to_slice(&text, &mut key)
            .map_err(|_| StoreError::corrupt("server key", name))?;
        Ok(Self(key))
    }

    /// HMAC-SHA-256 over `message`, hex.
    pub fn sign(&self, message: &str) -> String {
        hex::encode(self.mac(message).finalize().into_bytes())
    }

    /// Whether `signature` is this key's over `message`; takes the same time either way.
    pub fn verify(&self, message: &str, signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|bytes| self.mac(message).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        mac.update(message.as_bytes());
        mac
    }
}

/// 32 random bytes as hex: a session token, a form token.
pub fn random_token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}
