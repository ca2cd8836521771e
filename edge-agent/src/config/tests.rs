//! Complaints name file, line and key.

use std::path::PathBuf;

use super::*;

fn check(texts: &[(&str, &str)]) -> Result<Agent, Vec<String>> {
    let files: Vec<(PathBuf, String)> =
        texts.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned())).collect();
    parse(&files).map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
}

fn complaints(texts: &[(&str, &str)]) -> Vec<String> {
    check(texts).err().unwrap_or_default()
}

const CAMERA: &str = r#"[[camera]]
id = "cam-01"
place = "p"
direction = "d"
plan = "1"
stop_line = [[0.1, 0.6], [0.9, 0.6]]
approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]
exits = [{ movement = "straight", line = [[0.3, 0.2], [0.7, 0.2]] }]
[[camera.lamp]]
name = "main"
region = [0.9, 0.1, 0.05, 0.1]
controls = ["straight"]
"#;

/// The sample with one line replaced.
fn with(line: &str, by: &str) -> String {
    assert!(CAMERA.contains(line), "{line}");
    CAMERA.replace(line, by)
}

fn only(text: &str) -> String {
    let mut found = complaints(&[("site.toml", text)]);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn the_reference_is_good_and_says_the_defaults() {
    let agent = check(&[("agent.toml", REFERENCE)]).unwrap();
    let bare = check(&[("site.toml", CAMERA)]).unwrap();
    assert_eq!(agent.spool.max_bytes, bare.spool.max_bytes);
    assert_eq!(agent.history, bare.history);
    assert_eq!(agent.models.plates_per_frame, bare.models.plates_per_frame);
    let (reference, default) = (&agent.cameras[0], &bare.cameras[0]);
    assert_eq!(reference.analysed_fps, default.analysed_fps);
    assert_eq!(reference.clock, default.clock);
    let set = |camera: &Camera| -> Vec<_> {
        camera.site.rules.iter().map(|rule| (rule.act(), rule.settings())).collect()
    };
    assert_eq!(set(reference), set(default));
}

#[test]
fn every_slip_is_named_with_file_line_and_key() {
    for (line, by, expected) in [
        (
            "stop_line = [[0.1, 0.6], [0.9, 0.6]]",
            "stop_line = [[0.1, 0.6], [1.9, 0.6]]",
            "site.toml:6: camera[0].stop_line leaves the frame at [1.9, 0.6]: coordinates are 0 to 1 \
             of width and height",
        ),
        (
            "plan = \"1\"",
            "plan = \"1\"\nplann = \"1\"",
            "site.toml:6: camera[0].plann is not known, did you mean `plan`?",
        ),
        (
            "region = [0.9, 0.1, 0.05, 0.1]",
            "region = [0.9, 0.1, 0.0, 0.1]",
            "site.toml:11: camera[0].lamp[0].region has zero size (0 × 0.1): draw it around what it shows",
        ),
        (
            "controls = [\"straight\"]",
            "controls = [\"ahead\"]",
            "site.toml:12: camera[0].lamp[0].controls is \"ahead\", must be one of \"straight\", \
             \"left\", \"right\", \"u_turn\"",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nanalysed_fps = 300",
            "site.toml:5: camera[0].analysed_fps is 300, must be 2 to 60 frames a second",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nuri = \"http://camera/stream\"",
            "site.toml:5: camera[0].uri must be rtsp://HOST/PATH or rtsps://HOST/PATH",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nuri = \"file:///srv/yesterday.mp4\"",
            "site.toml:5: camera[0].uri names a recording, must be a camera: rtsp://HOST/PATH or \
             rtsps://HOST/PATH; a recording is judged by `edge-agent replay --input FILE`",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nonvif = \"rtsp://camera/stream\"",
            "site.toml:5: camera[0].onvif must be the camera's ONVIF address: \
             http://HOST/onvif/device_service",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nonvif = \"http://admin:geheim@camera/\"",
            "site.toml:5: camera[0].onvif holds a login: put user:password into a file and name it with \
             `credentials`",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nonvif = \"http://camera\"\nuri = \"rtsp://camera/stream\"",
            "site.toml:6: camera[0].uri stands beside `onvif`, by which the camera is asked for it: leave \
             one of them out, or name the stream with `profile`",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nuri = \"rtsp://camera/stream\"\nprofile = \"Main\"",
            "site.toml:6: camera[0].profile belongs to `onvif`: give the camera's ONVIF address, too",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nonvif = \"http://camera\"\nclock_warn_ms = 10",
            "site.toml:6: camera[0].clock_warn_ms is 10, must be 500 to 86400000 milliseconds",
        ),
        (
            "direction = \"d\"",
            "direction = \"d\"\nonvif = \"http://camera\"\nprofile = \"a\"\nsubprofile = \"a\"",
            "site.toml:7: camera[0].subprofile is the same as profile: leave it out, or name a smaller \
             stream",
        ),
        (
            "controls = [\"straight\"]",
            "controls = [\"straight\"]\nwired = \"udp://h:1/red\"",
            "site.toml:13: camera[0].lamp[0].wired must be tcp://HOST:PORT/INPUT or onvif:input/TOKEN",
        ),
        (
            "controls = [\"straight\"]",
            "controls = [\"straight\"]\nwired = \"onvif:input/1\"",
            "site.toml:13: camera[0].lamp[0].wired is an input of the camera itself, which must be \
             configured by `onvif` then",
        ),
        (
            "controls = [\"straight\"]",
            "controls = [\"straight\"]\nwire_bears_ms = 900",
            "site.toml:13: camera[0].lamp[0].wire_bears_ms belongs to `wired`: say where the lamp's wire \
             ends, too",
        ),
        (
            "approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]",
            "approach = [[0.1, 0.9], [0.1, 0.3], [0.9, 0.3], [0.9, 0.9]]",
            "site.toml:7: camera[0].approach lies evenly on both sides of stop_line: it must lie before \
             the line",
        ),
        (
            "plan = \"1\"",
            "plan = \"1\"\ndetect = [0.1, 0.1, 0.8, 0.8]\ncloser = [0.0, 0.2, 0.3, 0.3]",
            "site.toml:7: camera[0].closer leaves the part analysed (detect): it must lie inside it",
        ),
        (
            "plan = \"1\"",
            "plan = \"1\"\ncloser = [0.1, 0.1, 0.85, 0.5]",
            "site.toml:6: camera[0].closer takes in more than 0.8 of the width or height analysed: \
             little would be seen better, draw it around where vehicles are far and many, or leave it \
             out",
        ),
        (
            "place = \"p\"",
            "place = 7",
            "site.toml:3: camera[0].place must be a string in quotes, found an integer",
        ),
    ] {
        assert_eq!(only(&with(line, by)), expected);
    }
}

/// Every text that ends in a manifest.
#[test]
fn what_sealing_would_refuse_is_refused_with_file_line_and_key() {
    let device = "[device]\nid = \"edge-01\"\nserial = \"S\"\nkeys = \"k\"\n[unit]\ncode = \"U\"\n\
                  name = \"N\"\noperator = \"O\"\n";
    let camera = with(
        "plan = \"1\"",
        "plan = \"1\"\nkm = \"K\"\nlane = \"L\"\nverification = { certificate = \"C\", valid_to = 2027-06-30 }",
    );
    assert_eq!(complaints(&[("box.toml", device), ("site.toml", &camera)]), [""; 0]);
    let long = "Ngã tư ".repeat(40);
    for (line, key, value) in [
        ("box.toml:3", "device.serial", "S"),
        ("box.toml:6", "unit.code", "U"),
        ("box.toml:7", "unit.name", "N"),
        ("box.toml:8", "unit.operator", "O"),
        ("site.toml:3", "camera[0].place", "p"),
        ("site.toml:4", "camera[0].direction", "d"),
        ("site.toml:5", "camera[0].plan", "1"),
        ("site.toml:6", "camera[0].km", "K"),
        ("site.toml:7", "camera[0].lane", "L"),
        ("site.toml:8", "camera[0].verification.certificate", "C"),
    ] {
        let name = key.rsplit('.').next().unwrap_or(key);
        let control =
            "holds control characters (tab, line break, bell, …): write it on one plain line";
        for (bad, problem) in [
            ("a\tb", control),
            ("a\\tb", control),
            ("a\\nb", control),
            ("a\\r", control),
            ("\\u0007", control),
            ("a\\u0085b", control),
            ("a\\u007Fb", control),
            ("a\\u202Eb", control),
            ("a\\u2028b", control),
            (&long, "is longer than 256 characters"),
        ] {
            let put = |text: &str| {
                text.replace(&format!("{name} = \"{value}\""), &format!("{name} = \"{bad}\""))
            };
            let found = complaints(&[("box.toml", &put(device)), ("site.toml", &put(&camera))]);
            assert_eq!(found, [format!("{line}: {key} {problem}")], "{bad:?}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_read_are_refused_and_not_quoted() {
    for (uri, expected) in [
        ("rtsp://admin:ge/heim@10.0.0.1/s", "holds '@' behind the first '/'"),
        ("rtsp://admin:geheim%@10.0.0.1/s", "has a '%' in its login"),
        ("rtsp://10.0.0.1:geheim/s", "has no port number"),
        ("admin:geheim@10.0.0.1/s", "must be rtsp://HOST/PATH"),
        ("http://admin:geheim@10.0.0.1/s", "must be rtsp://HOST/PATH"),
    ] {
        let complaint =
            only(&with("direction = \"d\"", &format!("direction = \"d\"\nuri = \"{uri}\"")));
        assert!(complaint.starts_with("site.toml:5: camera[0].uri "), "{complaint}");
        assert!(complaint.contains(expected), "{uri}: {complaint}");
        assert!(!complaint.contains("heim"), "{complaint}");
    }
}

#[test]
fn missing_exits_are_named_at_the_camera() {
    let text = with("exits = [{ movement = \"straight\", line = [[0.3, 0.2], [0.7, 0.2]] }]", "");
    let complaint = only(&text);
    assert!(complaint.starts_with("site.toml:1: camera[0].exits is missing"), "{complaint}");
}

#[test]
fn all_complaints_come_at_once_in_file_order() {
    let text = with("place = \"p\"", "place = 7").replace("plan = \"1\"", "km = 3");
    let found = complaints(&[("a.toml", &text), ("b.toml", "[spool]\nmax_mib = -1\n")]);
    let places: Vec<&str> = found.iter().map(|c| c.split(' ').next().unwrap()).collect();
    assert_eq!(places, ["a.toml:1:", "a.toml:3:", "a.toml:5:", "b.toml:2:"], "{found:#?}");
}

#[test]
fn broken_toml_is_located() {
    let complaint = only("[device]\nid = \"x\nserial = 1\n");
    assert!(complaint.starts_with("site.toml:2: is not valid TOML"), "{complaint}");
}

#[test]
fn cameras_are_refined_by_id_across_files_and_unique_within_one() {
    let more = "[[camera]]\nid = \"cam-01\"\nuri = \"rtsp://192.0.2.1/a\"\nanalysed_fps = 5\n";
    let agent = check(&[("site.toml", CAMERA), ("more.toml", more)]).unwrap();
    assert_eq!(agent.cameras.len(), 1);
    assert_eq!(agent.cameras[0].uri.as_deref(), Some("rtsp://192.0.2.1/a"));
    assert_eq!(agent.cameras[0].analysed_fps, Fps::fixed(5.0));
    let twice = format!("{CAMERA}{CAMERA}");
    assert_eq!(
        only(&twice),
        "site.toml:14: camera[1].id repeats the id \"cam-01\" of line 2: every camera needs its own"
    );
}

#[test]
fn a_rate_is_a_number_or_a_range_that_the_rules_bear() {
    let rate = |text: &str| with("direction = \"d\"", &format!("direction = \"d\"\n{text}"));
    let read = |text: &str| check(&[("site.toml", &rate(text))]).unwrap().cameras[0].clone();
    let range = read("analysed_fps = { least = 4, most = 10.5 }");
    assert_eq!(range.analysed_fps, Fps { least: 4.0, most: 10.5 });
    assert!(range.text().contains(r#""analysed_fps":{"least":4.0,"most":10.5}"#));
    let turned = read("analysed_fps = { most = 10.5, least = 4 }");
    assert_eq!(range.digest(), turned.digest(), "in whatever order");
    // A number is sealed as it always was, and a range of one rate is that number.
    let fixed = read("analysed_fps = 10");
    assert!(fixed.text().contains(r#""analysed_fps":10.0,"#));
    assert_eq!(fixed.digest(), read("analysed_fps = { least = 10, most = 10 }").digest());
    assert_eq!(fixed.digest(), check(&[("site.toml", CAMERA)]).unwrap().cameras[0].digest());
    for (text, expected) in [
        (
            "analysed_fps = { least = 12, most = 10 }",
            "site.toml:5: camera[0].analysed_fps has a least of 12, which is more than its most, 10",
        ),
        (
            "analysed_fps = { least = 5 }",
            "site.toml:5: camera[0].analysed_fps.most is missing: a range has both, e.g. analysed_fps = \
             { least = 5, most = 10 }",
        ),
        (
            "analysed_fps = { least = 5, most = 90 }",
            "site.toml:5: camera[0].analysed_fps.most is 90, must be 2 to 60 frames a second",
        ),
        (
            "analysed_fps = { least = 5, most = 10, mean = 7 }",
            "site.toml:5: camera[0].analysed_fps.mean is not known; here may stand: least, most",
        ),
        (
            "analysed_fps = { least = 3, most = 10 }",
            "site.toml:5: camera[0].analysed_fps.least is 3, must be at least 4: with fewer, too little is \
             seen of who passes to judge red_light",
        ),
        (
            "analysed_fps = 2",
            "site.toml:5: camera[0].analysed_fps is 2, must be at least 4: with fewer, too little is \
             seen of who passes to judge red_light",
        ),
        (
            "analysed_fps = { least = 4, most = 10 }\nsolid_line = [{ name = \"1\", line = [[0.5, 1.0], [0.5, 0.65]], \
             between = \"directions\", from = \"both\" }]",
            "site.toml:5: camera[0].analysed_fps.least is 4, must be at least 5: with fewer, too little is \
             seen of who passes to judge solid_line",
        ),
        (
            "analysed_fps = \"10\"",
            "site.toml:5: camera[0].analysed_fps must be a number of frames a \
             second, found a string",
        ),
    ] {
        assert_eq!(only(&rate(text)), expected);
    }
}

#[test]
fn the_digest_names_what_is_judged_not_how_the_camera_is_reached() {
    let digest = |text: &str| check(&[("site.toml", text)]).unwrap().cameras[0].digest();
    let reached = with("direction = \"d\"", "direction = \"d\"\nuri = \"rtsp://u:p@192.0.2.1/a\"");
    assert_eq!(digest(CAMERA), digest(&reached));
    // Which of its streams was analysed is a part of how it was judged; where that is, is not.
    let pair = |at: &str| reached.replace("u:p@", &format!("u:p@{at}/a\"\nsubstream = \"rtsp://"));
    assert_ne!(digest(&reached), digest(&pair("192.0.2.2")));
    assert_eq!(digest(&pair("192.0.2.2")), digest(&pair("192.0.2.3")));
    assert_ne!(digest(CAMERA), digest(&with("[0.9, 0.6]]\napproach", "[0.9, 0.61]]\napproach")));
}

#[test]
fn paths_start_at_their_file() {
    let agent = check(&[("/etc/agent/a.toml", "[models]\ndir = \"weights\"\n")]).unwrap();
    assert_eq!(agent.models.dir, PathBuf::from("/etc/agent/weights"));
}

#[test]
fn running_needs_device_unit_and_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, CAMERA).unwrap();
    let errors = load_for_run(&[file]).unwrap_err().0;
    let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["device", "unit", "camera[0].uri"]);
    let missing = load(&[folder.path().join("none.toml")]).unwrap_err().to_string();
    assert!(missing.contains("none.toml: cannot be read"), "{missing}");
}

/// The reference with every commented line of its last part taken in.
fn all_acts() -> String {
    let at = REFERENCE.find("# Further acts").unwrap();
    let uncomment = |line: &str| line.strip_prefix("# ").unwrap_or(line).to_owned();
    let sections: Vec<String> = REFERENCE[at..].lines().skip(2).map(uncomment).collect();
    format!("{}{}", &REFERENCE[..at], sections.join("\n"))
}

#[test]
fn every_act_is_judged_where_its_section_is_drawn() {
    let agent = check(&[("agent.toml", &all_acts())]).unwrap();
    let camera = &agent.cameras[0];
    let acts: Vec<String> = camera.site.rules.iter().map(|rule| rule.act().to_string()).collect();
    for act in [
        "red_light",
        "stop_line",
        "wrong_way",
        "no_turn",
        "no_u_turn",
        "wrong_lane",
        "solid_line",
        "expressway_emergency_lane",
        "prohibited_road",
        "stop_place",
        "speed",
    ] {
        assert!(acts.iter().any(|found| found == act), "{act}: {acts:?}");
    }
    // What is sealed as the configuration gives the same rules again.
    let text: serde_json::Value = serde_json::from_str(&camera.text()).unwrap();
    let again = judge::Site::restore(text["site"].clone()).unwrap();
    assert!(camera.text().contains(&serde_json::to_string(&again).unwrap()), "letter for letter");
}

#[test]
fn a_slip_in_a_section_names_its_line() {
    for (line, by, expected) in [
        ("limit = 50", "limit = 500", "camera[0].speed.limit is 500, must be 5 to 130 km/h"),
        ("act` names", "act` names", ""),
        ("limit = 50", "limit = 130", "must be at least"),
        (
            "classes = [\"truck\"]",
            "classes = [\"lorry\"]",
            "camera[0].forbidden[0].classes is \"lorry\", must be one of",
        ),
        // Nobody, or everybody?
        (
            "classes = [\"truck\"]",
            "classes = []",
            "camera[0].forbidden[0].classes is empty: name at least one, or leave the key out",
        ),
        (
            "hours = [\"06:00-09:00\", \"16:00-20:00\"]",
            "hours = []",
            "camera[0].forbidden[0].hours is empty: leave it out where it holds always",
        ),
        (
            "movements = [\"left\"",
            "movements = [\"up\"",
            "camera[0].turn_ban[0].movements is \"up\"",
        ),
    ] {
        let found = complaints(&[("agent.toml", &all_acts().replace(line, by))]);
        let place = |text: &String| {
            let number = text.strip_prefix("agent.toml:").and_then(|rest| rest.split(':').next());
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        assert!(found.iter().all(place), "{found:?}");
        assert_eq!(expected.is_empty(), found.is_empty(), "{found:?}");
        assert!(
            expected.is_empty() || found.iter().any(|text| text.contains(expected)),
            "{found:?}"
        );
    }
}
