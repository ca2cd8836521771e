//! What the programs wrote into their logs, searched for what must never be there.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::registry;
use crate::system::System;

/// Fails when a log holds the plate of any vehicle of the scenes played, the name of an owner, or a
/// password.
pub fn logs_name_nobody(system: &System, truths: &[PathBuf]) -> Result<String> {
    let (mut plates, mut owners) = (Vec::new(), Vec::new());
    for truth in truths {
        owners.extend(registry::owners(truth)?);
        let truth: Value =
            serde_json::from_slice(&std::fs::read(truth).context("the clip's truth")?)?;
        let vehicles = truth["vehicles"].as_array().context("vehicles in the truth")?;
        let named = vehicles.iter().filter_map(|vehicle| vehicle["plate"].as_str());
        plates.extend(named.map(|plate| plate.replace('Đ', "D")));
    }
    ensure!(!plates.is_empty(), "the truth names no plates");
    let passwords = system.central.staff();
    let mut lines = 0;
    let mut searched = Vec::new();
    for entry in std::fs::read_dir(system.site.dir.join("logs"))? {
        let path = entry?.path();
        let program = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let log =
            std::fs::read_to_string(&path).with_context(|| format!("the log of {program}"))?;
        lines += log.lines().count();
        for line in log.lines() {
            // However it is spelt: 29-X1 234.56, 29X1-23456.
            let bare = line.replace('Đ', "D");
            let bare: String = bare.chars().filter(char::is_ascii_alphanumeric).collect();
            let plate = plates.iter().any(|plate| bare.contains(plate.as_str()));
            let password = passwords.iter().any(|officer| line.contains(&officer.password));
            let owner = owners.iter().any(|owner| line.contains(owner.as_str()));
            let silent = !plate && !password && !owner;
            ensure!(silent, "the log of {program} tells what it must not: {line}");
        }
        searched.push(program);
    }
    ensure!(lines > 0, "the logs are empty: nothing was searched");
    for program in ["agent", "central"] {
        ensure!(searched.iter().any(|name| name == program), "there is no log of {program}");
    }
    Ok(format!("{lines} lines searched for {} plates and their owners", plates.len()))
}
