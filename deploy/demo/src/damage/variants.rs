//! What is tried: which scene, how encoded, what goes wrong and when.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::camera;
use crate::site::Site;

/// Pictures a second of the synthetic junction.
const FPS: f64 = 25.0;
/// The built-in lamp changes to green, to amber and to red at these seconds.
const GREEN: f64 = 42.0;
const AMBER: f64 = 8.0;
const RED: f64 = 11.0;
/// What is replayed before the damage and after it.
const BEFORE: f64 = 4.0;
const AFTER: f64 = 7.0;
/// By then a camera's view is known, and vehicles are followed.
const LEARNT: f64 = 10.0;

/// How a scene is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stream {
    pub codec: &'static str,
    pub gop: u32,
    pub between: u32,
    pub slices: u32,
    pub bitrate: u32,
    /// The recorder draws its time into the picture.
    pub clock: bool,
    /// The seconds of the scene that are encoded.
    pub part: [u32; 2],
}

impl Stream {
    const fn new(codec: &'static str, gop: u32) -> Self {
        Self { codec, gop, between: 0, slices: 1, bitrate: 6000, clock: false, part: [0, 60] }
    }

    /// As scenes are rendered: nothing has to be encoded again.
    pub fn rendered() -> Self {
        Self::new("h264", 25)
    }

    pub fn name(&self) -> String {
        let Self { codec, gop, between, slices, bitrate, clock, part: [from, to] } = self;
        let clock = if *clock { "-clock" } else { "" };
        format!("{codec}-{gop}-{between}-{slices}-{bitrate}{clock}-{from}_{to}")
    }

    fn gop_s(&self) -> f64 {
        f64::from(self.gop) / FPS
    }

    /// Key frames around: the last at or before, the first after.
    fn keys(&self, at: f64) -> (f64, f64) {
        let before = (at / self.gop_s() + 1e-6).floor() * self.gop_s();
        (before, before + self.gop_s())
    }
}

/// A rendered scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scene {
    /// The built-in junction by seed.
    Junction(u64),
    /// The same with lamps that over-expose, in percent.
    Glare(u64, u32),
    /// Riders who turn on the arrow from the middle of the road.
    Arrow,
    /// A scene of another act, by name and seed.
    Act(&'static str, u64),
}

impl Scene {
    pub fn name(self) -> String {
        match self {
            Self::Junction(seed) => format!("junction-{seed}"),
            Self::Glare(seed, percent) => format!("junction-{seed}-glare-{percent}"),
            Self::Arrow => "arrow".into(),
            Self::Act(name, seed) => format!("{name}-{seed}"),
        }
    }

    /// Clip, truth and site file, rendered once.
    pub fn render(self, site: &Site) -> Result<(PathBuf, PathBuf, PathBuf)> {
        match self {
            Self::Junction(seed) => camera::render(site, seed),
            Self::Glare(seed, percent) => {
                camera::render_glare(site, seed, f64::from(percent) / 100.0)
            }
            Self::Arrow => {
                camera::render_scenario(site, Path::new("fixtures/scenarios/arrow.toml"), None)
            }
            Self::Act(name, seed) => camera::render_scene(site, name, seed),
        }
    }
}

/// How the lamps' regions are drawn: pixels right, down and larger on every side.
pub type Drawn = [i32; 3];

/// What goes wrong, as `world damage` takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    what: &'static str,
    at: f64,
    more: String,
}

impl Fault {
    fn new(what: &'static str, at: f64, more: impl ToString) -> Self {
        Self { what, at, more: more.to_string() }
    }

    /// For a recording that begins at `start`.
    pub fn text(&self, start: f64) -> String {
        let Self { what, at, more } = self;
        let more = if more.is_empty() { String::new() } else { format!(":{more}") };
        format!("{what}:{:.2}{more}", at - start)
    }

    /// Whether it happens before the encoder.
    pub fn before_the_encoder(&self) -> bool {
        matches!(self.what, "frozen" | "gap" | "turned" | "blurred" | "covered")
    }
}

/// One run and what it is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub kind: &'static str,
    pub scene: Scene,
    pub stream: Stream,
    pub fault: Option<Fault>,
    /// Encoded for itself, from the span's beginning, because it goes wrong before the encoder; and
    /// so is what it is held against.
    pub anew: bool,
    /// Seconds of the scene that are replayed.
    pub span: [f64; 2],
    pub drawn: Drawn,
    /// Held against the truth where there is no undamaged run, against that scene where it is
    /// another one.
    pub against: Against,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    Undamaged,
    Scene(Scene),
    Truth,
}

impl Variant {
    fn new(kind: &'static str, seed: u64, stream: Stream, span: [f64; 2]) -> Self {
        Self {
            kind,
            scene: Scene::Junction(seed),
            stream,
            fault: None,
            anew: false,
            span,
            drawn: [0; 3],
            against: Against::Undamaged,
        }
    }

    /// The run without the damage.
    pub fn undamaged(&self) -> Self {
        let scene = match self.against {
            Against::Scene(scene) => scene,
            _ => self.scene,
        };
        Self {
            kind: "undamaged",
            scene,
            fault: None,
            drawn: [0; 3],
            against: Against::Truth,
            ..self.clone()
        }
    }

    /// The whole stream that this is a part of, undamaged: one run for all its parts. None where
    /// the run is another one's or nearly as long.
    pub fn whole(&self) -> Option<Self> {
        let span = self.stream.part.map(f64::from);
        let part = !self.anew && self.fault.is_some() && self.span != span;
        part.then(|| Self { span, ..self.undamaged() })
    }

    /// One name a run, fit for a file.
    pub fn name(&self) -> String {
        let scene = self.scene.name();
        let [from, to] = self.span;
        let fault = self.fault.as_ref().map_or("whole".into(), |fault| fault.text(0.0));
        let (fault, made) = (fault.replace(':', "_"), if self.anew { "anew" } else { "cut" });
        let [dx, dy, grow] = self.drawn;
        let drawn = if self.drawn == [0; 3] { String::new() } else { format!("-{dx}_{dy}_{grow}") };
        format!("{scene}-{}-{made}-{from:.2}_{to:.2}-{fault}{drawn}", self.stream.name())
    }

    /// A loss at `at`: replayed from a key frame before until some time after the next clean one.
    fn lost(seed: u64, stream: &Stream, fault: Fault) -> Self {
        let (kind, at) = (fault.what, fault.at);
        let (from, _) = stream.keys((at - BEFORE).max(0.0));
        let (_, mut clean) = stream.keys(at);
        if kind == "lost-key" {
            clean += stream.gop_s();
        }
        let span = [from, (clean + AFTER).min(60.0)];
        Self { fault: Some(fault), ..Self::new(kind, seed, stream.clone(), span) }
    }

    fn frozen(seed: u64, stream: Stream, at: f64, long: f64, how: &'static str) -> Self {
        let from = (at - 2.0 * BEFORE).floor().max(0.0);
        let to = (at + long + AFTER).ceil().min(60.0);
        let fault = Fault::new(how, at, format!("{long:.1}"));
        let anew = fault.before_the_encoder();
        Self { fault: Some(fault), anew, ..Self::new("frozen", seed, stream, [from, to]) }
    }
}

/// The whole table. The scenes of the acts are only rendered for kinds that are wanted.
pub fn all(site: &Site, moments: usize, wanted: impl Fn(&str) -> bool) -> Result<Vec<Variant>> {
    let mut all = losses(site, moments)?;
    all.extend(freezes(site)?);
    all.extend(lamps());
    all.extend(arrows());
    if BEFALLS.iter().any(|(kind, ..)| wanted(kind)) {
        all.extend(acts(site)?);
    }
    Ok(all)
}

/// One of each kind around the change to green, where most is at stake.
pub fn short() -> Vec<Variant> {
    let part = [37, 50];
    let span = part.map(f64::from);
    let long = Stream { part, ..Stream::new("h264", 250) };
    let split = Stream { part, slices: 4, between: 1, ..Stream::new("h265", 100) };
    let variant = |stream: &Stream, fault: Fault| {
        let anew = fault.before_the_encoder();
        let new = Variant::new(fault.what, 1, stream.clone(), span);
        Variant { anew, fault: Some(fault), ..new }
    };
    vec![
        variant(&long, Fault::new("lost", GREEN, "")),
        variant(&long, Fault::new("bits", GREEN, "")),
        variant(&split, Fault::new("lost-slice", GREEN, 1)),
        variant(&split, Fault::new("lost-key", GREEN - 1.0, "")),
        // Where one stands over the line and another rolls over it.
        Variant { span: [9.0, 32.0], ..variant(&long, Fault::new("frozen", 19.6, 5)) },
        Variant { drawn: [2, 0, 2], ..Variant::new("lamp drawn", 1, Stream::rendered(), span) },
    ]
}

/// Pictures lost at each moment, in both codecs and at three lengths of the group of pictures.
fn losses(site: &Site, moments: usize) -> Result<Vec<Variant>> {
    let streams: Vec<Stream> = ["h264", "h265"]
        .into_iter()
        .flat_map(|codec| {
            // As cameras do; with pictures between; in slices.
            [
                Stream::new(codec, 30),
                Stream { between: 2, ..Stream::new(codec, 100) },
                Stream { slices: 4, ..Stream::new(codec, 250) },
            ]
        })
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut all = Vec::new();
    for n in 0..moments {
        let seed = 1 + n as u64 % 2;
        let deeds = deeds(site, seed)?;
        let deed = deeds[random.random_range(0..deeds.len())] + random.random_range(-2.0..0.5);
        let deed = deed.clamp(2.0, 55.0);
        let anywhere = random.random_range(4.0..54.0);
        // The picture that shows the change of the lamp is lost, alone or with those before it.
        let before = |change: f64, pictures: u32| change - f64::from(pictures - 1) / FPS;
        let (what, at, more) = match n {
            0 | 1 => ("lost", GREEN, 1),
            2 => ("bits", GREEN, 0),
            // The upper, where the lamp is.
            3 => ("lost-slice", GREEN, 1),
            4 | 5 => ("lost-key", GREEN - 1.0, 0),
            6 | 7 => ("late", GREEN, 1 + 3 * (n - 6)),
            8 | 9 => ("lost", before(GREEN, 6), 6),
            10 | 11 => ("lost", RED, 1),
            12 | 13 => ("lost", AMBER, 1),
            14 | 15 => ("lost", before(GREEN, 12), 14),
            16 => ("lost", before(RED, 5), 5),
            17 => ("bits", RED, 0),
            18 => ("lost-between", GREEN, 0),
            19 => ("lost-slice", RED, 1),
            20 | 21 => ("bits", deed, 0),
            22 | 23 => ("lost", deed, 4),
            24 => ("lost-key", deed, 0),
            25 => ("late", deed, 2),
            26..=32 => ("lost", deed, 1),
            33 | 34 => ("lost", anywhere, 9),
            _ => ("lost", anywhere, 1),
        };
        for stream in &streams {
            // A stream without such pictures loses another. Of bits changed inside a slice of H.265
            // its decoder says nothing; networks lose packets, they do not change them.
            let (what, more) = match what {
                "bits" if stream.codec == "h265" => ("lost", 1),
                "lost-slice" if stream.slices == 1 => ("lost", 1),
                "lost-between" if stream.between == 0 => ("lost", 1),
                what => (what, more),
            };
            let more = if more == 0 { String::new() } else { more.to_string() };
            // Long groups have no key picture near the end.
            let (last, next) = stream.keys(at);
            let late = what == "lost-key" && next >= 60.0;
            let at = if late { last - 1.0 } else { at };
            all.push(Variant::lost(seed, stream, Fault::new(what, at, more)));
        }
    }
    Ok(all)
}

/// Pictures that stand still for 5 to 7 s, and pictures that do not come.
fn freezes(site: &Site) -> Result<Vec<Variant>> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut all = Vec::new();
    for n in 0..20u64 {
        let seed = 1 + n % 2;
        let deeds = deeds(site, seed)?;
        let at = match n {
            0 => 19.6,
            2 => 29.8,
            _ if n % 5 == 1 => GREEN - random.random_range(0.5..6.0),
            _ => deeds[random.random_range(0..deeds.len())] + random.random_range(0.0..2.0),
        };
        let at = at.clamp(4.0, 50.0);
        let long = 5.0 + (n % 3) as f64;
        let gop = [30, 250, 100][n as usize % 3];
        let codec = if n % 4 == 3 { "h265" } else { "h264" };
        let stream = Stream::new(codec, gop);
        all.push(match n % 5 {
            // The same bits again: only a key frame can be.
            2 => Variant::frozen(seed, Stream { gop: 30, ..stream }, at, long, "repeated"),
            3 => Variant::frozen(seed, Stream { clock: true, ..stream }, at, long, "frozen"),
            4 => Variant::frozen(seed, Stream { bitrate: 1500, ..stream }, at, long, "frozen"),
            _ => Variant::frozen(seed, stream, at, long, "frozen"),
        });
    }
    for (seed, at, long) in [(1, 41.5, 1.0), (2, 41.0, 3.0), (1, 20.0, 2.0), (2, 30.0, 4.0)] {
        let gap = Variant::frozen(seed, Stream::new("h264", 30), at, long, "gap");
        all.push(Variant { kind: "gap", ..gap });
    }
    Ok(all)
}

/// Regions drawn badly, and lamps that over-expose.
fn lamps() -> Vec<Variant> {
    let span = [20.0, 56.0];
    let stream = Stream::rendered();
    let mut all = Vec::new();
    for drawn in [[2, 0, 0], [-2, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 2], [0, 0, 5], [3, 2, 3]] {
        all.push(Variant { drawn, ..Variant::new("lamp drawn", 1, stream.clone(), span) });
    }
    for percent in [60, 100] {
        for drawn in [[0; 3], [0, 0, 2], [-2, 2, 2]] {
            all.push(Variant {
                scene: Scene::Glare(1, percent),
                drawn,
                against: Against::Scene(Scene::Junction(1)),
                ..Variant::new("lamp glare", 1, stream.clone(), [10.0, 50.0])
            });
        }
    }
    all
}

/// Lawful riders whose way looks like another until they have turned.
fn arrows() -> Vec<Variant> {
    let stream = Stream::rendered();
    let arrow = |span| Variant {
        scene: Scene::Arrow,
        against: Against::Truth,
        ..Variant::new("arrow", 1, stream.clone(), span)
    };
    vec![arrow([0.0, 46.0]), arrow([6.0, 40.0]), arrow([10.0, 46.0])]
}

/// Scenes of every act but the one between two cameras, and seeds with which they show a clear day,
/// rain and night.
const ACTS: [(&str, u64); 11] = [
    (camera::JUNCTION, 3),
    ("stop_line", 1),
    ("wrong_way", 1),
    ("turn_ban", 3),
    ("wrong_lane", 1),
    ("solid_line", 1),
    ("no_stopping", 1),
    ("forbidden", 4),
    ("speed", 3),
    ("emergency_lane", 1),
    ("plates", 1),
];
/// What befalls them, so many seconds before the act is done.
const BEFALLS: [(&str, &str, f64, &str); 6] = [
    ("act lost", "lost-key", 0.6, ""),
    ("act frozen", "frozen", 1.0, "5"),
    ("act gap", "gap", 1.0, "3"),
    ("turned", "turned", 2.0, "60"),
    ("blurred", "blurred", 2.0, "14"),
    ("covered", "covered", 2.0, "0.6"),
];

/// Pictures lost, frozen or not there, and another view, while each of the acts is done.
fn acts(site: &Site) -> Result<Vec<Variant>> {
    let mut all = Vec::new();
    for (name, seed) in ACTS {
        let scene =
            if name == camera::JUNCTION { Scene::Junction(seed) } else { Scene::Act(name, seed) };
        let (_, path, _) = scene.render(site)?;
        let truth = crate::json::read(&path)?;
        let ends = truth["duration_s"].as_f64().unwrap_or(60.0);
        let times = truth["violations"].as_array().into_iter().flatten();
        let times = times.filter_map(|it| it["until_s"].as_f64().or_else(|| it["at_s"].as_f64()));
        // Long enough before for the camera's view to be known.
        let time = times.into_iter().find(|at| *at >= LEARNT + 2.0 && at + AFTER <= ends);
        let at = time.with_context(|| format!("{}: nothing is done late enough", scene.name()))?;
        let long = if name == "no_stopping" { 20.0 } else { LEARNT };
        let span = [(at - long - 2.0).max(0.0).floor(), (at + AFTER).ceil()];
        for (kind, what, before, more) in BEFALLS {
            let fault = Some(Fault::new(what, at - before, more));
            let new = Variant::new(kind, seed, Stream::new("h264", 25), span);
            all.push(Variant { scene, fault, anew: true, ..new });
        }
    }
    Ok(all)
}

/// When vehicles of the junction crossed its line or stood over it.
fn deeds(site: &Site, seed: u64) -> Result<Vec<f64>> {
    let (_, path, _) = Scene::Junction(seed).render(site)?;
    let truth = crate::json::read(&path)?;
    let times = |list: &str, key: &str| -> Vec<f64> {
        let entries = truth[list].as_array().cloned().unwrap_or_default();
        entries.iter().filter_map(|entry| entry[key].as_f64()).collect()
    };
    // Offenders twice: they are what must be kept, and whose neighbours must not be accused.
    let mut deeds = times("violations", "at_s");
    deeds.extend(times("violations", "at_s"));
    deeds.extend(times("vehicles", "crossed_s"));
    anyhow::ensure!(!deeds.is_empty(), "{}: nobody crosses the line", path.display());
    Ok(deeds)
}
