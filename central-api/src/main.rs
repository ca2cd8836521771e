//! `central-api`: serve, migrate, administer, verify.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Keys, evidence, names of officers: nothing that is written here is for other users to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    match cli::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // The chain's texts say what failed and why; a person reads them at the terminal.
            eprintln!("central-api: {error:#}");
            ExitCode::FAILURE
        }
    }
}
