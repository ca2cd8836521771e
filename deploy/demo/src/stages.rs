//! One line a stage with the time it took, a spinner while it runs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Prints stages as they pass.
#[derive(Debug)]
pub struct Stages {
    started: Instant,
}

impl Stages {
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }

    /// Runs one stage; its result is the remark printed behind its name.
    pub async fn run<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<(T, String)>>,
    ) -> Result<T> {
        let began = Instant::now();
        let spinner = ProgressBar::new_spinner().with_style(
            ProgressStyle::with_template("  {spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        spinner.set_message(name);
        spinner.enable_steady_tick(Duration::from_millis(200));
        let result = work.await.with_context(|| format!("stage \"{name}\" failed"));
        spinner.finish_and_clear();
        let (value, remark) = result?;
        println!("  ok  {name:<34} {:>6.1} s   {remark}", began.elapsed().as_secs_f64());
        Ok(value)
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
