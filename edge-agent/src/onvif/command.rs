//! `find-cameras` as it is typed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::find::{Search, find};
use crate::clock::System;
use crate::source::{Login, login_file};

/// Where a login may stand that is in no file.
const VARIABLE: &str = "EDGE_CAMERA_LOGIN";

/// Arguments of `find-cameras`.
#[derive(Debug, Args)]
pub struct FindCameras {
    /// Seconds to wait for answers.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
    /// Ask only on this interface: its name or its IPv4 address.
    #[arg(long, value_name = "NAME", conflicts_with = "addresses")]
    interface: Option<String>,
    /// Ask only this camera: HOST, HOST:PORT or http://HOST/PATH. For networks that multicast does not
    /// cross, and cameras whose discovery is off; may be given several times.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// File with user:password of the cameras, as the configuration names it. Without: the variable
    /// EDGE_CAMERA_LOGIN with the same content. Only digests of it are sent, to every camera found.
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl FindCameras {
    pub fn run(self, runtime: &tokio::runtime::Runtime) -> anyhow::Result<ExitCode> {
        let login = self.login()?;
        let search = Search {
            wait: Duration::from_secs(self.wait),
            interface: self.interface,
            addresses: self.addresses,
            login,
            credentials: self.credentials,
        };
        let report = runtime.block_on(find(&search, Arc::new(System::default())))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{report}");
        }
        if report.cameras.is_empty() {
            eprintln!(
                "no camera answered within {} s: check cable and power, and that ONVIF discovery is on; \
                 behind a router give --address",
                self.wait
            );
        }
        let told = report.cameras.iter().any(|camera| camera.problem.is_none());
        Ok(if told { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn login(&self) -> anyhow::Result<Option<Login>> {
        if let Some(path) = &self.credentials {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("login file {}", path.display()))?;
            let read = login_file(&text).map_err(|problem| anyhow::anyhow!("{problem}"));
            return read.with_context(|| format!("login file {}", path.display())).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(text) => match login_file(&text) {
                Ok(login) => Ok(Some(login)),
                Err(problem) => anyhow::bail!("the variable {VARIABLE} {problem}"),
            },
            Err(_) => Ok(None),
        }
    }
}
