//! How many cameras one box bears: the same street served as so many live streams, the agent on them
//! as it runs at a junction, and what came of it beside the machine's limit: as many recordings decoded
//! and the vehicle model run as often, and nothing else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::agent::{self, Agent};
use crate::camera;
use crate::chart::{self, Chart};
use crate::json;
use crate::machine::{cpu, memory, processor};
use crate::process::Running;
use crate::site::Site;
use crate::system::SEED;

/// Until every stream is decoded and the first vehicles are followed, seconds.
const WARM: Duration = Duration::from_secs(10);
/// Until the bare decoders and the bare model run, and how long they do, seconds.
const BARE: (u64, u64) = (4, 16);
/// Length of the street's recording, seconds.
const ROUND: f64 = 60.0;
/// A box that bears its cameras looks at this share of the pictures that are due.
const BORNE: f64 = 0.95;

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// Numbers of cameras to try, one after another.
    #[arg(long, num_args = 1.., default_values_t = [1, 2, 4, 6, 8])]
    cameras: Vec<u32>,
    /// Pictures a second that each camera is to be looked at.
    #[arg(long, default_value_t = 5.0)]
    fps: f64,
    /// Every camera has a substream of this size besides, such as 1280x720; it is analysed.
    #[arg(long, value_name = "WxH")]
    substream: Option<String>,
    /// Who runs the red light in each camera's minute, of 42 vehicles. A camera of a province, 300 of
    /// them and 6,000 violations a day, sees 20 a day.
    #[arg(long, default_value_t = 1)]
    violations: u32,
    /// Seconds measured for each number.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the table is written as JSON.
    #[arg(long, default_value = "benches/results/cameras.json")]
    json: PathBuf,
}

/// What one number of cameras gave.
#[derive(Debug, Clone, Serialize)]
struct Row {
    cameras: u32,
    /// Analysed pictures a second: of all, of the mean camera, of the worst.
    pictures: f64,
    mean: f64,
    worst: f64,
    /// Cores that the agent took, and the server of the streams beside it.
    agent_cores: f64,
    server_cores: f64,
    /// Of the agent, for each analysed picture.
    ms_per_picture: f64,
    /// As many recordings decoded and the vehicle model run for as many pictures, bare.
    bare: Bare,
    /// The agent's processor time for a picture, over that of the bare run.
    over_bare: f64,
    /// Resident memory of the agent, MB.
    memory_mb: f64,
}

/// The machine's limit.
#[derive(Debug, Clone, Copy, Serialize)]
struct Bare {
    cores: f64,
    /// Decoded and looked at, a second.
    decoded: f64,
    pictures: f64,
}

#[derive(Debug, Serialize)]
struct Table {
    processor: String,
    cores: usize,
    fps: f64,
    /// Of each camera.
    violations_per_minute: u32,
    /// Size of the substream that is analysed, where there is one.
    substream: Option<String>,
    rows: Vec<Row>,
}

/// Prints a line a number of cameras.
pub async fn measure(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = Site::prepare(dir, "cameras")?;
    let scenario = street(&site, plan.violations)?;
    let (clip, _, geometry) = camera::render_scenario(&site, &scenario, Some(SEED))?;
    let small = plan.substream.as_ref().map(|size| camera::substream(&site, &clip, size));
    let small = small.transpose()?;
    let most = plan.cameras.iter().copied().max().unwrap_or(1);
    let mut flags = vec!["--in-step".to_owned()];
    for n in 1..=most {
        // No two see the same at the same time.
        let ahead = ROUND * f64::from(n - 1) / f64::from(most);
        let mut mount = |path: &str, file: &Path| {
            flags.push(format!("--mount={path}={}@{ahead:.2}", file.display()));
        };
        mount(&path(n), &clip);
        small.iter().for_each(|small| mount(&small_path(n), small));
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (server, first) = camera::serve_with(&site, &clip, &flags).await?;
    let host = first.strip_suffix(camera::PATH).context("an address without its path")?;
    Agent::keygen(&site)?;
    let mut table = Table {
        processor: processor(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        fps: plan.fps,
        violations_per_minute: plan.violations,
        substream: plan.substream.clone(),
        rows: Vec::new(),
    };
    println!("{}, {} cores, {} pictures a second wanted", table.processor, table.cores, plan.fps);
    println!("{}", Row::HEAD);
    for &cameras in &plan.cameras {
        let many = multiply(&site, &geometry, cameras, (host, small.is_some()), plan.fps)?;
        let bare = bare(&site, small.as_deref().unwrap_or(&clip), weights, cameras, plan).await?;
        let row = one(&site, &many, weights, cameras, &server, (plan, bare)).await?;
        println!("{row}");
        table.rows.push(row);
        json::write(&plan.json, &table)?;
    }
    let picture = plan.json.with_extension("svg");
    std::fs::write(&picture, table.drawn()).with_context(|| picture.display().to_string())?;
    let borne = |row: &&Row| row.worst >= BORNE * plan.fps;
    let most = table.rows.iter().filter(borne).map(|row| row.cameras).max();
    println!("every camera gets what it should of {} cameras", most.unwrap_or(0));
    println!("{} and {}", plan.json.display(), picture.display());
    Ok(())
}

/// A scenario with so many who run the light; its recording is made anew only where that changes.
fn street(site: &Site, violations: u32) -> Result<PathBuf> {
    let path = site.cache.join(format!("street-{violations}.toml"));
    let text = format!("[traffic]\nred_light = {violations}\nstop_line = 0\n");
    if std::fs::read_to_string(&path).ok().as_ref() != Some(&text) {
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(path)
}

/// The machine's limit for so many cameras, from the benches' program for it.
async fn bare(site: &Site, clip: &Path, weights: &Path, cameras: u32, plan: &Plan) -> Result<Bare> {
    let mut command = site.program("bare")?;
    command.arg(clip).arg("--models").arg(weights);
    command.args(["--streams", &cameras.to_string(), "--fps", &plan.fps.to_string()]);
    command.args(["--seconds", &(BARE.0 + BARE.1 + 2).to_string()]);
    let mut running = Running::start("bare decoders", command, &site.log("bare"))?;
    tokio::time::sleep(Duration::from_secs(BARE.0)).await;
    let (from, before) = (Instant::now(), cpu(running.id())?);
    tokio::time::sleep(Duration::from_secs(BARE.1)).await;
    let cores = (cpu(running.id())? - before) / from.elapsed().as_secs_f64();
    let status = loop {
        match running.ended()? {
            Some(status) => break status,
            None => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let said = running.last_line().context("the bare decoders said nothing")?;
    ensure!(status.success(), "the bare decoders ended with {status}: {said}");
    let said: serde_json::Value = serde_json::from_str(&said).with_context(|| said.clone())?;
    let rate = |name: &str| said[name].as_f64().with_context(|| format!("no {name} in {said}"));
    Ok(Bare { cores, decoded: rate("decoded")?, pictures: rate("looked_at")? })
}

async fn one(
    site: &Site,
    geometry: &Path,
    weights: &Path,
    cameras: u32,
    server: &Running,
    (plan, bare): (&Plan, Bare),
) -> Result<Row> {
    let agent = Agent::many(site, geometry, weights, None)?;
    let mut running = agent.run(site).await?;
    tokio::time::sleep(WARM).await;
    let (from, before) = (Instant::now(), frames(site).await?);
    let (agent_before, server_before) = (cpu(running.id())?, cpu(server.id())?);
    tokio::time::sleep(Duration::from_secs(plan.seconds)).await;
    running.check()?;
    let (after, took) = (frames(site).await?, from.elapsed().as_secs_f64());
    let cores = |before: f64, id: u32| Ok::<_, anyhow::Error>((cpu(id)? - before) / took);
    let (agent_cores, server_cores) =
        (cores(agent_before, running.id())?, cores(server_before, server.id())?);
    ensure!(after.len() == cameras as usize, "{} cameras are shown", after.len());
    let rates: Vec<f64> = before.iter().zip(&after).map(|(a, b)| (b - a) / took).collect();
    let pictures: f64 = rates.iter().sum();
    let memory_mb = memory(running.id())?;
    running.end();
    let each = |cores: f64, pictures: f64| cores / pictures.max(f64::EPSILON);
    let ms_per_picture = 1000.0 * each(agent_cores, pictures);
    Ok(Row {
        cameras,
        pictures,
        mean: pictures / f64::from(cameras),
        worst: rates.iter().copied().fold(f64::INFINITY, f64::min),
        agent_cores,
        server_cores,
        ms_per_picture,
        bare,
        over_bare: each(agent_cores, pictures) / each(bare.cores, bare.pictures),
        memory_mb,
    })
}

/// The scene's camera so many times, each with its own name and address.
fn multiply(
    site: &Site,
    geometry: &Path,
    cameras: u32,
    (host, substream): (&str, bool),
    fps: f64,
) -> Result<PathBuf> {
    let (mut table, one) = agent::drawn(geometry)?;
    let named = |n: u32| {
        let mut camera = one.clone();
        camera.insert("id".into(), format!("cam-{n:02}").into());
        camera.insert("uri".into(), format!("{host}{}", path(n)).into());
        if substream {
            camera.insert("substream".into(), format!("{host}{}", small_path(n)).into());
        }
        camera.insert("analysed_fps".into(), fps.into());
        toml::Value::Table(camera)
    };
    table.insert("camera".into(), (1..=cameras).map(named).collect::<Vec<_>>().into());
    let path = site.dir.join(format!("cameras-{cameras}.toml"));
    std::fs::write(&path, toml::to_string(&table)?)?;
    Ok(path)
}

/// A camera's path on the server, and that of its substream.
fn path(n: u32) -> String {
    format!("/bench-{n}")
}

fn small_path(n: u32) -> String {
    format!("{}-small", path(n))
}

/// Analysed pictures of each camera since the agent's start, in the order of their names.
async fn frames(site: &Site) -> Result<Vec<f64>> {
    let status = agent::status(site).await?;
    let cameras = status["cameras"].as_array().context("a status without cameras")?;
    cameras.iter().map(|it| it["frames"].as_f64().context("a camera without frames")).collect()
}

impl Table {
    /// The worst camera's pictures, cores beside the limit, and memory, over the number of cameras.
    fn drawn(&self) -> String {
        let ticks = || {
            let at = |row: &Row| (f64::from(row.cameras), row.cameras.to_string());
            self.rows.iter().map(at).collect()
        };
        let line = |value: fn(&Row) -> f64| {
            self.rows.iter().map(|row| (f64::from(row.cameras), value(row))).collect()
        };
        let title = format!("pictures a second over cameras; {} wanted of each", self.fps);
        let pictures = vec![("mean", line(|row| row.mean)), ("worst", line(|row| row.worst))];
        let cores = vec![
            ("agent", line(|row| row.agent_cores)),
            ("bare decoding and vehicle model", line(|row| row.bare.cores)),
        ];
        let of = format!("cores, of {}", self.cores);
        let memory = vec![("", line(|row| row.memory_mb))];
        chart::draw(&[
            Chart { title: &title, ticks: ticks(), lines: pictures },
            Chart { title: &of, ticks: ticks(), lines: cores },
            Chart { title: "resident memory, MB", ticks: ticks(), lines: memory },
        ])
    }
}

impl Row {
    const HEAD: &str = "  cameras  pictures/s  mean  worst  agent cores  server cores  ms/picture  bare cores  over bare     MB";
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  {:>7}  {:>10.1}  {:>4.2}  {:>5.2}  {:>11.2}  {:>12.2}  {:>10.1}  {:>10.2}  {:>9.2}  {:>5.0}",
            self.cameras,
            self.pictures,
            self.mean,
            self.worst,
            self.agent_cores,
            self.server_cores,
            self.ms_per_picture,
            self.bare.cores,
            self.over_bare,
            self.memory_mb
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_camera_becomes_many_of_their_own_names() {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::prepare(dir.path(), "cameras").unwrap();
        let geometry = dir.path().join("site.toml");
        std::fs::write(&geometry, "[[camera]]\nid = \"a\"\nplace = \"x\"\n").unwrap();
        let many = multiply(&site, &geometry, 3, ("rtsp://h:1", true), 5.0).unwrap();
        let table: toml::Value = toml::from_str(&std::fs::read_to_string(many).unwrap()).unwrap();
        let ids: Vec<_> = table["camera"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(ids[2].as_str(), Some("cam-03"));
        assert_eq!(table["camera"][1]["substream"].as_str(), Some("rtsp://h:1/bench-2-small"));
    }
}
