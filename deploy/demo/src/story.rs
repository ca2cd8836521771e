//! What the demo does by itself, so that every desk has something to show: one notice in a batch of
//! letters, one fine paid, one explained and at the leader's for signing, one that the limitation has closed.
//! All else waits for a person.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::proceedings::Unit;
use crate::registry;

/// Between two looks at the queue.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells it, a line a step, as soon as the camera has seen what it needs.
pub async fn tell(unit: &Unit, truth: &Path) -> Result<()> {
    let known = registry::plates(truth)?;
    let letter = wait(unit, &known, "motorbike").await?;
    unit.notify(&letter).await?;
    let (batch, _) = unit.post_batch().await?;
    println!("  in the post   /ho-so/{letter}   letters {batch}");

    let explained = wait(unit, &known, "car").await?;
    explain(unit, &explained).await?;
    println!("  explained     /ho-so/{explained}   to be signed by the leader: /xu-phat");

    let paid = wait(unit, &known, "motorbike").await?;
    unit.notify(&paid).await?;
    unit.draw_minutes(&paid, "Tôi đã vượt đèn đỏ.").await?;
    unit.propose(&paid).await?;
    let fine = unit.sign(&paid).await?;
    unit.pay(&[&fine])?;
    println!("  paid          /ho-so/{paid}   {}, /tien", fine.says("Số quyết định")?);
    let expired = loop {
        match unit.expired().await? {
            Some(case) => break case,
            None => tokio::time::sleep(PAUSE).await,
        }
    };
    println!("  expired       /ho-so/{expired}   sent after more than a year: nobody may be fined");
    println!("  all else waits for you, from /xet-duyet on\n");
    Ok(())
}

/// From the camera's word to a proposal that heard the driver: the law gives who may pay so much a right
/// to be heard before.
pub async fn explain(unit: &Unit, case: &str) -> Result<()> {
    unit.notify(case).await?;
    unit.draw_minutes(case, "Tôi xin giải trình bằng văn bản.").await?;
    let said = "Tôi nhường đường cho xe cứu thương.";
    unit.explain(case, said, "Không có xe ưu tiên trong các ảnh và đoạn phim.").await?;
    unit.propose(case).await
}

/// A red-light case of a vehicle of that kind with an owner whom the registry knows.
async fn wait(unit: &Unit, known: &[String], vehicle: &str) -> Result<String> {
    loop {
        if let Some(case) = unit.ready(|case| red_light(case, known, vehicle)).await? {
            return Ok(case);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a case is one of the red light, of such a vehicle, with such a plate.
pub fn red_light(case: &Value, known: &[String], vehicle: &str) -> bool {
    let plate = case["plate"].as_str().unwrap_or_default();
    case["act"] == "red_light" && case["vehicle"] == vehicle && known.iter().any(|it| it == plate)
}
