//! Where the demo keeps its things and which doors it opens.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context as _, Result, bail};

/// One run of the demo: folders, programs and ports.
#[derive(Debug, Clone)]
pub struct Site {
    /// Everything a run writes lies here.
    pub dir: PathBuf,
    /// Rendered clips, kept between runs.
    pub cache: PathBuf,
    /// Folder of the workspace's built programs.
    bin: PathBuf,
    pub ports: Ports,
}

#[derive(Debug, Clone, Copy)]
pub struct Ports {
    pub web: u16,
    pub device: u16,
    pub rtsp: u16,
    pub health: u16,
}

impl Site {
    /// Empties and prepares `root/name`. The usual ports where they are free, others where not.
    pub fn prepare(root: &Path, name: &str) -> Result<Self> {
        let dir = root.join(name);
        if dir.exists() {
            std::fs::remove_dir_all(&dir).with_context(|| format!("empty {}", dir.display()))?;
        }
        Self::open(root, name)
    }

    /// Prepares `root/name` and leaves what an earlier run wrote there.
    pub fn open(root: &Path, name: &str) -> Result<Self> {
        let dir = root.join(name);
        let cache = root.join("cache");
        for folder in [&dir, &cache, &dir.join("logs"), &dir.join("keys")] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("make {}", folder.display()))?;
        }
        let bin = std::env::current_exe()?.parent().context("program folder")?.to_path_buf();
        let dir = dir.canonicalize()?;
        let ports = Ports {
            web: free_port(8080)?,
            device: free_port(8443)?,
            rtsp: free_port(8554)?,
            health: free_port(9464)?,
        };
        Ok(Self { dir, cache, bin, ports })
    }

    /// On whatever ports are free: several such runs do not meet.
    pub fn aside(mut self) -> Result<Self> {
        let free = || free_port(0);
        self.ports = Ports { web: free()?, device: free()?, rtsp: free()?, health: free()? };
        Ok(self)
    }

    /// A command for one of the workspace's own programs.
    pub fn program(&self, name: &str) -> Result<Command> {
        let path = self.bin.join(name);
        if !path.is_file() {
            bail!(
                "{} is not built: run `cargo build --workspace --bins` (make does)",
                path.display()
            );
        }
        Ok(Command::new(path))
    }

    /// A configuration file that names the folder of the models.
    pub fn models(&self, weights: &Path) -> Result<PathBuf> {
        let file = self.dir.join("models.toml");
        let weights = weights.canonicalize().with_context(|| weights.display().to_string())?;
        std::fs::write(&file, format!("[models]\ndir = \"{}\"\n", weights.display()))?;
        Ok(file)
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{name}.log"))
    }

    pub fn web_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports.web)
    }
}

/// A port that is still free when who listens on it was away for a while: below those that the kernel
/// gives to outgoing connections, and not one that other runs ask for first.
pub fn steady_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 9_000) as u16;
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut tried = (0..1000).map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed));
    tried.find(free).context("no free port on 127.0.0.1")
}

fn free_port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", wanted))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
