//! Acts beside the red light, each from pixels to notice: another scene before the camera, the same
//! agent, central and officers; the notice stands on the right article, bracket and points.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::officer::{Api, text};
use crate::proceedings::Unit;
use crate::stages::Stages;
use crate::system::{SEED, System};

/// A scene and the act that is waited for in it.
struct Case {
    stage: &'static str,
    scene: &'static str,
    act: &'static str,
    provisions: &'static [Provision],
}

/// What an act costs whom, typed from NĐ 168/2024 as amended by NĐ 238/2026, apart from the law files.
struct Provision {
    motorbike: bool,
    /// The excess above the limit from which it holds, km/h.
    over: f64,
    place: &'static str,
    /// Bracket, thousands of đồng.
    fine: [i64; 2],
    points: i64,
}

const fn of(
    motorbike: bool,
    over: f64,
    place: &'static str,
    fine: [i64; 2],
    points: i64,
) -> Provision {
    Provision { motorbike, over, place, fine, points }
}

const CASES: [Case; 3] = [
    Case {
        stage: "speeding, pixels to notice",
        scene: "speed",
        act: "speed",
        // From the highest bracket down.
        provisions: &[
            of(false, 35.0, "6.7.a", [12_000, 14_000], 6),
            of(false, 20.0, "6.6.a", [6_000, 8_000], 4),
            of(false, 10.0, "6.5.đ", [4_000, 6_000], 2),
            of(false, 5.0, "6.3.a", [800, 1_000], 0),
            of(true, 20.0, "7.8.a", [6_000, 8_000], 4),
            of(true, 10.0, "7.4.a", [800, 1_000], 0),
            of(true, 5.0, "7.2.b", [400, 600], 0),
        ],
    },
    Case {
        stage: "wrong way, pixels to notice",
        scene: "wrong_way",
        act: "wrong_way",
        provisions: &[
            of(false, 0.0, "6.9.d", [18_000, 20_000], 4),
            of(true, 0.0, "7.7.a", [4_000, 6_000], 2),
        ],
    },
    Case {
        stage: "parking, pixels to notice",
        scene: "no_stopping",
        act: "stop_place",
        provisions: &[
            of(false, 0.0, "6.2.đ", [600, 800], 0),
            of(true, 0.0, "7.2.e", [400, 600], 0),
        ],
    },
];

/// Plays every scene until one of its violations has its notice; gives the truths of the scenes.
pub async fn walk(
    system: &mut System,
    weights: &Path,
    stages: &Stages,
    patience: Duration,
) -> Result<Vec<PathBuf>> {
    let unit = Unit::sign_in(&system.site, &system.central).await?;
    let mut truths = Vec::with_capacity(CASES.len());
    for case in &CASES {
        let truth = system.turn_to(case.scene, SEED, weights, stages).await?;
        let violators = violators(&truth, case.act)?;
        let told = async {
            let what = format!("a case of {} with a plate", case.act);
            let detail = system
                .until(&what, patience, async |_| ready(&unit.reviewer, case.act).await)
                .await?;
            let id = text(&detail, "/case/id")?;
            let plate = text(&detail, "/case/plate")?;
            ensure!(
                violators.contains(&plate),
                "{plate} is accused of {} and did not do it",
                case.act
            );
            let remark = provided(case, &detail)?;
            let pdf = unit.notify(&id).await?;
            Ok(((), format!("{remark}; PDF of {} bytes", pdf.len())))
        };
        stages.run(case.stage, told).await?;
        truths.push(truth);
    }
    Ok(truths)
}

/// The first case of the act that nothing keeps from a decision.
async fn ready(api: &Api, act: &str) -> Result<Option<Value>> {
    for case in api.cases().await? {
        if case["act"] == act && case["state"] == "received" && case["plate"].is_string() {
            let detail = api.case(&text(&case, "/id")?).await?;
            match detail["blockers"].as_array().map(Vec::as_slice) {
                Some([]) => return Ok(Some(detail)),
                blockers => bail!("the case of {act} is kept from a decision: {blockers:?}"),
            }
        }
    }
    Ok(None)
}

/// Holds the provision of the case against the table; gives it in words.
fn provided(case: &Case, detail: &Value) -> Result<String> {
    let law = detail.get("law").filter(|law| law.is_object()).context("the case has no law")?;
    let motorbike = detail["case"]["vehicle"] == "motorbike";
    let excess = excess(detail);
    let fits = |of: &&Provision| of.motorbike == motorbike && of.over <= excess.unwrap_or(0.0);
    let wanted = case.provisions.iter().find(fits).context("no provision is that low")?;
    let place = format!("{}.{}.{}", law["article"], law["clause"], text(law, "/point")?);
    let fine = ["fine_min", "fine_max"].map(|key| law[key].as_i64().unwrap_or(0) / 1000);
    let points = law["points"].as_i64();
    ensure!(
        place == wanted.place && fine == wanted.fine && points == Some(wanted.points),
        "{place}, {fine:?} thousand đồng, {points:?} points instead of {}, {:?}, {}",
        wanted.place,
        wanted.fine,
        wanted.points
    );
    let excess = excess.map_or_else(String::new, |excess| format!("{excess:.1} km/h over, "));
    Ok(format!("{excess}{place}, {}–{} thousand đồng, {} points", fine[0], fine[1], wanted.points))
}

/// How far the measured speed lies above its limit, less what is tolerated and what is not known.
fn excess(detail: &Value) -> Option<f64> {
    let speed = detail.pointer("/manifest/violation/facts/speed")?;
    let part = |key: &str| speed.get(key).and_then(Value::as_f64);
    let margin = part("tolerance").unwrap_or(0.0) + part("uncertainty").unwrap_or(0.0);
    Some(part("value")? - part("limit")? - margin)
}

/// Plates of those who really do it in the scene.
fn violators(truth: &Path, act: &str) -> Result<Vec<String>> {
    let truth: Value = serde_json::from_slice(&std::fs::read(truth)?)?;
    let violations = truth["violations"].as_array().context("a truth without violations")?;
    let of = violations.iter().filter(|violation| violation["act"] == act);
    of.map(|violation| text(violation, "/plate")).collect()
}
