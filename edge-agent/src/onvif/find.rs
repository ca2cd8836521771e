//! `find-cameras`: every camera that answers, and what a configuration needs to know of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::clock::compare;
use super::device::{information, services};
use super::discovery::{self, DiscoveryError, Found, Whom};
use super::media::Media;
use super::report::{CameraReport, Report, StreamReport};
use super::session::Session;
use super::streams::introduce;
use super::{Endpoint, OnvifError};
use crate::clock::Clock;
use crate::source::Login;

/// Cameras asked at a time.
const AT_ONCE: usize = 8;
/// Longer than that no camera is waited for in all.
const WHOLE: Duration = Duration::from_secs(40);

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// How long answers are waited for.
    pub wait: Duration,
    /// Name or address of the interface to ask on; absent: all.
    pub interface: Option<String>,
    /// These alone: `host`, `host:port` or `http://host/path`.
    pub addresses: Vec<String>,
    pub login: Option<Login>,
    /// The file it came from, for the configuration.
    pub credentials: Option<PathBuf>,
}

/// Why nothing can be looked for.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error("--address {address:?}: {problem}")]
    Address { address: String, problem: String },
}

/// Looks for cameras and asks each what it is.
pub async fn find(search: &Search, clock: Arc<dyn Clock>) -> Result<Report, FindError> {
    let mut found = Vec::new();
    if search.addresses.is_empty() {
        let whom = discovery::everybody(search.interface.as_deref())?;
        found = discovery::find(&whom, search.wait).await?;
    }
    for address in &search.addresses {
        found.extend(at(address, search.wait).await?);
    }
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    for (place, camera) in found.into_iter().enumerate() {
        let (gate, clock, search) = (Arc::clone(&gate), Arc::clone(&clock), search.clone());
        asking.spawn(async move {
            // Nobody closes it.
            let _turn = gate.acquire().await;
            (place, examine(camera, &search, clock).await)
        });
    }
    let mut cameras: Vec<_> = Vec::new();
    while let Some(one) = asking.join_next().await {
        cameras.extend(one.ok());
    }
    cameras.sort_by_key(|(place, _)| *place);
    Ok(Report { cameras: cameras.into_iter().map(|(_, camera)| camera).collect() })
}

/// The cameras at one address: as they answer to it, else where their services would be.
async fn at(address: &str, wait: Duration) -> Result<Vec<Found>, FindError> {
    let wrong = |problem: String| FindError::Address { address: address.to_owned(), problem };
    let known = |device| vec![Found { device, name: None, hardware: None }];
    if address.contains("://") {
        return Endpoint::parse(address).map(known).map_err(|problem| wrong(problem.to_string()));
    }
    let device = Endpoint::parse(&format!("http://{address}"));
    let device = device.map_err(|_| wrong("must be HOST, HOST:PORT or http://HOST/PATH".into()))?;
    let port = device.url().port().unwrap_or(discovery::PORT);
    let mut places = tokio::net::lookup_host((device.host().to_owned(), port))
        .await
        .map_err(|error| wrong(format!("the name is not known (DNS): {error}")))?;
    let place = places.next().ok_or_else(|| wrong("the name has no address (DNS)".into()))?;
    match discovery::find(&Whom::One(place), wait).await {
        Ok(found) if !found.is_empty() => Ok(found),
        // Many cameras can be asked whose discovery is switched off.
        _ if port == discovery::PORT => {
            let bare = Endpoint::parse(&format!("http://{}", bracketed(device.host())));
            bare.map(known).map_err(|problem| wrong(problem.to_string()))
        }
        _ => Ok(known(device)),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

async fn examine(found: Found, search: &Search, clock: Arc<dyn Clock>) -> CameraReport {
    let mut report = CameraReport::of(&found);
    let late = || OnvifError::Timeout { address: found.device.to_string(), waited: WHOLE };
    let outcome = tokio::time::timeout(WHOLE, ask(&found, search, clock, &mut report)).await;
    if let Err(error) = outcome.unwrap_or_else(|_| Err(late())) {
        report.problem(&error);
    }
    report
}

async fn ask(
    found: &Found,
    search: &Search,
    clock: Arc<dyn Clock>,
    report: &mut CameraReport,
) -> Result<(), OnvifError> {
    let mut session = Session::new(found.device.clone(), search.login.clone(), clock)?;
    introduce(&mut session).await?;
    report.clock = compare(&mut session).await.ok();
    report.information = Some(information(&mut session).await?);
    let services = services(&mut session).await?;
    let media = Media::of(&mut session, &services).await?;
    let main = media.main(None).ok().cloned();
    let small = main.as_ref().and_then(|main| media.small(main)).cloned();
    for profile in &media.profiles {
        let address = media.stream(&mut session, profile).await;
        if let Err(error) = &address
            && error.is_refusal()
        {
            return Err(error.clone());
        }
        report.streams.push(StreamReport {
            profile: profile.clone(),
            address: address.as_ref().ok().map(ToString::to_string),
            problem: address.as_ref().err().map(ToString::to_string),
            main: Some(&profile.token) == main.as_ref().map(|main| &main.token),
            sub: Some(&profile.token) == small.as_ref().map(|small| &small.token),
        });
    }
    match main {
        Some(main) => {
            let small = small.as_ref().map(|small| (small, media.call(small)));
            report.propose((&main, media.call(&main)), small, search.credentials.as_deref());
            Ok(())
        }
        None => {
            let problem = media.main(None).err().unwrap_or_default();
            Err(OnvifError::Profile { address: found.device.to_string(), problem })
        }
    }
}
