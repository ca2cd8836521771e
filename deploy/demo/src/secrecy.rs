//! What the programs wrote into their logs, searched for what must never be there.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::camera;
use crate::system::{SEED, System};

/// Fails when a log holds the plate of any vehicle of the junction, or a password.
pub fn logs_name_nobody(system: &System) -> Result<String> {
    let site = &system.site;
    let truth = std::fs::read_to_string(camera::truth(site, SEED)).context("the clip's truth")?;
    let truth: Value = serde_json::from_str(&truth)?;
    let plates: Vec<&str> = truth["vehicles"]
        .as_array()
        .context("vehicles in the truth")?
        .iter()
        .filter_map(|vehicle| vehicle["plate"].as_str())
        .collect();
    ensure!(!plates.is_empty(), "the truth names no plates");
    let passwords = [&system.central.reviewer, &system.central.approver];
    let mut lines = 0;
    for program in ["agent", "central", "camera"] {
        let log = std::fs::read_to_string(site.log(program))
            .with_context(|| format!("the log of {program}"))?;
        lines += log.lines().count();
        for line in log.lines() {
            // However it is spelt: 29-X1 234.56, 29X1-23456.
            let line = line.replace('Đ', "D");
            let bare: String = line.chars().filter(char::is_ascii_alphanumeric).collect();
            let plate = plates.iter().any(|plate| bare.contains(plate));
            let password = passwords.iter().any(|officer| line.contains(&officer.password));
            ensure!(!plate && !password, "the log of {program} tells what it must not: {line}");
        }
    }
    ensure!(lines > 0, "the logs are empty: nothing was searched");
    Ok(format!("{lines} lines searched for {} plates", plates.len()))
}
