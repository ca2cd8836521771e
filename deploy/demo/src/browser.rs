//! A real browser without a window, for walking through the pages as a person would.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::process::Running;
use crate::site::Site;

/// How long a page may take: a busy machine is slow, not broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with its driver. [`Browser::close`] it when done; dropping ends the driver.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    pictures: PathBuf,
    _driver: Running,
}

impl Browser {
    /// Starts chromedriver and a fresh browser profile inside the site's folder.
    pub async fn open(site: &Site, name: &str) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let mut driver =
            Running::start("chromedriver", command, &site.log(&format!("browser-{name}")))
                .context("Debian's package chromium-driver provides it")?;
        let profile = site.dir.join(format!("browser-{name}"));
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--autoplay-policy=no-user-gesture-required",
            "--window-size=1400,1000",
            format!("--user-data-dir={}", profile.display()),
        ]);
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..600 {
            driver.check()?;
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.clone());
            if reqwest::get(format!("{url}/status")).await.is_ok() {
                let client = builder.connect(&url).await.context("start chromium")?;
                let pictures = site.dir.join("pages");
                std::fs::create_dir_all(&pictures)?;
                return Ok(Self { client, pictures, _driver: driver });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("chromedriver does not answer; {}", driver.last_words())
    }

    pub async fn close(self) -> Result<()> {
        self.client.close().await.context("close the browser")
    }

    pub async fn go(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("open {url}"))
    }

    /// Types into the field that `css` names.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.find(css).await?.send_keys(text).await.with_context(|| format!("type into {css}"))
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        self.find(css).await?.click().await.with_context(|| format!("click {css}"))
    }

    /// Clicks what leads to another page and waits until this one is gone: until then whatever is
    /// read is still the old page's, and going elsewhere would cut the request off.
    pub async fn submit(&self, css: &str) -> Result<()> {
        let page = self.find("html").await?;
        self.click(css).await?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            // Any error: the element, and its page with it, is no longer there.
            if page.tag_name().await.is_err() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{css} was clicked and led nowhere within {} s", PATIENCE.as_secs())
    }

    pub async fn text(&self, css: &str) -> Result<String> {
        self.find(css).await?.text().await.with_context(|| format!("read {css}"))
    }

    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.client.find_all(Locator::Css(css)).await?.len())
    }

    /// Runs a script whose last argument is the callback for its result.
    pub async fn script(&self, script: &str) -> Result<Value> {
        self.client.execute_async(script, Vec::new()).await.context("run a script in the page")
    }

    /// Keeps what the page looks like, for people.
    pub async fn picture(&self, name: &str) -> Result<()> {
        let png = self.client.screenshot().await?;
        Ok(std::fs::write(self.pictures.join(format!("{name}.png")), png)?)
    }

    async fn find(&self, css: &str) -> Result<fantoccini::elements::Element> {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        if let Err(error) = found {
            let url =
                self.client.current_url().await.map(|url| url.to_string()).unwrap_or_default();
            let text = self.client.find(Locator::Css("main")).await;
            let text = match text {
                Ok(main) => main.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            bail!("{css} is not on {url}: {error}; the page says: {text}");
        }
        Ok(found?)
    }
}
