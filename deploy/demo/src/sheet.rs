//! A contact sheet of evidence: for every act the accused as the reviewer first sees it, to be looked
//! over in a browser.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// So many of an act are enough to see whether its pictures are fit to be shown.
const EACH: usize = 3;

/// What is shown of each act.
#[derive(Debug, Default)]
pub struct Sheet {
    acts: BTreeMap<String, Vec<Shown>>,
}

#[derive(Debug)]
struct Shown {
    picture: PathBuf,
    recording: String,
    reason: String,
}

impl Sheet {
    /// Takes in the packages under `folder` of one recording, as far as their acts are not shown yet.
    pub fn add(&mut self, recording: &str, folder: &Path) -> Result<()> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let mut packages: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        packages.sort();
        let mut taken = BTreeMap::new();
        for package in packages.into_iter().filter(|path| path.join("manifest.json").is_file()) {
            let manifest: Value =
                serde_json::from_slice(&std::fs::read(package.join("manifest.json"))?)?;
            let word = |place: &str| {
                manifest.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            // The average speed is the law's act of speed and has pictures of its own.
            let family = word("/violation/facts/family");
            let act = word("/violation/act");
            let act = if family.starts_with(&act) { family } else { act };
            let shown = self.acts.entry(act.clone()).or_default();
            // One of each recording: another one is other weather.
            if shown.len() < EACH && taken.insert(act, ()).is_none() {
                shown.push(Shown {
                    picture: package.join("overlay.jpg"),
                    recording: recording.to_owned(),
                    reason: word("/violation/reason"),
                });
            }
        }
        Ok(())
    }

    /// Writes the sheet as a page beside the recordings' folders.
    pub fn write(&self, page: &Path) -> Result<()> {
        let base = page.parent().unwrap_or(Path::new(""));
        let mut html = String::from(
            "<!doctype html><meta charset=utf-8><title>phatnguoi: acts</title>\
             <style>body{font:14px sans-serif;margin:16px}section{display:flex;gap:12px}\
             figure{margin:0 0 12px;width:32%}img{width:100%}h2{margin:8px 0}</style>\n",
        );
        for (act, shown) in &self.acts {
            writeln!(html, "<h2>{}</h2><section>", escaped(act))?;
            for Shown { picture, recording, reason } in shown {
                let picture = picture.strip_prefix(base).unwrap_or(picture).display().to_string();
                let (picture, reason) = (escaped(&picture), escaped(reason));
                writeln!(
                    html,
                    "<figure><img loading=eager src=\"{picture}\">\
                     <figcaption>{}: {reason}</figcaption></figure>",
                    escaped(recording)
                )?;
            }
            html += "</section>\n";
        }
        std::fs::write(page, html).with_context(|| page.display().to_string())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_recording_is_shown_of_an_act() {
        let dir = tempfile::tempdir().unwrap();
        for (recording, package) in [("a-1", "1"), ("a-1", "2"), ("a-2", "1")] {
            let package = dir.path().join(recording).join(package);
            std::fs::create_dir_all(&package).unwrap();
            let manifest = serde_json::json!({ "violation": {
                "act": "speed", "facts": { "family": "speed" }, "reason": "63 < 70 \"fast\"" } });
            std::fs::write(package.join("manifest.json"), manifest.to_string()).unwrap();
        }
        let mut sheet = Sheet::default();
        for recording in ["a-1", "a-2"] {
            sheet.add(recording, &dir.path().join(recording)).unwrap();
        }
        let page = dir.path().join("acts.html");
        sheet.write(&page).unwrap();
        let html = std::fs::read_to_string(page).unwrap();
        assert_eq!(html.matches("<img").count(), 2, "{html}");
        assert!(html.contains("src=\"a-2/1/overlay.jpg\""), "{html}");
        assert!(html.contains("63 &lt; 70 &quot;fast&quot;"), "{html}");
    }
}
