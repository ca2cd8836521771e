//! The demo for people: starts everything, says where to look, and shows what happens.
//!
//! `make demo` hands its VIDEO, CAMERA and SITE over in the environment (`DEMO_…`), where no shell
//! and no make reads what stands in a password or a path.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::agent;
use crate::central::Login;
use crate::proceedings::Unit;
use crate::site::Site;
use crate::stages::Stages;
use crate::story;
use crate::system::{JUNCTION_SEED, System, View};

#[derive(Debug, clap::Args)]
pub struct Input {
    /// Serve this recording (H.264 or H.265) over RTSP instead of the synthetic junction.
    #[arg(long)]
    video: Option<PathBuf>,
    /// Use this camera instead, e.g. rtsp://user:password@host/stream.
    #[arg(long)]
    camera: Option<String>,
    /// Geometry of the recording or camera, e.g. fixtures/sites/vn-redlight.toml.
    #[arg(long)]
    site: Option<PathBuf>,
}

impl Input {
    /// Options first, then what `make` hands over.
    fn view(&self, handed: impl Fn(&str) -> Option<OsString>) -> Result<View> {
        let handed = |name| handed(name).filter(|value| !value.is_empty());
        let video = self.video.clone().or_else(|| handed("DEMO_VIDEO").map(PathBuf::from));
        let site = self.site.clone().or_else(|| handed("DEMO_SITE").map(PathBuf::from));
        let camera = match (&self.camera, handed("DEMO_CAMERA").map(OsString::into_string)) {
            (Some(camera), _) => Some(camera.clone()),
            (None, Some(Ok(camera))) => Some(camera),
            (None, Some(Err(_))) => bail!("CAMERA is not UTF-8"),
            (None, None) => None,
        };
        Ok(match (&video, &camera, &site) {
            (Some(clip), None, Some(geometry)) => {
                View::Recording { clip: clip.clone(), geometry: geometry.clone() }
            }
            (None, Some(uri), Some(geometry)) => {
                View::Stream { uri: uri.clone(), geometry: geometry.clone() }
            }
            (None, None, None) => View::Synthetic { seed: JUNCTION_SEED, past: true },
            _ => bail!(
                "SITE goes with one of VIDEO and CAMERA: give a site file and the recording or \
                 stream it was drawn for"
            ),
        })
    }
}

/// What to open first, in the order of the staff.
const DESKS: [&str; 4] =
    ["/xet-duyet", "/phe-duyet", "/xu-phat, /ra-soat", "/chu-xe, /giao-nhan, /thoi-han, /tien"];

/// Runs until Ctrl-C or until a program ends by itself.
pub async fn run(dir: &Path, weights: &Path, input: &Input) -> Result<()> {
    let view = input.view(|name| std::env::var_os(name))?;
    let site = Site::prepare(dir, "demo")?;
    let stages = Stages::new();
    tokio::select! {
        result = show(site, weights, &view, &stages) => result,
        _ = tokio::signal::ctrl_c() => {
            println!("\nended: everything the demo started is stopped");
            Ok(())
        }
    }
}

async fn show(site: Site, weights: &Path, view: &View, stages: &Stages) -> Result<()> {
    let mut system = System::start(site, weights, view, stages).await?;
    println!();
    println!("  officers   {}", system.site.web_url("/"));
    for (officer, desks) in system.central.staff().into_iter().zip(DESKS) {
        let Login { login, password, title, .. } = officer;
        println!("             {login:<8} {password}   {title}: {desks}");
    }
    println!("  owners     {}", system.site.web_url("/tra-cuu"));
    println!("  agent      http://127.0.0.1:{}/metrics", system.site.ports.health);
    println!("  logs       {}", system.site.dir.join("logs").display());
    println!("\n  Ctrl-C ends everything.\n");
    let story = match system.truth.clone() {
        Some(truth) => Some((Unit::sign_in(&system.site, &system.central).await?, truth)),
        None => None,
    };
    let told = async {
        if let Some((unit, truth)) = &story
            && let Err(error) = story::tell(unit, truth).await
        {
            // What runs goes on: only what would have been shown is missing.
            println!("  not shown: {error:#}");
        }
        std::future::pending::<Result<()>>().await
    };
    tokio::select! {
        result = watch(&mut system, stages) => result,
        result = told => result,
    }
}

/// A line whenever something changes.
async fn watch(system: &mut System, stages: &Stages) -> Result<()> {
    let mut shown = String::new();
    loop {
        system.check()?;
        let line = match agent::status(&system.site).await {
            Ok(status) => describe(&status),
            Err(error) => format!("agent does not answer: {error}"),
        };
        if line != shown {
            println!("  {:>5.0} s  {line}", stages.elapsed().as_secs_f64());
            shown = line;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// One line of the agent's `/status`.
fn describe(status: &serde_json::Value) -> String {
    let number = |pointer: &str| status.pointer(pointer).and_then(serde_json::Value::as_f64);
    let text = |pointer: &str| status.pointer(pointer).and_then(serde_json::Value::as_str);
    format!(
        "{} {} at {:.0} fps · sealed and waiting {} · delivered {}",
        text("/cameras/0/id").unwrap_or("camera"),
        text("/cameras/0/state").unwrap_or("unknown"),
        number("/cameras/0/fps").unwrap_or(0.0),
        number("/spool/pending").unwrap_or(0.0),
        number("/spool/delivered").unwrap_or(0.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(handed: &[(&str, &str)]) -> Result<View> {
        let input = Input { video: None, camera: None, site: None };
        let find = |name: &str| handed.iter().find(|(key, _)| *key == name);
        input.view(|name| find(name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn what_make_hands_over_is_taken_letter_for_letter() {
        let camera = "rtsp://u:pa$word`id`\"'@h/s";
        let empty = ("DEMO_VIDEO", "");
        let all = [("DEMO_CAMERA", camera), ("DEMO_SITE", "a b.toml"), empty];
        let Ok(View::Stream { uri, geometry }) = view(&all) else { panic!("no stream") };
        assert_eq!((uri.as_str(), geometry.to_str()), (camera, Some("a b.toml")));
        assert!(matches!(view(&[empty]), Ok(View::Synthetic { .. })));
        for half in [&all[..1], &all[1..2], &[("DEMO_VIDEO", "x"), all[0], all[1]]] {
            assert!(view(half).unwrap_err().to_string().contains("SITE goes with"), "{half:?}");
        }
    }
}
