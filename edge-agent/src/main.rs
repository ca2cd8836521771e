//! Command line of the edge agent.

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use edge_agent::cameras::{self, Followed};
use edge_agent::clock::{Clock, System};
use edge_agent::config::{self, Agent, Fps};
use edge_agent::health::{Board, Finding, Verdict, doctor};
use edge_agent::history::command::Why;
use edge_agent::onvif::command::FindCameras;
use edge_agent::pace::Pace;
use edge_agent::source::supervise;
use edge_agent::update::launch::Launcher;
use edge_agent::update::{self, Base};
use edge_agent::watch::elsewhere::Passages;
use edge_agent::watch::eyes::{self, Eyes};
use edge_agent::{calibrate, keys, live, replay, watch};
use plate_model::{Models, Options};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Watches junction cameras, recognises red-light and stop-line violations, and delivers sealed
/// evidence to the central.
///
/// A first day: `keygen` on the box, enrol its public halves at the central, draw each camera's
/// lines in a site file, `check-config`, `doctor`, then `run`. To try a recording without any of
/// that, use `replay` with a site file alone.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Logging: RUST_LOG=edge_agent=debug shows why tracks are not accused. \
    ONNX Runtime is found through ORT_DYLIB_PATH or below .onnxruntime."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch every configured camera until stopped (SIGINT or SIGTERM).
    ///
    /// Cameras that are added to the configuration's files, changed or taken out come into force some
    /// seconds after the last change, or at once after SIGHUP; the others go on. What cannot be read changes nothing and is
    /// named in /status.
    Run {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Run the release that is to run as a child, try new ones, and go back where the box is not well.
    ///
    /// For the service manager, by the program that was installed; no release replaces it. Without
    /// [update] in the configuration, and where its folder or keys fail, this is `run`.
    Launch {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Put a recording through the same pipeline; prints events, writes sealed packages.
    ///
    /// The same recording and configuration give byte-identical events. A site file with one
    /// camera is configuration enough.
    Replay {
        #[command(flatten)]
        config: ConfigArgs,
        /// Recording: MP4, Matroska, … with H.264 or H.265 video. Repeat for a way between several
        /// cameras: a recording a camera, in the order of the configuration, begun at one time.
        #[arg(long = "input", value_name = "CLIP", required = true)]
        inputs: Vec<PathBuf>,
        /// The same recording in smaller, begun at the same time: as a camera's substream it is
        /// analysed, and the one above gives pictures and clips.
        #[arg(long, value_name = "CLIP")]
        substream: Option<PathBuf>,
        /// Folder for the evidence packages.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Print events as JSON lines on standard output.
        #[arg(long)]
        json: bool,
        /// Camera that the recording stands for, where the configuration has several.
        #[arg(long, value_name = "ID")]
        camera: Option<String>,
        /// When the recording began, e.g. 2026-11-21T08:00:00+07:00.
        #[arg(long, value_name = "TIME", value_parser = parse_time,
              default_value = "1970-01-01T00:00:00Z")]
        start: OffsetDateTime,
        #[command(flatten)]
        measure: Measure,
    },
    /// Check configuration files; names every problem with file, line and key.
    CheckConfig {
        #[command(flatten)]
        config: ConfigArgs,
        /// Print the commented reference configuration and exit.
        #[arg(long)]
        print_default: bool,
        /// Fail unless it is enough to run, and load the models: what a release is asked before it is
        /// tried.
        #[arg(long)]
        to_run: bool,
    },
    /// Check the box: clock, models, keys, spool, central and every camera.
    Doctor {
        #[command(flatten)]
        config: ConfigArgs,
        /// Seconds to wait for each camera's first picture.
        #[arg(long, default_value_t = 10)]
        wait: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tell who was seen at a moment, and why nobody was accused: from the history that `run` keeps.
    Why {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        why: Why,
    },
    /// Find the cameras on the network (ONVIF): their streams, their clocks, their lines of the site
    /// file.
    FindCameras(FindCameras),
    /// Serve the page on which a technician draws a camera: junction, lanes, lamps, zones, survey.
    ///
    /// Open the address that it prints in a browser and sign in with the password. Draw over the
    /// live picture; what the configuration lacks is said at once, "try" judges the last two minutes
    /// of traffic with the drawing, and "save" writes it into the site file, comments kept. A running
    /// agent follows the file by itself.
    #[command(after_help = "Example: edge-agent calibrate --config agent.toml --config site.toml \
        --password-file ~/calibrate.password\n\
        From a laptop: ssh -L 8090:127.0.0.1:8090 BOX, then http://localhost:8090/\n\
        Without a camera: edge-agent calibrate --config site.toml --input clip.mp4")]
    Calibrate {
        #[command(flatten)]
        config: ConfigArgs,
        #[command(flatten)]
        page: calibrate::Args,
    },
    /// Make the device's keys; hand `seal.pub` and `tls.csr` to enrolment at the central.
    Keygen {
        /// Name under which the device will be enrolled.
        #[arg(long, value_name = "ID")]
        device: String,
        /// Folder to make; nothing in it is overwritten.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

/// What a replay may do besides, to be measured.
#[derive(Debug, Args)]
struct Measure {
    /// Pictures analysed a second, instead of the camera's configured rate.
    #[arg(long, value_name = "N", value_parser = parse_fps)]
    fps: Option<f32>,
    /// Write every track, doubt, gap and plate reading here, as JSON lines.
    #[arg(long, value_name = "FILE")]
    tracks: Option<PathBuf>,
    /// Draw tracks on pictures, and contact sheets of plates, into this folder.
    #[arg(long, value_name = "DIR")]
    sheets: Option<PathBuf>,
    /// Keep what the rules said of every vehicle in this folder, for `why --history`.
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// Read the plates of all vehicles, not only of those that may be accused.
    #[arg(long)]
    every_plate: bool,
    /// Follow plates outside of any vehicle too: for recordings taken from close by.
    #[arg(long, requires = "every_plate")]
    loose_plates: bool,
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// Configuration file; repeat to merge, later ones win. Cameras are matched by id.
    ///
    /// Without any: the files that the variable EDGE_CONFIG names, a colon between them.
    #[arg(long = "config", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder with the models, instead of the configuration's.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

impl ConfigArgs {
    /// As named; only the variable, which has no other way, is taken apart at colons.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let files = match std::env::var_os("EDGE_CONFIG") {
            Some(list) if self.files.is_empty() => {
                std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
            }
            _ => self.files.clone(),
        };
        anyhow::ensure!(!files.is_empty(), "no configuration: give --config FILE");
        Ok(files)
    }

    fn load(&self) -> anyhow::Result<Agent> {
        Ok(self.adjusted(config::load(&self.files()?)?))
    }

    fn adjusted(&self, mut agent: Agent) -> Agent {
        if let Some(dir) = &self.models {
            agent.models.dir.clone_from(dir);
        }
        agent
    }
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    // Far from where dates end: evidence counts on from here, and in another offset.
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    time.filter(|time| (1970..2200).contains(&time.year()))
        .ok_or_else(|| "expected a time such as 2026-11-21T08:00:00+07:00".into())
}

fn parse_fps(text: &str) -> Result<f32, String> {
    let fps = text.parse().ok().filter(|fps| (1.0..=60.0).contains(fps));
    fps.ok_or_else(|| "expected 1 to 60 pictures a second".into())
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = match cli.command {
        // The inference runtime reports every allocation as information.
        Command::Run { .. } | Command::Launch { .. } => "info,ort=warn",
        _ => "warn",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // Standard output is for events and reports.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("edge-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { config } => return run(config),
        Command::Launch { config } => return launch(config),
        Command::CheckConfig { config, to_run: true, .. } => {
            let agent = config.adjusted(config::load_for_run(&config.files()?)?);
            eyes::load(&agent.models, 1, |models| models).context("models")?;
            println!("configuration and models are good to run");
        }
        Command::Replay { config, inputs, substream, out, json, camera, start, measure } => {
            let agent = config.load()?;
            let replay =
                Replay { agent: &agent, inputs, substream, out: &out, json, start, measure };
            if replay.measure.loose_plates {
                replay.run(camera.as_deref(), replay::loose::Loose)?;
            } else {
                replay.run(camera.as_deref(), |models| models)?;
            }
        }
        Command::CheckConfig { print_default: true, .. } => print!("{}", config::REFERENCE),
        Command::CheckConfig { config, .. } => {
            let agent = config.load()?;
            for camera in &agent.cameras {
                println!("camera {}: {} at {}", camera.id, camera.digest(), camera.place);
            }
            match config::load_for_run(&config.files()?) {
                Ok(_) => println!("configuration is good"),
                Err(lacks) => println!("good for replay; to run, {lacks}"),
            }
        }
        Command::Calibrate { config, page } => {
            let files = config.files()?;
            let (agent, _) = config::sketch(&config::read(&files)?)?;
            let eyes = eyes::load(&config.adjusted(agent).models, 1, |models| models)
                .map_err(|error| eprintln!("warning: models: {error}: nothing can be tried"));
            runtime()?.block_on(calibrate::run(&page, &files, eyes.ok().map(|(eyes, _)| eyes)))?;
        }
        Command::Doctor { config, wait, json } => return examine(&config.load()?, wait, json),
        Command::FindCameras(find) => return find.run(&runtime()?),
        Command::Why { config, why } => why.run(&config.load()?)?,
        Command::Keygen { device, out } => {
            let made = keys::generate(&out, &device)?;
            println!("{}: sealing key {}", made.dir.display(), made.key_id);
            println!("enrol at the central with {0}/seal.pub and {0}/tls.csr", made.dir.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run(config: ConfigArgs) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    // Models take seconds to load: who asks for something meanwhile is heard afterwards.
    let requests = runtime.block_on(async { live::Requests::listen() })?;
    let mut followed = Followed::new(config.files()?, config.models);
    let agent = followed.read()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sets = if agent.models.workers == 0 { cores } else { agent.models.workers };
    let (eyes, used) = eyes::load(&agent.models, sets, |models| models).context("models")?;
    let ended = runtime.block_on(live::run(agent, followed, eyes, used, requests))?;
    Ok(match ended {
        live::Ended::Asked => ExitCode::SUCCESS,
        live::Ended::Replace => ExitCode::from(update::REPLACE),
    })
}

/// Whatever is wrong with updates, the box works as it was installed.
fn launch(config: ConfigArgs) -> anyhow::Result<ExitCode> {
    let Some(section) = config::update_section(&config.files()?)? else { return run(config) };
    let base = Base {
        program: std::env::current_exe().context("the path of this program")?,
        configs: config.files()?,
        models: config.models.clone(),
        runtime: std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        release: 0,
    };
    // One thread: the kernel ends the child with the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let launched = Launcher::new(&section, base).and_then(|it| runtime.block_on(it.run()));
    drop(runtime);
    launched.or_else(|error| {
        tracing::error!(%error, "no updates: running what was installed");
        run(config)
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// What `replay` was asked for.
struct Replay<'a> {
    agent: &'a Agent,
    inputs: Vec<PathBuf>,
    substream: Option<PathBuf>,
    out: &'a std::path::Path,
    json: bool,
    start: OffsetDateTime,
    measure: Measure,
}

impl Replay<'_> {
    fn run<E: Eyes>(self, camera: Option<&str>, wrap: impl Fn(Models) -> E) -> anyhow::Result<()> {
        let Self { agent, inputs, substream, out, json, start, measure } = self;
        let mut cameras = replay::cameras(agent, camera, inputs.len())?;
        if let Some(fps) = measure.fps {
            cameras
                .iter_mut()
                .for_each(|camera| Arc::make_mut(camera).analysed_fps = Fps::fixed(fps));
        }
        if let Some(path) = &substream {
            let [camera] = cameras.as_mut_slice() else {
                anyhow::bail!("--substream belongs to one --input, {} are given", inputs.len());
            };
            let camera = Arc::make_mut(camera);
            // As evidence will say; which one it was is not part of it.
            camera.substream = Some(path.display().to_string());
            anyhow::ensure!(
                camera.analyses_substream(),
                "camera {}: a rule compares the plates of everybody who passes, for which a \
                 substream is too small: leave --substream out",
                camera.id
            );
        }
        let sealer = replay::sealer(agent, &cameras, out)?;
        let (eyes, models) = eyes::load(&agent.models, 1, wrap).context("models")?;
        let board = Board::new(Arc::new(System::default()));
        let context = watch::Context {
            device: agent
                .device
                .as_ref()
                .map_or_else(|| "replay".into(), |device| device.id.clone()),
            models,
            plates_per_frame: if measure.every_plate {
                usize::MAX
            } else {
                agent.models.plates_per_frame
            },
            wanted: if measure.every_plate {
                watch::Wanted::Everyone
            } else {
                watch::Wanted::Suspects
            },
            passages: Arc::new(Passages::of(&cameras)),
        };
        let started = std::time::Instant::now();
        let mut lines = replay::json_lines(stdout().lock());
        let mut print = |event: &replay::Event| {
            if json {
                return lines(event);
            }
            println!(
                "{:>8.2} s  {}  {}, track {}: {}; {}",
                event.at,
                event.act,
                event.vehicle.name(),
                event.track,
                event.reason,
                event.evidence
            );
            Ok(())
        };
        let mut summary = replay::Summary::default();
        for (camera, input) in cameras.into_iter().zip(inputs) {
            let replay = replay::Replay {
                board: board.camera(&camera.id),
                camera,
                context: context.clone(),
                input,
                substream: substream.clone(),
                start,
                out,
                sealer: &sealer,
                notes: replay::Notes {
                    tracks: measure.tracks.clone(),
                    sheets: measure.sheets.clone(),
                    history: measure.history.clone(),
                },
            };
            summary += replay.run(Arc::clone(&eyes), &mut print)?;
        }
        let took = started.elapsed().as_secs_f64();
        eprintln!(
            "{} events in {} analysed pictures, {:.1} pictures/s",
            summary.events,
            summary.pictures,
            summary.pictures as f64 / took.max(1e-3)
        );
        Ok(())
    }
}

fn examine(agent: &Agent, wait: u64, json: bool) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let mut findings = runtime()?.block_on(doctor::examine(agent, clock));
    findings.push(match Models::load(&agent.models.dir, &Options::of(agent.models.precision)) {
        Ok(models) => {
            let names: Vec<&str> = models.used.iter().map(|used| used.name.as_str()).collect();
            Finding::new("models", Verdict::Good, format!("{} load", names.join(", ")))
        }
        Err(error) => Finding::new("models", Verdict::Bad, error.to_string()),
    });
    for camera in &agent.cameras {
        let part = format!("camera {}", camera.id);
        if !camera.is_reachable() {
            findings.push(Finding::new(
                part,
                Verdict::Warn,
                "has no uri or onvif: good for replay only",
            ));
            continue;
        }
        let probed =
            cameras::settings(camera, &Arc::default(), Pace::fixed(camera.analysed_fps.most))
                .and_then(|settings| supervise::probe(&settings, Duration::from_secs(wait)));
        findings.push(match probed {
            Ok(probe) => doctor::camera(part, &probe),
            Err(error) => Finding::new(part, Verdict::Bad, error.to_string()),
        });
    }
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        findings.iter().for_each(|finding| println!("{finding}"));
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
