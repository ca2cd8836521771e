//! `make demo` really run by make, with a stand-in for the program that tells what it was handed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// What make and the shell might read: variables, calls, commands, quotes, comments, spaces.
const TRICKY: [&str; 6] = [
    "rtsp://u:pa$word@h/s",
    "rtsp://u:pa$$word${HOME}$(HOME)@h/s",
    "rtsp://u:`touch pwned`$(touch pwned)$(shell touch pwned)@h/s",
    "rtsp://u:a'b\"c\\d@h/s",
    "rtsp://u:a#b;touch pwned&c|d>pwned@h/s",
    "rtsp://u:50%25 !@h/s?x=*",
];

#[test]
fn no_character_of_an_address_is_interpreted() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let program = at("demo");
    std::fs::write(
        &program,
        "#!/bin/sh\nprintf '%s' \"$DEMO_CAMERA\" >camera\nprintf '%s' \"$DEMO_SITE\" >site\n\
         printf '%s' \"$*\" >flags\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    // The repository's own rules; only what installs and builds is left out.
    let makefile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Makefile");
    let rules = format!("include {}\nsetup build: ;\n", makefile.display());
    std::fs::write(at("Makefile"), rules).unwrap();
    for camera in TRICKY {
        for as_argument in [true, false] {
            let mut make = Command::new("make");
            make.current_dir(folder.path()).env_remove("MAKEFLAGS").env_remove("MAKEOVERRIDES");
            make.args(["-s", "demo", &format!("DEMO={}", program.display())]);
            if as_argument {
                make.arg(format!("CAMERA={camera}")).arg("SITE=my $site.toml");
            } else {
                make.env("CAMERA", camera).env("SITE", "my $site.toml");
            }
            let output = make.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let told = |name: &str| std::fs::read_to_string(at(name)).unwrap();
            assert_eq!(told("camera"), camera);
            assert_eq!(told("site"), "my $site.toml");
            assert_eq!(told("flags"), "run");
            assert!(!at("pwned").exists(), "{camera} ran a command");
        }
    }
}
