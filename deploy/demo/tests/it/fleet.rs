//! `demo fleet` in short: a few boxes and everything that can befall them, against the real central on
//! both databases. The programs must be built (`make test` does).

use std::process::Command;

use serde_json::Value;

/// What is sealed in these seconds is the seed's; only the times are the machine's.
const FLEET: &[&str] = &[
    "--boxes=6",
    "--minutes=0.1",
    "--factor=60",
    "--seed=3",
    "--",
    "--clip=1300",
    "--picture=320",
    "--cut=0.3",
    "--lost=0.2",
    "--doubled=0.2",
    "--seen-twice=0.4",
    "--silent=0.3",
    "--slow=0.3",
    "--slow-kb=1000",
    "--half-open=1",
    "--half-open-every=1",
    "--report=2",
];

/// Of this seed.
const SEALED: u64 = 34;
const JOINED: u64 = 10;
const TROUBLED: u64 = 28;

fn play(database: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("fleet.json");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.arg("--dir").arg(folder.path()).arg("fleet").arg("--json").arg(&json);
    let output = demo.args(database).args(FLEET).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let table: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let count = |pointer: &str| table.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();

    assert_eq!((count("/account/sealed"), count("/account/receipted")), (SEALED, SEALED), "{said}");
    assert_eq!(count("/account/joined"), JOINED, "{said}");
    // Each of these happened, or nothing was shown.
    for trouble in ["cut (staged)", "receipt lost (staged)"] {
        assert!(count(&format!("/fleet/troubles/{trouble}")) > 0, "{trouble}: {said}");
    }
    assert_eq!(count("/fleet/troubled/packages"), TROUBLED, "{said}");
    for pointer in ["/fleet/half_open/opened", "/fleet/reports", "/refusals/truncated"] {
        assert!(count(pointer) > 0, "{pointer}: {said}");
    }
    let needs = |key: &str| table["needs"][key].as_f64().unwrap();
    assert!(needs("cpu_s_per_package") > 0.0 && needs("memory_mb") > 10.0, "{said}");
    // A package is 1.3 MB of clip and some pictures; what is kept is that and little more.
    assert!((1.2..2.0).contains(&needs("mb_per_package")), "{said}");
    let plot = std::fs::read_to_string(json.with_extension("svg")).unwrap();
    assert!(plot.contains("<polyline"), "{plot}");
}

#[test]
fn nothing_is_lost_on_sqlite() {
    play(&[]);
}

#[test]
fn nothing_is_lost_on_postgres() {
    if std::env::var_os("SKIP_POSTGRES").is_some() {
        return eprintln!("skipped: SKIP_POSTGRES is set");
    }
    play(&["--postgres"]);
}
