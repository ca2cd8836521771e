//! The owner with a phone: finds the violation by plate on the public page.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::browser::Browser;
use crate::site::Site;

/// Names and values that the public page shows for the first violation of `plate`.
pub async fn look_up(
    browser: &Browser,
    site: &Site,
    plate: &str,
    motorbike: bool,
) -> Result<Vec<(String, String)>> {
    browser.go(&site.web_url("/tra-cuu")).await?;
    browser.fill("input[name=plate]", plate).await?;
    let kind = if motorbike { 2 } else { 1 };
    browser.click(&format!("input[name=vehicle_type][value='{kind}']")).await?;
    // The page's own script proves the work; a person would only wait.
    for attempt in 0.. {
        if browser.script(PROVED).await?.as_bool() == Some(true) {
            break;
        }
        if attempt > 1200 {
            bail!("the browser found no proof of work within two minutes");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    browser.picture("lookup").await?;
    browser.submit("form[data-captcha] button[type=submit]").await?;
    browser.text(".results").await?;
    browser.picture("lookup-result").await?;
    let fields = browser.script(FIELDS).await?;
    let fields: Vec<(String, String)> = serde_json::from_value(fields)?;
    ensure!(
        fields.len() == 9,
        "the lookup shows {} fields, the law names nine: {fields:?}",
        fields.len()
    );
    ensure!(browser.count(".results img").await? == 0, "the public page shows a picture");
    Ok(fields)
}

const PROVED: &str = r"
    const done = arguments[arguments.length - 1];
    done(document.querySelector('input[name=nonce]').value !== '');";

const FIELDS: &str = r"
    const done = arguments[arguments.length - 1];
    const rows = document.querySelectorAll('.result:first-of-type dl > div');
    done([...rows].map(row => [row.querySelector('dt').innerText, row.querySelector('dd').innerText]));";
