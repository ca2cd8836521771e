//! Alerts and dashboards ask only for what the programs tell, and the programs say what that is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn monitoring(name: &str) -> PathBuf {
    root().join("deploy/monitoring").join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(read(&path));
        }
    }
}

/// Names of metrics by the macro that they are handed to: `counter`, `describe_counter`, …
fn told() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut texts = Vec::new();
    for program in ["edge-agent/src", "central-api/src", "listen/src"] {
        sources(&root().join(program), &mut texts);
    }
    let macros = [
        "describe_counter",
        "describe_gauge",
        "describe_histogram",
        "counter",
        "gauge",
        "histogram",
    ];
    let mut told: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for text in &texts {
        for name in macros {
            for (at, called) in text.match_indices(&format!("{name}!(")) {
                let whole = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let literal = text[at + called.len()..].trim_start().strip_prefix('"');
                if let Some((metric, _)) = literal.and_then(|rest| rest.split_once('"'))
                    && !whole
                {
                    told.entry(name).or_default().insert(metric.to_owned());
                }
            }
        }
    }
    told
}

/// Every metric that a program describes; histograms as Prometheus keeps them.
fn described() -> BTreeSet<String> {
    let told = told();
    let mut described = BTreeSet::from(["up".to_owned()]);
    for kind in ["describe_counter", "describe_gauge"] {
        described.extend(told[kind].iter().cloned());
    }
    for histogram in &told["describe_histogram"] {
        described.extend(["bucket", "sum", "count"].map(|part| format!("{histogram}_{part}")));
    }
    described
}

/// What labels follow in PromQL.
const GROUPINGS: [&str; 4] = ["by", "without", "ignoring", "on"];

/// The metrics a PromQL expression asks for.
fn asked(expression: &str) -> BTreeSet<String> {
    // Labels, matchers and ranges name no metric.
    let mut plain = String::new();
    let mut expression = expression.to_owned();
    for grouping in GROUPINGS {
        for open in [" (", "("] {
            expression = expression.replace(&format!("{grouping}{open}"), &format!("{grouping}{{"));
        }
    }
    let (mut depth, mut quoted, mut grouping) = (0u32, false, false);
    for c in expression.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' => {
                grouping = GROUPINGS.iter().any(|word| plain.ends_with(word));
                depth += 1;
            }
            '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ')' if depth == 1 && grouping => (depth, grouping) = (0, false),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut metrics = BTreeSet::new();
    let mut rest = plain.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let end = rest[at..].find(|c: char| !word(c)).map_or(rest.len(), |length| at + length);
        let (name, after) = (&rest[at..end], rest[end..].trim_start());
        let operator = ["or", "and", "unless", "sum", "max", "min"].contains(&name);
        if !operator && !GROUPINGS.contains(&name) && !after.starts_with('(') {
            metrics.insert(name.to_owned());
        }
        rest = &rest[end..];
    }
    metrics
}

/// Every `expr` of the alerts, folded onto one line.
fn alerts() -> Vec<String> {
    let text = read(&monitoring("alerts.yml"));
    let mut expressions: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let line = line.trim();
        if let Some(expression) = line.strip_prefix("expr:") {
            expressions.push(expression.trim().trim_start_matches(">-").to_owned());
            open = expression.trim() == ">-";
        } else if open && !line.contains(": ") && !line.ends_with(':') {
            let last = expressions.last_mut().unwrap();
            last.push(' ');
            last.push_str(line);
        } else {
            open = false;
        }
    }
    expressions
}

fn dashboard(name: &str) -> serde_json::Value {
    serde_json::from_str(&read(&monitoring(name))).unwrap()
}

#[test]
fn what_a_program_counts_it_describes() {
    let told = told();
    for kind in ["counter", "gauge", "histogram"] {
        let described = &told[format!("describe_{kind}").as_str()];
        let missing: Vec<_> = told[kind].difference(described).collect();
        assert!(missing.is_empty(), "{kind}s without a description: {missing:?}");
        assert!(kind != "counter" || described.iter().all(|name| name.ends_with("_total")));
    }
}

#[test]
fn expressions_are_taken_apart() {
    let asks = |text: &str| asked(text).into_iter().collect::<Vec<_>>();
    assert_eq!(asks("rate(a_total{x=\"b_total\"}[5m]) > 0.2 * c"), ["a_total", "c"]);
    assert_eq!(asks("sum by (le, model) (rate(d_bucket[5m])) or time() - e"), ["d_bucket", "e"]);
    assert_eq!(asks("f > ignoring (reason) 0.2 * g"), ["f", "g"]);
}

#[test]
fn alerts_and_dashboards_ask_for_what_is_told() {
    let described = described();
    let alerts = alerts();
    assert!(alerts.len() >= 15, "{alerts:?}");
    for expression in &alerts {
        let unknown: Vec<_> = asked(expression).difference(&described).cloned().collect();
        assert!(unknown.is_empty(), "{expression}: nobody tells {unknown:?}");
    }
    for name in ["boxes.json", "central.json"] {
        let board = dashboard(name);
        let panels = board["panels"].as_array().unwrap();
        assert!(panels.len() > 10);
        for panel in panels {
            for target in panel["targets"].as_array().unwrap() {
                let expression = target["expr"].as_str().unwrap();
                let asked = asked(expression);
                let unknown: Vec<_> = asked.difference(&described).collect();
                assert!(unknown.is_empty(), "{name}: {expression}: nobody tells {unknown:?}");
                assert!(!asked.is_empty(), "{name}: {expression} asks for nothing");
            }
        }
    }
}

/// No two panels lie over one another, and every variable in use is one that can be chosen.
#[test]
fn dashboards_are_whole() {
    for name in ["boxes.json", "central.json"] {
        let board = dashboard(name);
        let chosen: Vec<&str> = board["templating"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|variable| variable["name"].as_str().unwrap())
            .collect();
        let text = board.to_string();
        for (at, _) in text.match_indices('$') {
            let used = text[at + 1..].trim_start_matches('{');
            let end = used.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap();
            let builtin = used.starts_with("__");
            assert!(builtin || chosen.contains(&&used[..end]), "{name}: ${}", &used[..end]);
        }
        let mut cells = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            for x in place("x")..place("x") + place("w") {
                assert!(x < 24, "{name}: {} is too wide", panel["title"]);
                for y in place("y")..place("y") + place("h") {
                    assert!(cells.insert((x, y)), "{name}: {} lies over another", panel["title"]);
                }
            }
        }
    }
}

/// An expression whose labels do not match never calls, and says nothing of it.
#[test]
fn every_alert_has_a_case_in_which_it_calls() {
    let tests = read(&monitoring("alerts.test.yml"));
    for line in read(&monitoring("alerts.yml")).lines() {
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            let case = format!("alertname: {alert}\n        exp_alerts:\n          - exp_labels:");
            assert!(tests.contains(&case), "{alert} has no case in alerts.test.yml");
        }
    }
}

/// By Prometheus' own word, where its tool is installed.
#[test]
fn alerts_call_when_they_should() {
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("skipped: promtool is not installed");
        return;
    }
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let mut promtool = Command::new("promtool");
        let out = promtool.args(arguments).current_dir(monitoring("")).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
}
