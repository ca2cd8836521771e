//! The three programs of the demo, started in the order in which they need each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::agent::{self, Agent};
use crate::camera;
use crate::central::{Central, Owners};
use crate::past;
use crate::process::Running;
use crate::registry;
use crate::release;
use crate::site::Site;
use crate::stages::Stages;

/// Seed of scenes.
pub const SEED: u64 = 1;
/// Seed of the junction that demo and smoke look at: a car, who has a right to be heard before a fine,
/// and four motorbikes run its red light within half a minute, all of them of citizens.
pub const JUNCTION_SEED: u64 = 12;

/// What the agent looks at.
#[derive(Debug)]
pub enum View {
    /// `past`: the box has a package that is older than the limitation.
    Synthetic {
        seed: u64,
        past: bool,
    },
    Recording {
        clip: PathBuf,
        geometry: PathBuf,
    },
    Stream {
        uri: String,
        geometry: PathBuf,
    },
}

/// Everything that runs. Fields are dropped, and so ended, in this order.
#[derive(Debug)]
pub struct System {
    pub agent_process: Running,
    pub central_process: Running,
    pub camera_process: Option<Running>,
    pub agent: Agent,
    pub central: Central,
    /// What really happens before the camera, where that is known.
    pub truth: Option<PathBuf>,
    pub site: Site,
}

impl System {
    /// Starts camera, central and agent, printing a line a stage.
    pub async fn start(site: Site, weights: &Path, view: &View, stages: &Stages) -> Result<Self> {
        let mut past = None;
        let (camera_process, uri, geometry, truth) = match view {
            View::Synthetic { seed, past: has_past } => {
                // Not under a spinner: the renderer shows its own progress.
                let (clip, truth, geometry) = camera::render(&site, *seed)?;
                let (process, uri) = serve(&site, &clip, stages).await?;
                past = has_past.then_some(clip);
                (Some(process), uri, geometry, Some(truth))
            }
            View::Recording { clip, geometry } => {
                let (process, uri) = serve(&site, clip, stages).await?;
                (Some(process), uri, geometry.clone(), None)
            }
            View::Stream { uri, geometry } => (None, uri.clone(), geometry.clone(), None),
        };
        let central = stages
            .run("database, staff, registry, device", async {
                // Of real vehicles nobody here knows the owners.
                let owners = truth.as_ref().map_or(Owners::Unknown, |_| Owners::Registry);
                let central = Central::set_up(&site, owners)?;
                let known = truth.as_deref().map(|it| registry::import(&site, &central, it));
                let known = known.transpose()?.unwrap_or(0);
                Agent::keygen(&site)?;
                release::key(&site)?;
                central.enrol(&site, agent::DEVICE)?;
                let told = format!("enrolled {}, {known} vehicles", agent::DEVICE);
                Ok((central, told))
            })
            .await?;
        let central_process = stages
            .run("central service ready", async {
                Ok((central.serve(&site).await?, site.web_url("/")))
            })
            .await?;
        let agent = Agent::configure(&site, &geometry, weights, &uri)?;
        if let Some(clip) = past {
            stages
                .run("a package of last year", async {
                    let told = "its case is closed by the limitation".to_owned();
                    past::leave(&site, &agent, &clip).await.map(|()| ((), told))
                })
                .await?;
        }
        let agent_process = stages
            .run("edge agent running", async {
                Ok((
                    agent.run(&site).await?,
                    format!("http://127.0.0.1:{}/status", site.ports.health),
                ))
            })
            .await?;
        Ok(Self { agent_process, central_process, camera_process, agent, central, truth, site })
    }

    /// Puts another built-in scene before the camera: camera and agent begin anew, the agent with its
    /// spool as it is. Gives the scene's truth.
    pub async fn turn_to(
        &mut self,
        scene: &str,
        seed: u64,
        weights: &Path,
        stages: &Stages,
    ) -> Result<PathBuf> {
        self.agent_process.end();
        self.camera_process = None;
        let (clip, truth, geometry) = camera::render_scene(&self.site, scene, seed)?;
        registry::import(&self.site, &self.central, &truth)?;
        let (process, uri) = serve(&self.site, &clip, stages).await?;
        self.camera_process = Some(process);
        self.agent = Agent::configure(&self.site, &geometry, weights, &uri)?;
        self.agent_process = self.agent.run(&self.site).await?;
        Ok(truth)
    }

    /// Fails with the words of the program that ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.agent_process.check()?;
        self.central_process.check()?;
        self.camera_process.as_mut().map_or(Ok(()), Running::check)
    }

    /// Waits until `look` gives something, at most `limit`.
    pub async fn until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut look: impl AsyncFnMut(&Site) -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            self.check()?;
            if let Some(value) = look(&self.site).await? {
                return Ok(value);
            }
            if tokio::time::Instant::now() > deadline {
                bail!(
                    "{what}: not within {} s; {}",
                    limit.as_secs(),
                    self.agent_process.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

async fn serve(site: &Site, clip: &Path, stages: &Stages) -> Result<(Running, String)> {
    let clip = clip.canonicalize().with_context(|| format!("recording {}", clip.display()))?;
    stages
        .run("camera streaming (RTSP)", async {
            let (process, uri) = camera::serve(site, &clip).await?;
            Ok(((process, uri.clone()), uri))
        })
        .await
}
