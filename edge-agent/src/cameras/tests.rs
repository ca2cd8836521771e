use super::*;
use crate::config;

const SITE: &str = r#"
[device]
id = "edge-1"
keys = "keys"
[unit]
code = "THU"
name = "Đội thử"
operator = "Người thử"
[[camera]]
id = "cam-1"
uri = "rtsp://camera/1"
place = "Đường thử"
direction = "Nam → Bắc"
plan = "THU"
stop_line = [[0.1, 0.6], [0.9, 0.6]]
approach = [[0.1, 1.0], [0.1, 0.6], [0.9, 0.6], [0.9, 1.0]]
exits = [{ movement = "straight", line = [[0.2, 0.3], [0.8, 0.3]] }]
lamp = [{ name = "main", region = [0.9, 0.05, 0.05, 0.15], controls = ["straight"] }]
mask = [[[0.0, 0.0], [0.1, 0.0], [0.1, 0.1]]]
"#;

fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn files_are_read_again_once_they_are_at_rest() {
    let (_folder, file) = written(SITE);
    let mut followed = Followed::new(vec![file.clone()], None);
    followed.read().unwrap();
    let rest = REST as usize;
    let looks =
        |followed: &mut Followed| (0..=rest + 1).map(|_| followed.changed()).collect::<Vec<_>>();
    let never = vec![false; rest + 2];
    assert_eq!(looks(&mut followed), never);
    // Half of it, then all: the half is not taken.
    let whole = SITE.replace("cam-1", "cam-2");
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!((0..rest).all(|_| !followed.changed()));
    std::fs::write(&file, &whole).unwrap();
    let seen = looks(&mut followed);
    assert_eq!(seen.iter().position(|changed| *changed), Some(rest));
    assert_eq!(followed.read().unwrap().cameras[0].id, "cam-2");
    assert_eq!(looks(&mut followed), never);
    // Away for a moment, and back as it was.
    std::fs::remove_file(&file).unwrap();
    assert_eq!(looks(&mut followed), never);
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(looks(&mut followed), never);
    // What is refused is not read again until it changes; what could not be done is.
    std::fs::write(&file, "[[camera]]\nid = 3\n").unwrap();
    assert!(looks(&mut followed).contains(&true));
    assert!(followed.read().unwrap_err().to_string().contains("agent.toml:2: camera[0].id"));
    assert_eq!(looks(&mut followed), never);
    followed.again();
    assert!(looks(&mut followed).contains(&true));
}

#[test]
fn a_camera_is_another_where_anything_of_it_differs_and_the_same_in_any_order() {
    let read = |text: &str| {
        let (_folder, file) = written(text);
        config::load_for_run(&[file]).unwrap().cameras[0].clone()
    };
    let camera = read(SITE);
    let (head, body) = SITE.split_once("[[camera]]\n").unwrap();
    let backwards: Vec<&str> = body.lines().rev().collect();
    let same = read(&format!("{head}[[camera]]\n{}\n", backwards.join("\n")));
    assert!(camera.is(&same));
    assert_eq!(camera.digest(), same.digest());
    for (from, to) in [
        ("rtsp://camera/1", "rtsp://camera/2"),
        ("plan = \"THU\"", "plan = \"THU\"\nsubstream = \"rtsp://camera/3\""),
        ("plan = \"THU\"", "plan = \"THU\"\ncredentials = \"login\""),
        ("plan = \"THU\"", "plan = \"THU\"\nanalysed_fps = 7"),
        ("uri = \"rtsp://camera/1\"", "onvif = \"http://camera/onvif/device_service\""),
        ("controls = [", "wired = \"tcp://cabinet:4001/red1\", controls = ["),
        ("[0.1, 0.0]", "[0.1, 0.01]"),
    ] {
        let other = read(&SITE.replace(from, to));
        assert!(!camera.is(&other), "{to}");
    }
    let elsewhere = read(&SITE.replace("camera/1", "camera/2"));
    assert_eq!(camera.digest(), elsewhere.digest(), "evidence does not tell the way to it");
}
