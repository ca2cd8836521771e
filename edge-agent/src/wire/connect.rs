//! The wires of all lamps: one connection a gateway, one subscription a camera. They follow the
//! configuration: what is wired as before goes on being heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{Cabinet, Check, Said, Wire, tcp};
use crate::config::Camera;
use crate::health::Crew;
use crate::onvif::events;

type Inputs = BTreeMap<String, Arc<Said>>;

/// Where wires end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Gateway(String),
    Camera(String),
}

impl End {
    /// Its name in the crew.
    fn member(&self) -> String {
        match self {
            Self::Gateway(place) => format!("cabinet {place}"),
            Self::Camera(id) => format!("inputs of {id}"),
        }
    }
}

/// What is heard at one end.
#[derive(Debug)]
struct Line {
    /// The camera whose inputs they are.
    camera: Option<Arc<Camera>>,
    inputs: Inputs,
    stop: CancellationToken,
}

impl Line {
    fn is(&self, camera: Option<&Arc<Camera>>, inputs: &BTreeSet<&str>) -> bool {
        let same_camera = match (&self.camera, camera) {
            (Some(one), Some(other)) => one.is(other),
            (None, None) => true,
            _ => false,
        };
        same_camera && self.inputs.keys().map(String::as_str).eq(inputs.iter().copied())
    }
}

/// Every wire, by where it ends.
#[derive(Debug)]
pub struct Wires {
    crew: Crew,
    stop: CancellationToken,
    lines: Mutex<BTreeMap<End, Line>>,
}

impl Wires {
    /// None yet; all fall silent with `stop`.
    pub fn new(crew: Crew, stop: CancellationToken) -> Self {
        Self { crew, stop, lines: Mutex::default() }
    }

    /// Listens to the wires of these cameras, and to no others. Within a runtime.
    pub fn follow(&self, cameras: &[Arc<Camera>]) {
        let mut wanted: BTreeMap<End, (Option<&Arc<Camera>>, BTreeSet<&str>)> = BTreeMap::new();
        for camera in cameras {
            for wire in camera.lamps.iter().filter_map(|lamp| lamp.wired.as_ref()) {
                let (end, of, input) = match &wire.at {
                    Wire::Tcp { place, input } => (End::Gateway(place.clone()), None, input),
                    Wire::Onvif { input } => (End::Camera(camera.id.clone()), Some(camera), input),
                };
                wanted.entry(end).or_insert_with(|| (of, BTreeSet::new())).1.insert(input);
            }
        }
        let mut lines = self.lines();
        lines.retain(|end, line| {
            let stays = wanted.contains_key(end);
            if !stays {
                line.stop.cancel();
                self.crew.dismiss(&end.member());
            }
            stays
        });
        for (end, (camera, inputs)) in wanted {
            let before = lines.get(&end);
            if before.is_some_and(|line| line.is(camera, &inputs)) {
                continue;
            }
            // Whoever is checked by one of them goes on with what it said last.
            let said = |input: &str| before.and_then(|line| line.inputs.get(input)).cloned();
            let inputs: Inputs = inputs
                .into_iter()
                .map(|input| (input.to_owned(), said(input).unwrap_or_default()))
                .collect();
            if let Some(before) = before {
                before.stop.cancel();
            }
            let line = Line { camera: camera.cloned(), inputs, stop: self.stop.child_token() };
            self.listen(&end, &line);
            lines.insert(end, line);
        }
    }

    fn listen(&self, end: &End, line: &Line) {
        let (crew, member, stop) = (self.crew.clone(), end.member(), line.stop.clone());
        let (end, camera, inputs) = (end.clone(), line.camera.clone(), line.inputs.clone());
        tokio::spawn(async move {
            let hear = || {
                let (stop, inputs, seed) = (stop.clone(), inputs.clone(), rand::random());
                let (end, camera) = (end.clone(), camera.clone());
                async move {
                    match (end, camera) {
                        (End::Gateway(place), _) => {
                            until(stop, tcp::listen(place, inputs, seed)).await;
                        }
                        (End::Camera(_), Some(camera)) => {
                            until(stop, events::follow(camera, inputs, seed)).await;
                        }
                        (End::Camera(_), None) => {}
                    }
                }
            };
            crew.task(&member, stop.clone(), hear).await;
        });
    }

    /// The checks of a camera's lamps, in their order.
    pub fn checks(&self, camera: &Camera) -> Vec<Option<Check>> {
        let lines = self.lines();
        let check = |lamp: &crate::config::Lamp| {
            let wired = lamp.wired.as_ref()?;
            let (end, input) = match &wired.at {
                Wire::Tcp { place, input } => (End::Gateway(place.clone()), input),
                Wire::Onvif { input } => (End::Camera(camera.id.clone()), input),
            };
            let cabinet: Arc<dyn Cabinet> = Arc::clone(lines.get(&end)?.inputs.get(input)?) as _;
            Some(Check::new(cabinet, wired.bears_ms * 1_000_000))
        };
        camera.lamps.iter().map(check).collect()
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<End, Line>> {
        // Whole at every step.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}
