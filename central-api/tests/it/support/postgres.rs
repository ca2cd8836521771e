//! A PostgreSQL cluster in a folder, for tests and measurements: nobody else's, and gone with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Makes a cluster in `folder` and gives the command that serves it on a socket there. `durable`: it
/// waits for the disk, as in service.
///
/// The server ends with the thread that starts the command.
pub fn prepare(folder: &Path, durable: bool) -> Result<Command> {
    let bin = binaries()?;
    let root = is_root()?;
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    if root {
        // PostgreSQL refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(folder))?;
    }
    run(as_postgres(root, &bin.join("initdb")).arg("-D").arg(folder.join("data")).args([
        "-A",
        "trust",
        "-U",
        "phatnguoi",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]))?;
    server(folder, durable)
}

/// The command that serves the cluster in `folder`, again after it has died.
pub fn server(folder: &Path, durable: bool) -> Result<Command> {
    let mut server = as_postgres(is_root()?, &binaries()?.join("postgres"));
    server
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder)
        .args(["-c", "listen_addresses=", "-c", "max_connections=200"])
        .args(["-c", if durable { "fsync=on" } else { "fsync=off" }]);
    Ok(server)
}

/// Whether the cluster in `folder` answers.
pub fn is_ready(folder: &Path) -> Result<bool> {
    let mut ask = Command::new(binaries()?.join("pg_isready"));
    Ok(ask.arg("-q").arg("-h").arg(folder).status()?.success())
}

/// The address of a database of the cluster in `folder`.
pub fn url(folder: &Path, name: &str) -> String {
    format!("postgres://phatnguoi@localhost/{name}?host={}", folder.display())
}

/// `setpriv` makes the kernel end the server when this process goes, however it goes.
fn as_postgres(root: bool, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT").current_dir("/");
    if root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn is_root() -> Result<bool> {
    Ok(Command::new("id").arg("-u").output()?.stdout.trim_ascii() == b"0")
}

fn binaries() -> Result<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let bins = installed.map(|entry| entry.path().join("bin"));
    let newest = bins.filter(|bin| bin.join("initdb").exists()).max();
    newest.context("no /usr/lib/postgresql/*/bin/initdb: install the package postgresql")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}
