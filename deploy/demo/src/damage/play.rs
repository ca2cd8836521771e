//! Makes a variant's recording, replays it through the agent and holds the events against the
//! undamaged run's.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::table::{EDGE, Outcome};
use super::variants::{Against, Scene, Stream, Variant};
use crate::process;
use crate::site::Site;

/// Size of the synthetic junction's pictures.
const SIZE: [f64; 2] = [1920.0, 1080.0];

/// A scene encoded whole: what variants are cut from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Encode {
    scene: Scene,
    stream: Stream,
}

/// From when until when a recording does not show the road; seconds from its beginning.
#[derive(Debug, Clone, Copy)]
struct Harm {
    start: f64,
    from: Option<f64>,
    until: Option<f64>,
}

#[derive(Debug)]
pub struct Player<'a> {
    site: &'a Site,
    models: PathBuf,
    /// Two variants may need the same part undamaged.
    part: Mutex<()>,
}

impl<'a> Player<'a> {
    pub fn new(site: &'a Site, weights: &Path) -> Result<Self> {
        Ok(Self { site, models: site.models(weights)?, part: Mutex::new(()) })
    }

    /// The undamaged runs that `variants` are held against, each once.
    pub fn references(&self, variants: &[Variant]) -> Vec<Variant> {
        let mut known = HashSet::new();
        let held = variants.iter().filter(|variant| variant.against != Against::Truth);
        held.map(|variant| variant.whole().unwrap_or_else(|| variant.undamaged()))
            .filter(|variant| known.insert(variant.name()))
            .collect()
    }

    /// Renders what `variants` show, each scene once: rendering uses all cores by itself.
    pub fn render(&self, variants: &[Variant]) -> Result<()> {
        for variant in variants {
            variant.scene.render(self.site)?;
            variant.undamaged().scene.render(self.site)?;
        }
        Ok(())
    }

    /// The whole encodes that are cut for `variants`, each once.
    pub fn encodes(&self, variants: &[Variant]) -> Vec<Encode> {
        let mut known = HashSet::new();
        let both = variants.iter().flat_map(|variant| [variant.clone(), variant.undamaged()]);
        both.filter(|variant| !variant.anew && variant.stream != Stream::rendered())
            .map(|variant| Encode { scene: variant.scene, stream: variant.stream })
            .filter(|encode| known.insert(encode.clone()))
            .collect()
    }

    /// Encodes a scene once and keeps it.
    pub fn encode(&self, encode: &Encode) -> Result<()> {
        let (clip, ..) = encode.scene.render(self.site)?;
        let file = self.encoded(encode.scene, &encode.stream);
        let modified = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified());
        if modified(&file).is_ok_and(|made| modified(&clip).is_ok_and(|from| made > from)) {
            return Ok(());
        }
        // Whole or not at all: an interrupted one must not be found next time.
        let part = file.with_extension("part");
        let mut command = self.site.program("world")?;
        command.args(["damage", "--in"]).arg(&clip).arg("--out").arg(&part);
        command.args(flags(&encode.stream));
        let [from, to] = encode.stream.part.map(|s| s.to_string());
        command.args(["--from", &from, "--to", &to]);
        process::finish(command)?;
        Ok(std::fs::rename(&part, &file)?)
    }

    /// Replays a variant: events as JSON lines.
    pub fn replay(&self, variant: &Variant) -> Result<PathBuf> {
        self.play(variant).map(|(events, _)| events)
    }

    /// Replays a variant and compares it with what it is held against.
    pub fn judge(&self, variant: &Variant) -> Result<Outcome> {
        let (events, harm) = self.play(variant)?;
        if variant.against == Against::Truth {
            return self.compare(variant, &events, &self.lawful(variant)?, harm);
        }
        if let Some(whole) = variant.whole() {
            let known = self.part(variant, &whole, harm.start, 0.0)?;
            if self.compare(variant, &events, &known, harm)?.new.is_empty() {
                let sure = self.part(variant, &whole, harm.start, EDGE)?;
                let counts = self.compare(variant, &events, &sure, harm)?;
                return Ok(Outcome { new: Vec::new(), innocent: 0, ..counts });
            }
            // A part may show an act otherwise than the whole does: then the part itself decides.
            let _one = self.part.lock();
            self.replay(&variant.undamaged())?;
        }
        self.compare(variant, &events, &self.events(&variant.undamaged()), harm)
    }

    fn compare(
        &self,
        variant: &Variant,
        events: &Path,
        undamaged: &Path,
        harm: Harm,
    ) -> Result<Outcome> {
        let (_, truth, _) = variant.scene.render(self.site)?;
        let mut command = self.site.program("world")?;
        command.args(["compare", "--undamaged"]).arg(undamaged).arg("--damaged").arg(events);
        command.arg("--truth").arg(truth).args(["--start", &harm.start.to_string()]);
        if let Some(from) = harm.from {
            command.args(["--from", &from.to_string()]);
            if let Some(until) = harm.until {
                command.args(["--until", &until.to_string()]);
            }
        }
        let comparison: Value = serde_json::from_str(&process::finish(command)?)?;
        Outcome::new(variant.kind, variant.name(), [harm.start, variant.span[1]], &comparison)
    }

    /// The events of the whole that fall into a part from `start` on, `edge` seconds from its ends.
    fn part(&self, variant: &Variant, whole: &Variant, start: f64, edge: f64) -> Result<PathBuf> {
        let [from, to] = [start + edge, variant.span[1] - edge].map(|s| s - whole.span[0]);
        let mut lines = String::new();
        for line in std::fs::read_to_string(self.events(whole))?.lines() {
            let mut event: Value = serde_json::from_str(line)?;
            let at = event["at"].as_f64().context("an event without its time")?;
            if (from..to).contains(&at) {
                event["at"] = (at - start + whole.span[0]).into();
                lines += &format!("{event}\n");
            }
        }
        let path = self.site.dir.join(format!("{}.part.jsonl", variant.name()));
        std::fs::write(&path, lines)?;
        Ok(path)
    }

    fn play(&self, variant: &Variant) -> Result<(PathBuf, Harm)> {
        let name = variant.name();
        let clip = self.site.dir.join(format!("{name}.mp4"));
        let harm = self.make(variant, &clip)?;
        let events = self.events(variant);
        if events.is_file() {
            std::fs::remove_file(&clip)?;
            return Ok((events, harm));
        }
        let (_, _, geometry) = variant.scene.render(self.site)?;
        let geometry = self.draw(&geometry, variant)?;
        let (part, out) = (events.with_extension("part"), self.site.dir.join(&name));
        let log = self.site.log(&name);
        let mut replay = self.site.program("edge-agent")?;
        replay.args(["replay", "--json", "--config"]).arg(geometry).arg("--config");
        replay.arg(&self.models).arg("--input").arg(&clip).arg("--out").arg(&out);
        let status = replay
            .stdin(Stdio::null())
            .stdout(File::create(&part)?)
            .stderr(File::create(&log)?)
            .status()
            .context("run edge-agent replay")?;
        if !status.success() {
            bail!("edge-agent replay of {name} ended with {status}; {}", log.display());
        }
        // Whole or not at all: what was broken off must not be found when going on.
        std::fs::rename(&part, &events)?;
        // Hundreds of clips and packages: what accuses can be made again by name.
        std::fs::remove_file(&clip)?;
        std::fs::remove_dir_all(&out)?;
        Ok((events, harm))
    }

    /// Cuts and damages the scene's encode, or encodes its part anew.
    fn make(&self, variant: &Variant, clip: &Path) -> Result<Harm> {
        let mut command = self.site.program("world")?;
        command.arg("damage").arg("--out").arg(clip).arg("--in");
        // Where the input begins in the scene.
        let mut begins = 0.0;
        if variant.anew {
            let (whole, ..) = variant.scene.render(self.site)?;
            command.arg(whole).args(flags(&variant.stream));
        } else if variant.stream == Stream::rendered() {
            command.arg(variant.scene.render(self.site)?.0);
        } else {
            command.arg(self.encoded(variant.scene, &variant.stream));
            begins = f64::from(variant.stream.part[0]);
        }
        let [from, to] = variant.span.map(|s| (s - begins).to_string());
        command.args(["--from", &from, "--to", &to]);
        if let Some(fault) = &variant.fault {
            command.args(["--fault", &fault.text(begins)]);
        }
        let told: Value = serde_json::from_str(&process::finish(command)?)?;
        let start = told["start_s"].as_f64().context("world damage gave no start_s")? + begins;
        Ok(Harm { start, from: told["from_s"].as_f64(), until: told["until_s"].as_f64() })
    }

    /// The truth's offences as events: what may be accused where there is no undamaged run.
    fn lawful(&self, variant: &Variant) -> Result<PathBuf> {
        let (_, truth, _) = variant.scene.render(self.site)?;
        let truth = crate::json::read(&truth)?;
        let start = variant.span[0];
        let mut lines = String::new();
        for offence in truth["violations"].as_array().into_iter().flatten() {
            let at = offence["at_s"].as_f64().unwrap_or_default() - start;
            let line = serde_json::json!({
                "act": offence["act"], "at": at, "vehicle": offence["class"],
                "plate": {"text": offence["plate"]},
            });
            lines += &format!("{line}\n");
        }
        let path = self.site.dir.join(format!("{}.truth.jsonl", variant.name()));
        std::fs::write(&path, lines)?;
        Ok(path)
    }

    /// A copy of the site file with its lamps drawn elsewhere or larger.
    fn draw(&self, geometry: &Path, variant: &Variant) -> Result<PathBuf> {
        let [dx, dy, grow] = variant.drawn;
        if [dx, dy, grow] == [0; 3] {
            return Ok(geometry.to_path_buf());
        }
        let mut file: toml::Table = toml::from_str(&std::fs::read_to_string(geometry)?)?;
        let cameras = file.get_mut("camera").and_then(toml::Value::as_array_mut);
        for camera in cameras.into_iter().flatten() {
            let lamps = camera.get_mut("lamp").and_then(toml::Value::as_array_mut);
            for lamp in lamps.into_iter().flatten() {
                let region = lamp.get_mut("region").and_then(toml::Value::as_array_mut);
                let region = region.context("a lamp without a region")?;
                // Left, top, width, height: it grows on both sides.
                let pixels = [dx - grow, dy - grow, 2 * grow, 2 * grow];
                for ((value, pixels), whole) in region.iter_mut().zip(pixels).zip(SIZE.repeat(2)) {
                    let moved = value.as_float().unwrap_or_default() + f64::from(pixels) / whole;
                    *value = moved.into();
                }
            }
        }
        let path = self.site.dir.join(format!("{}.toml", variant.name()));
        std::fs::write(&path, toml::to_string(&file)?)?;
        Ok(path)
    }

    fn encoded(&self, scene: Scene, stream: &Stream) -> PathBuf {
        self.site.cache.join(format!("{}.{}.mp4", scene.name(), stream.name()))
    }

    fn events(&self, variant: &Variant) -> PathBuf {
        self.site.dir.join(format!("{}.jsonl", variant.name()))
    }
}

/// The encoder's flags for `world damage`.
fn flags(stream: &Stream) -> Vec<String> {
    let Stream { codec, gop, between, slices, bitrate, clock, .. } = stream;
    let mut flags = vec!["--codec".into(), (*codec).to_owned()];
    let numbers = [("gop", gop), ("between", between), ("slices", slices), ("bitrate", bitrate)];
    for (name, value) in numbers {
        flags.extend([format!("--{name}"), value.to_string()]);
    }
    if *clock {
        flags.push("--clock".into());
    }
    flags
}
