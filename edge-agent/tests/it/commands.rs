//! The program as a person calls it: exit codes and words.

use std::path::Path;
use std::process::{Command, Output};

use crate::footage;

/// `edge-agent` with nothing of the caller's environment that it reads.
pub fn agent(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-agent"));
    command.args(args).env_remove("EDGE_CONFIG").env_remove("RUST_LOG");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn check(path: &Path) -> Output {
    agent(&["check-config", "--config"]).arg(path).output().unwrap()
}

#[test]
fn a_tab_in_a_place_is_named_by_check_config() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site.toml");
    std::fs::write(&site, footage::SITE).unwrap();
    assert!(check(&site).status.success());
    std::fs::write(&site, footage::SITE.replace("Đường thử", "Đường\tthử")).unwrap();
    let output = check(&site);
    assert!(!output.status.success());
    let said = said(&output);
    let place = format!("{}:4: camera[0].place holds control characters", site.display());
    assert!(said.contains(&place), "{said}");
}

#[test]
fn configuration_files_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["at 08:00.toml", "nút giao.toml", "a,b;c.toml"];
    for name in names {
        let site = folder.path().join(name);
        std::fs::write(&site, footage::SITE).unwrap();
        let output = check(&site);
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
    // The variable is a list, as PATH is.
    let more = folder.path().join("more.toml");
    std::fs::write(&more, "[[camera]]\nid = \"painted\"\nplace = \"Nơi khác\"\n").unwrap();
    let list = format!("{}:{}", folder.path().join(names[1]).display(), more.display());
    let output = agent(&["check-config"]).env("EDGE_CONFIG", &list).output().unwrap();
    assert!(output.status.success() && said(&output).contains("Nơi khác"), "{}", said(&output));
    let none = agent(&["check-config"]).output().unwrap();
    assert!(
        !none.status.success() && said(&none).contains("give --config FILE"),
        "{}",
        said(&none)
    );
}
