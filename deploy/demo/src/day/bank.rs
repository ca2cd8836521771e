//! The treasury's bank: it tells of each payment, signed, until it is answered.

use anyhow::{Context as _, Result, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::offset;

use crate::central::ACCOUNT;
use crate::site::Site;

pub struct Bank {
    client: reqwest::Client,
    key: String,
}

impl Bank {
    pub fn new(key: String) -> Self {
        Self { client: reqwest::Client::new(), key }
    }

    /// A payment of `amount` under `code`; told twice it is one.
    pub async fn tell(&self, site: &Site, code: &str, amount: i64) -> Result<()> {
        let now = OffsetDateTime::now_utc();
        let body = json!({
            "event_id": format!("event-{code}"),
            "account": ACCOUNT,
            "transaction_id": format!("FT-{code}"),
            "amount": amount,
            "currency": "VND",
            "paid_on": now.to_offset(offset!(+7)).date().to_string(),
            "purpose": format!("NOP PHAT {code}"),
            "payer_name": "NGUOI NOP MAU",
        })
        .to_string();
        let sent = now.unix_timestamp().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes())?;
        mac.update(format!("{sent}.{body}").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let answer = self
            .client
            .post(site.web_url("/api/payments/v1/notifications"))
            .header("content-type", "application/json")
            .header("X-Timestamp", sent)
            .header("X-Signature", signature)
            .body(body)
            .send()
            .await
            .context("the bank's news do not get through")?;
        let status = answer.status();
        let told: Value = answer.json().await.unwrap_or_default();
        let known = ["matched", "known"].contains(&told["result"].as_str().unwrap_or_default());
        ensure!(status.is_success() && known, "the bank's news were refused: {status} {told}");
        Ok(())
    }
}
