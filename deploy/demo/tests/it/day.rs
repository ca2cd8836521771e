//! `demo crash --desk` in short: a small day, and what serves it is killed again and again, on both
//! databases. The programs must be built (`make test` does). What a killed worker had is taken up again after its
//! lease of two minutes, so this is the longest of these tests.

use std::process::Command;

fn torment(database: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.arg("--dir").arg(folder.path()).args(["crash", "--desk", "--kills=4", "--cases=12"]);
    demo.args(["--officers=8", "--picture=320", "--clip=20"]).args(database);
    let output = demo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("  kill ").count(), 4, "{said}");
    assert!(said.contains("12 received, 12 notified, 6 paid"), "{said}");
}

#[test]
#[ignore = "waits out leases of minutes: make crash-desk"]
fn nothing_is_lost_or_doubled_on_sqlite() {
    torment(&[]);
}

#[test]
#[ignore = "waits out leases of minutes: make crash-desk"]
fn nothing_is_lost_or_doubled_on_postgres() {
    if std::env::var_os("SKIP_POSTGRES").is_some() {
        return eprintln!("skipped: SKIP_POSTGRES is set");
    }
    torment(&["--postgres"]);
}
