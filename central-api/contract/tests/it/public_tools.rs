//! The README's way of checking evidence with public tools, run as it stands there.

use std::path::Path;
use std::process::Command;

use contract::package::{MANIFEST_FILE, SEAL_FILE};

use crate::sample::{key, package};

/// The commands between the README's shell fences.
fn commands() -> &'static str {
    let readme = include_str!("../../README.md");
    let block = readme.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("```"));
    block.map(|(commands, _)| commands).unwrap_or_default()
}

/// Whether the commands succeed in `folder`, with what they print.
fn check(folder: &Path) -> std::io::Result<(bool, String)> {
    let output = Command::new("bash").args(["-c", commands()]).current_dir(folder).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn is_installed(tool: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn public_tools_accept_the_package_and_refuse_a_spoilt_one() {
    for tool in ["bash", "openssl", "jq", "sha256sum", "base64"] {
        if !is_installed(tool) {
            return println!("skipped: {tool} is not installed");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let whole = package(1, None);
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let write_all = || {
        write("seal.pub", key().verifying_key().to_pem().unwrap().as_bytes());
        write(MANIFEST_FILE, &whole.manifest);
        write(SEAL_FILE, whole.seal.as_bytes());
        whole.files.iter().for_each(|(name, bytes)| write(name, bytes));
    };
    write_all();
    let (holds, output) = check(folder.path()).unwrap();
    assert!(holds, "{output}");
    for step in ["Signature Verified Successfully", "on.jpg: OK", "clip.mp4: OK"] {
        assert!(output.contains(step), "{step}: {output}");
    }

    let signature_at = whole.seal.len() - 20;
    for (name, bytes, at) in [
        (MANIFEST_FILE, whole.manifest.as_slice(), 100),
        (SEAL_FILE, whole.seal.as_bytes(), 30),
        (SEAL_FILE, whole.seal.as_bytes(), signature_at),
        ("clip.mp4", whole.files["clip.mp4"].as_slice(), 3),
    ] {
        let mut spoilt = bytes.to_vec();
        spoilt[at] ^= 1;
        write_all();
        write(name, &spoilt);
        let (holds, output) = check(folder.path()).unwrap();
        assert!(!holds, "{name}: {output}");
    }
}
