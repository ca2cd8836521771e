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
            // Of one that is not followed nothing is heard: the lamp is not taken for one without a wire.
            let said = lines.get(&end).and_then(|line| line.inputs.get(input)).cloned();
            let cabinet: Arc<dyn Cabinet> = said.unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::clock::{System, since_start};
    use crate::config;
    use crate::wire::Word;

    fn camera(id: &str, wired: &str) -> Arc<Camera> {
        let text = format!(
            "[[camera]]\nid = \"{id}\"\nplace = \"Đường thử\"\ndirection = \"Bắc\"\nplan = \"THU\"\n\
             stop_line = [[0.1, 0.6], [0.9, 0.6]]\n\
             approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]\n\
             exits = [{{ movement = \"straight\", line = [[0.2, 0.3], [0.8, 0.3]] }}]\n\
             lamp = [{{ name = \"main\", region = [0.9, 0.05, 0.05, 0.15],\n\
             controls = [\"straight\"], wired = \"{wired}\" }}]\n"
        );
        config::parse(&[("site.toml".into(), text)]).unwrap().cameras[0].clone()
    }

    /// Says that every red has current, and counts who came to hear it.
    async fn gateway() -> (String, Arc<Mutex<u32>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let came = Arc::<Mutex<u32>>::default();
        let counting = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                *counting.lock().unwrap() += 1;
                tokio::spawn(async move {
                    while stream.write_all(b"red1 on\nred2 on\n").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                });
            }
        });
        (place, came)
    }

    async fn hears_red(wires: &Wires, end: &End, input: &str) -> Arc<Said> {
        for _ in 0..200 {
            let said = wires.lines().get(end).and_then(|line| line.inputs.get(input).cloned());
            if let Some(said) = said.filter(|said| said.says(since_start()) == Word::Red) {
                return said;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{input} is not heard: {wires:?}");
    }

    #[tokio::test]
    async fn wires_follow_the_cameras_and_who_stays_goes_on_hearing() {
        let (place, came) = gateway().await;
        let at = |input: &str| format!("tcp://{place}/{input}");
        let (one, other) = (camera("cam-1", &at("red1")), camera("cam-2", &at("red1")));
        let stop = CancellationToken::new();
        let wires = Wires::new(Crew::new(Arc::new(System::default())), stop.clone());
        let end = End::Gateway(place.clone());
        wires.follow(&[Arc::clone(&one), other]);
        let first = hears_red(&wires, &end, "red1").await;
        assert!(wires.checks(&one)[0].is_some());

        // One of two cameras goes: the wire is the same.
        wires.follow(&[Arc::clone(&one)]);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(*came.lock().unwrap(), 1);

        // Another input of the gateway: the first one's word is not forgotten.
        let third = camera("cam-3", &at("red2"));
        wires.follow(&[one, third]);
        assert!(Arc::ptr_eq(&first, &hears_red(&wires, &end, "red1").await));
        hears_red(&wires, &end, "red2").await;
        assert_eq!(*came.lock().unwrap(), 2);

        // Nobody is wired any more.
        wires.follow(&[]);
        assert!(wires.lines().is_empty() && wires.crew.snapshot().is_empty());
        stop.cancel();
    }
}
