//! Officers at work: through the pages with a browser, or through the staff API.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::central::Login;
use crate::page;
use crate::site::Site;

/// How often a notice is asked for that the central is making, and how long between.
const NOTICE_TRIES: u32 = 100;
const NOTICE_PAUSE: Duration = Duration::from_millis(300);

/// Signs in through the page.
pub async fn sign_in(browser: &Browser, site: &Site, officer: &Login) -> Result<()> {
    browser.go(&site.web_url("/dang-nhap")).await?;
    browser.fill("input[name=login]", &officer.login).await?;
    browser.fill("input[name=password]", &officer.password).await?;
    browser.submit("main form button[type=submit]").await?;
    browser.text("main h1").await.map(drop)
}

/// Opens `case`, looks at every picture, plays the clip, and accepts it.
pub async fn review(browser: &Browser, site: &Site, case: &str) -> Result<String> {
    browser.go(&site.web_url("/xet-duyet")).await?;
    browser.picture("queue").await?;
    ensure!(browser.count("table.queue tbody tr").await? > 0, "the review queue is empty");
    browser.go(&site.web_url(&format!("/ho-so/{case}"))).await?;
    let pictures = browser.script(PICTURES).await?;
    let pictures = pictures.as_i64().context("pictures of the case")?;
    ensure!(
        pictures >= 4,
        "the case shows {pictures} pictures, expected frames before, on, past and close-up"
    );
    let played = browser.script(PLAY).await?;
    let played = played.as_f64().with_context(|| format!("the clip does not play: {played}"))?;
    ensure!(played > 0.3, "the clip stands at {played} s");
    browser.picture("case").await?;
    ensure!(
        browser.count(".decision p.status.ok").await? >= 1,
        "the page does not call the seal good"
    );
    browser.click("details[data-key=a] > summary").await?;
    browser.submit("details[data-key=a] form button[type=submit]").await?;
    browser.text("main h1").await?;
    Ok(format!("{pictures} pictures seen, clip played to {played:.1} s"))
}

/// The second officer approves the case, and the central issues the notice; returns the notice's size
/// in bytes.
pub async fn approve(browser: &Browser, site: &Site, case: &str) -> Result<i64> {
    browser.go(&site.web_url("/phe-duyet")).await?;
    browser.picture("approval").await?;
    browser.go(&site.web_url(&format!("/ho-so/{case}"))).await?;
    browser.click("details[data-key=a] > summary").await?;
    browser.submit("details[data-key=a] form button[type=submit]").await?;
    browser.text("main h1").await?;
    for _ in 0..NOTICE_TRIES {
        browser.go(&site.web_url(&format!("/ho-so/{case}"))).await?;
        if browser.count("a[href$='thong-bao.pdf']").await? > 0 {
            break;
        }
        tokio::time::sleep(NOTICE_PAUSE).await;
    }
    browser.picture("notified").await?;
    let pdf = browser.script(NOTICE).await?;
    pdf.as_i64().with_context(|| format!("the notice is not a PDF: {pdf}"))
}

/// Waits for every picture of the case; gives their number once all have loaded.
const PICTURES: &str = r"
    const done = arguments[arguments.length - 1];
    const images = [...document.querySelectorAll('.case img')];
    images.forEach(image => { image.loading = 'eager'; });
    const wait = until => {
        if (images.every(image => image.complete && image.naturalWidth > 0)) done(images.length);
        else if (performance.now() > until) done(-1);
        else setTimeout(wait, 100, until);
    };
    wait(performance.now() + 15000);";

/// Plays the clip for a moment; gives the time it reached or the error.
const PLAY: &str = r"
    const done = arguments[arguments.length - 1];
    const video = document.querySelector('video');
    video.play().then(() => setTimeout(() => done(video.currentTime), 1500), error => done(String(error)));";

/// Fetches the notice as the page's link would; gives its size if it is a PDF.
const NOTICE: &str = r"
    const done = arguments[arguments.length - 1];
    const link = document.querySelector('a[href$=\'thong-bao.pdf\']');
    if (link === null) done('no link to a notice');
    else fetch(link.href).then(answer => answer.arrayBuffer()).then(bytes => {
        const start = new TextDecoder().decode(bytes.slice(0, 5));
        done(start === '%PDF-' ? bytes.byteLength : start);
    }, error => done(String(error)));";

/// The staff API as a machine uses it.
#[derive(Debug)]
pub struct Api {
    client: reqwest::Client,
    site: String,
    base: String,
    csrf: String,
}

impl Api {
    /// Signs in; the session cookie stays in the client.
    pub async fn sign_in(site: &Site, officer: &Login) -> Result<Self> {
        let client = reqwest::Client::builder().cookie_store(true).build()?;
        let [site_url, base] = ["", "/api/v1"].map(|path| site.web_url(path));
        let mut api = Self { client, site: site_url, base, csrf: String::new() };
        let body = json!({ "login": officer.login, "password": officer.password });
        let answer = api.client.post(format!("{}/session", api.base)).json(&body).send().await?;
        let answer = answer.error_for_status().context("sign in through the staff API")?;
        let session: Value = answer.json().await?;
        api.csrf = session["csrf"].as_str().context("a session without its token")?.to_owned();
        Ok(api)
    }

    /// Everything about a case.
    pub async fn case(&self, id: &str) -> Result<Value> {
        let answer = self.client.get(format!("{}/cases/{id}", self.base)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Takes `action` on the case as it stands now.
    pub async fn decide(&self, id: &str, action: &str) -> Result<()> {
        self.decide_on(&self.case(id).await?, action).await
    }

    /// Takes `action` on the case as it was seen.
    pub async fn decide_on(&self, case: &Value, action: &str) -> Result<()> {
        let id = text(case, "/case/id")?;
        let body = json!({ "action": action, "version": case["case"]["version"] });
        let url = format!("{}/cases/{id}/decisions", self.base);
        let answer = self.client.post(url).header("X-CSRF-Token", &self.csrf).json(&body);
        let answer = answer.send().await?;
        let status = answer.status();
        let told = answer.text().await?;
        ensure!(status.is_success(), "{action} was refused: {told}");
        Ok(())
    }

    /// The notice of a case, once the central has made it.
    pub async fn notice(&self, id: &str) -> Result<Option<Vec<u8>>> {
        self.paper(&format!("/ho-so/{id}/thong-bao.pdf")).await
    }

    /// A printed document; none while there is none.
    pub async fn paper(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.client.get(format!("{}{path}", self.site)).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let pdf = answer.error_for_status()?.bytes().await?;
        ensure!(pdf.starts_with(b"%PDF-"), "{path} is no PDF");
        Ok(Some(pdf.to_vec()))
    }

    /// A page as the officer sees it.
    pub async fn page(&self, path: &str) -> Result<String> {
        let answer = self.client.get(format!("{}{path}", self.site)).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// Fills in the form of a page that goes to `action`, and sends it as a browser would; gives the path
    /// of the page that comes of it. None where the page does not offer it.
    pub async fn submit(
        &self,
        path: &str,
        action: &str,
        typed: &[(&str, &str)],
    ) -> Result<Option<String>> {
        let Some(fields) = page::form(&self.page(path).await?, action, typed) else {
            return Ok(None);
        };
        self.send(action, &fields).await.map(Some)
    }

    /// Sends a form's fields; gives the path of the page that comes of it.
    pub async fn send(&self, action: &str, fields: &[(String, String)]) -> Result<String> {
        let answer = self.client.post(format!("{}{action}", self.site)).form(fields);
        let answer = answer.send().await?;
        let (status, leads_to) = (answer.status(), answer.url().path().to_owned());
        let told = answer.text().await?;
        ensure!(status.is_success(), "{action} was refused ({status}): {}", page::words(&told));
        Ok(leads_to)
    }

    /// Every case, all pages.
    pub async fn cases(&self) -> Result<Vec<Value>> {
        let mut cases = Vec::new();
        for page in 1u64.. {
            let url = format!("{}/cases", self.base);
            let query = [("page", page.to_string())];
            let answer = self.client.get(url).query(&query).send().await?.error_for_status()?;
            let mut list: Value = answer.json().await?;
            if let Some(Value::Array(more)) = list.get_mut("cases").map(Value::take) {
                cases.extend(more);
            }
            if page >= list.get("pages").and_then(Value::as_u64).unwrap_or(0) {
                break;
            }
        }
        Ok(cases)
    }

    /// How many cases are in a state.
    pub async fn count(&self, state: &str) -> Result<u64> {
        let url = format!("{}/cases", self.base);
        let answer = self.client.get(url).query(&[("state", state)]).send().await?;
        let list: Value = answer.error_for_status()?.json().await?;
        list["total"].as_u64().context("a list without its total")
    }

    /// The ids of the packages of a case: the one that carries it, and those that joined it.
    pub async fn packages(&self, case: &Value) -> Result<Vec<String>> {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let url = format!("{}/cases/{}", self.base, text(case, "id"));
        let detail: Value = self.client.get(url).send().await?.error_for_status()?.json().await?;
        let further = detail["further"].as_array().into_iter().flatten();
        let further = further.map(|package| text(package, "evidence_id"));
        Ok(std::iter::once(text(case, "evidence_id")).chain(further).collect())
    }

    /// Every package with the cases that it is in: exactly one, where all is well.
    pub async fn cases_of_packages(&self) -> Result<BTreeMap<String, Vec<String>>> {
        let mut cases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for case in &self.cases().await? {
            for package in self.packages(case).await? {
                cases.entry(package).or_default().push(text(case, "/id")?);
            }
        }
        Ok(cases)
    }
}

/// What stands as text at `pointer` in an answer.
pub fn text(value: &Value, pointer: &str) -> Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| format!("there is no {pointer}"))?.to_owned())
}
