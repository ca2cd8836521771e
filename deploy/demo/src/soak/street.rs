//! The soak's cameras: each a program of its own behind a port of its own, showing a street whose
//! truth is known. What the agent is told of them is a file that is written anew where it changes.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::sync::Mutex;

use super::faults::Trouble;
use crate::agent;
use crate::camera;
use crate::damage::offences;
use crate::process::Running;
use crate::site::{self, Site};
use crate::system::SEED;

/// Nobody has this address (RFC 5737).
const NOWHERE: &str = "rtsp://192.0.2.1:554/cam";

#[derive(Debug)]
pub struct Camera {
    pub id: String,
    pub port: u16,
    whole: PathBuf,
    /// What it shows in some troubles, made before.
    made: Vec<(Trouble, PathBuf)>,
    /// Everybody who breaks a rule in what it shows, as `damage` words it.
    pub guilty: HashSet<String>,
    /// As its site file draws it.
    drawn: toml::Table,
    process: RefCell<Option<Running>>,
    /// Something is being done to it.
    pub troubled: Cell<bool>,
    pub nowhere: Cell<bool>,
    pub fps: Cell<f64>,
}

/// All of them, and the agent's file about them.
#[derive(Debug)]
pub struct Street {
    pub cameras: Vec<Camera>,
    pub file: PathBuf,
    /// The file holds what nobody understands.
    pub spoilt: Cell<bool>,
    /// Held by who edits the file, until what was written is in force where that matters.
    pub desk: Mutex<()>,
}

impl Camera {
    /// Renders its street where that is not there yet, and what it will show in these troubles.
    /// `late` leaves out what comes long before anybody is accused.
    fn prepare(site: &Site, n: u32, fps: f64, late: bool, troubles: &[Trouble]) -> Result<Self> {
        let (mut whole, truth, geometry) = camera::render(site, SEED + u64::from(n))?;
        let first = crate::json::read(&truth)?["violations"]
            .as_array()
            .and_then(|all| all.iter().filter_map(|one| one["at_s"].as_f64()).reduce(f64::min))
            .context("a truth without violations")?;
        if late {
            let from = (first - 10.0).max(0.0).floor().to_string();
            whole = camera::derived(site, &whole, "late", &["damage", "--from", &from])?;
        }
        let make = |trouble: &Trouble| {
            let step = |clip: PathBuf, (mark, words): &(&str, &[&str])| {
                camera::derived(site, &clip, mark, words)
            };
            let made = trouble.making().iter().try_fold(whole.clone(), step)?;
            Ok::<_, anyhow::Error>((*trouble, made))
        };
        let made = troubles.iter().map(make).collect::<Result<_>>()?;
        Ok(Self {
            id: format!("cam-{:02}", n + 1),
            port: site::steady_port()?,
            whole,
            made,
            guilty: offences(&truth)?,
            drawn: agent::drawn(&geometry)?.1,
            process: RefCell::default(),
            troubled: Cell::default(),
            nowhere: Cell::default(),
            fps: Cell::new(fps),
        })
    }

    /// As in this trouble.
    pub async fn show(&self, site: &Site, trouble: Trouble, flags: &[&str]) -> Result<()> {
        let made = self.made.iter().find(|(of, _)| *of == trouble);
        self.serve(site, made.map_or(&self.whole, |(_, made)| made), flags).await
    }

    async fn serve(&self, site: &Site, clip: &Path, flags: &[&str]) -> Result<()> {
        self.off()?;
        let (running, _) = camera::serve_at(site, self.port, clip, flags).await?;
        *self.process.borrow_mut() = Some(running);
        Ok(())
    }

    /// As it should be.
    pub async fn show_well(&self, site: &Site) -> Result<()> {
        self.serve(site, &self.whole, &[]).await
    }

    /// `kill -9`.
    pub fn off(&self) -> Result<()> {
        self.process.take().map_or(Ok(()), Running::kill)
    }

    pub fn freeze(&self, frozen: bool) -> Result<()> {
        self.process.borrow().as_ref().map_or(Ok(()), |process| process.freeze(frozen))
    }

    /// Fails with its words where it ended by itself.
    pub fn check(&self) -> Result<()> {
        self.process.borrow_mut().as_mut().map_or(Ok(()), Running::check)
    }

    fn table(&self) -> toml::Table {
        let mut table = self.drawn.clone();
        let there = format!("rtsp://127.0.0.1:{}{}", self.port, camera::PATH);
        let address = if self.nowhere.get() { NOWHERE.into() } else { there };
        table.insert("id".into(), self.id.clone().into());
        table.insert("uri".into(), address.into());
        table.insert("analysed_fps".into(), self.fps.get().into());
        table
    }
}

impl Street {
    pub async fn build(
        site: &Site,
        cameras: u32,
        fps: f64,
        (late, troubles): (bool, &[Trouble]),
    ) -> Result<Self> {
        let victim = |n: u32| cameras == 1 || n + 1 < cameras;
        let cameras = (0..cameras)
            .map(|n| Camera::prepare(site, n, fps, late, if victim(n) { troubles } else { &[] }));
        let street = Self {
            cameras: cameras.collect::<Result<_>>()?,
            file: site.dir.join("street.toml"),
            spoilt: Cell::default(),
            desk: Mutex::default(),
        };
        for camera in &street.cameras {
            camera.show_well(site).await?;
        }
        street.write()?;
        Ok(street)
    }

    /// Writes what the agent is told; never half of it.
    pub fn write(&self) -> Result<()> {
        let mut table = toml::Table::new();
        if self.spoilt.get() {
            table.insert("nobody_understands".into(), true.into());
        }
        let cameras = self.cameras.iter().map(|camera| toml::Value::Table(camera.table()));
        table.insert("camera".into(), cameras.collect::<Vec<_>>().into());
        let new = self.file.with_extension("new");
        std::fs::write(&new, toml::to_string(&table)?)?;
        std::fs::rename(&new, &self.file).with_context(|| self.file.display().to_string())
    }

    /// Nothing is done to the last of several: what happens to the others is none of its business.
    pub fn left_alone(&self) -> Option<&Camera> {
        self.cameras.last().filter(|_| self.cameras.len() > 1)
    }

    pub fn victims(&self) -> &[Camera] {
        &self.cameras[..self.cameras.len() - usize::from(self.left_alone().is_some())]
    }
}
