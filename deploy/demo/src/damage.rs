//! Damage to what the camera shows (pictures lost, frozen or late, a clock that is wrong, a lamp
//! that glares, a region drawn loosely) must never accuse anybody whom the undamaged recording does
//! not accuse, and may cost only what it covers.

mod live;
mod play;
mod table;
mod variants;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

pub use live::{act, offences};

use crate::site::Site;
use play::Player;
use table::{Outcome, Table};

#[derive(Debug, clap::Args)]
pub struct Plan {
    /// One variant of each kind on a few seconds of the junction: what `make test` runs.
    #[arg(long)]
    short: bool,
    /// Moments at which pictures are lost, each at three lengths of the group of pictures, in
    /// H.264 and H.265.
    #[arg(long, default_value_t = 40)]
    moments: usize,
    /// Only these kinds.
    #[arg(long, num_args = 1.., value_name = "KIND")]
    only: Vec<String>,
    /// Recordings replayed at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Go on where an earlier run of the same programs was broken off: what it replayed is not
    /// replayed again.
    #[arg(long)]
    resume: bool,
    /// Also write the table and every variant here, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Prints a line a kind; fails where a variant accuses anybody the undamaged run does not, or under
/// 0.7 of the events outside the damaged time are kept.
pub async fn damage(dir: &Path, weights: &Path, plan: &Plan) -> Result<()> {
    let site = if plan.resume { Site::open } else { Site::prepare }(dir, "damage")?;
    let wanted = |kind: &str| plan.only.is_empty() || plan.only.iter().any(|only| only == kind);
    let mut variants =
        if plan.short { variants::short() } else { variants::all(&site, plan.moments, wanted)? };
    variants.retain(|variant| wanted(variant.kind));
    let player = Player::new(&site, weights)?;
    player.render(&variants)?;
    let references = player.references(&variants);
    parallel(plan.jobs, "encodes", &player.encodes(&variants), |encode| player.encode(encode))?;
    parallel(plan.jobs, "undamaged", &references, |variant| player.replay(variant).map(drop))?;
    let mut outcomes: Vec<Outcome> =
        parallel(plan.jobs, "damaged", &variants, |variant| player.judge(variant))?;
    if wanted("clock") && !plan.short {
        outcomes.extend(live::clocks(&site, weights).await?);
    }
    if wanted("packets") && !plan.short {
        outcomes.push(live::packets(&site, weights).await?);
    }
    let table = Table::of(&outcomes);
    println!("{table}");
    for outcome in outcomes.iter().filter(|outcome| !outcome.new.is_empty()) {
        println!("new: {outcome}");
    }
    let json = plan.json.clone().unwrap_or_else(|| site.dir.join("damage.json"));
    table::write(&json, &table, &outcomes)?;
    if !table.holds(plan.short) {
        bail!(
            "below the bar: nobody newly accused, {} kept outside the damaged time",
            if plan.short { "something" } else { "0.7" }
        );
    }
    Ok(())
}

/// Runs `work` on every item, `jobs` at a time; results in the items' order.
fn parallel<T: Sync, R: Send>(
    jobs: usize,
    what: &'static str,
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let style = ProgressStyle::with_template("  {msg} {bar:30} {pos}/{len} {elapsed} eta {eta}");
    let bar = ProgressBar::new(items.len() as u64).with_message(what);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((i, item)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    items.get(i).map(|item| (i, item))
                } {
                    let result = work(item);
                    if result.is_err() {
                        next.store(items.len(), Ordering::Relaxed);
                    }
                    bar.inc(1);
                    if let Ok(mut done) = done.lock() {
                        done.push((i, result));
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}
