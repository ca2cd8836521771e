//! The registration authority's server, asked over HTTP within bounds of size and time (docs/REGISTRY.md).
//! A number never stands in an address, where logs on the way would keep it. What it answered is kept in
//! memory for a while: several cases of one vehicle ask once. Trying again is the job's; a server that
//! fails is left alone for a while ([`Breaker`]).

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::{Certificate, Client, StatusCode};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::ask::{Question, RegistryError, SettingError};
use super::breaker::Breaker;
use super::import::LONGEST;
use super::{Owner, Registration};
use crate::config;
use crate::device::keyfile;
use crate::outgoing;

/// For the whole of request and answer.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// A registration is a hundredth of this.
const MOST_ANSWER: usize = 64 * 1024;
/// Answers kept at once.
const MOST_KEPT: usize = 4096;

/// What is sent.
#[derive(Serialize)]
struct Body<'a> {
    plate: &'a str,
    two_wheeled: bool,
    reason: &'a str,
}

pub struct Server {
    url: reqwest::Url,
    token: String,
    client: Client,
    keep: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    breaker: Breaker,
    /// By number and whether the vehicle has two wheels; until when.
    kept: HashMap<(String, bool), (OffsetDateTime, Registration)>,
}

/// An address may hold a password, and what is kept is personal: neither is printed.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn open(settings: &config::Registry) -> Result<Self, SettingError> {
        let wrong = |key, problem: String| SettingError { key, problem };
        let url = reqwest::Url::parse(&settings.url).map_err(|e| wrong("url", e.to_string()))?;
        let is_near = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_near) {
            let said = "must start with https:// (http:// only on this machine)";
            return Err(wrong("url", said.into()));
        }
        let token = keyfile::load(Path::new(&settings.token_file), true)
            .map_err(|error| wrong("token_file", error.to_string()))?
            .trim()
            .to_owned();
        let mut client = outgoing::client().timeout(TIMEOUT);
        if !settings.roots.is_empty() {
            let pem = std::fs::read(&settings.roots)
                .map_err(|error| wrong("roots", format!("{}: {error}", settings.roots)))?;
            let roots = Certificate::from_pem_bundle(&pem)
                .map_err(|error| wrong("roots", format!("{}: {error}", settings.roots)))?;
            client = client.tls_certs_only(roots);
        }
        let client = client.build().map_err(|error| wrong("url", error.to_string()))?;
        let keep = Duration::minutes(i64::from(settings.keep_minutes));
        Ok(Self { url, token, client, keep, state: Mutex::default() })
    }

    pub(super) async fn look_up(
        &self,
        question: Question<'_>,
        now: OffsetDateTime,
    ) -> Result<Option<Registration>, RegistryError> {
        let key = (question.plate.to_owned(), question.two_wheeled);
        if let Some(kept) = self.kept(&key, now) {
            return Ok(Some(kept));
        }
        self.lock()
            .breaker
            .ask(now)
            .map_err(|until| RegistryError::Rests { host: self.host(), until })?;
        let answer = self.ask(question).await;
        let mut state = self.lock();
        match &answer {
            Ok(_) => state.breaker.answered(),
            Err(_) => state.breaker.failed(now),
        }
        if let Ok(Some(registration)) = &answer
            && !self.keep.is_zero()
        {
            state.kept.retain(|_, (until, _)| *until > now);
            if state.kept.len() < MOST_KEPT {
                state.kept.insert(key, (now + self.keep, registration.clone()));
            }
        }
        drop(state);
        answer.map_err(|problem| RegistryError::Server { host: self.host(), problem })
    }

    fn kept(&self, key: &(String, bool), now: OffsetDateTime) -> Option<Registration> {
        let state = self.lock();
        let (until, registration) = state.kept.get(key)?;
        (*until > now).then(|| registration.clone())
    }

    async fn ask(&self, question: Question<'_>) -> Result<Option<Registration>, String> {
        let Question { plate, two_wheeled, case: reason } = question;
        let request = self.client.post(self.url.clone()).bearer_auth(&self.token).json(&Body {
            plate,
            two_wheeled,
            reason,
        });
        let response = request.send().await.map_err(|error| outgoing::words(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(format!(
                    "does not let us ask ({}): check [registry] token_file",
                    response.status()
                ));
            }
            status => return Err(format!("answered {status}")),
        }
        let answer = outgoing::body(response, MOST_ANSWER).await?;
        // What does not read is not repeated: it may be somebody's name.
        let registration: Registration = serde_json::from_slice(&answer)
            .map_err(|error| format!("answered no registration (column {})", error.column()))?;
        match wrong(&registration) {
            Some(field) => Err(format!("answered a registration whose {field} is not usable")),
            None => Ok(Some(registration)),
        }
    }

    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    /// Plain values, each changed in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The field of a registration that a paper could not carry.
fn wrong(registration: &Registration) -> Option<&'static str> {
    let Registration { make, paint, owner, .. } = registration;
    let Owner { name, id_number, address, .. } = owner;
    let needed = [("owner.name", name), ("owner.address", address)];
    if let Some((field, _)) = needed.iter().find(|(_, text)| text.trim().is_empty()) {
        return Some(field);
    }
    let unfit = |text: &str| text.chars().count() > LONGEST || text.chars().any(char::is_control);
    let all = [("make", make), ("paint", paint), ("owner.id_number", id_number)];
    all.into_iter().chain(needed).find(|(_, text)| unfit(text)).map(|(field, _)| field)
}
