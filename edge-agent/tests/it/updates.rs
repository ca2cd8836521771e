//! The launcher as the service manager starts it, over small releases whose program is a script; and
//! the whole way, from an offer at the central to a box that runs it or has gone back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use contract::release::PROGRAM;
use edge_agent::config::Update;
use edge_agent::update::folder::{Standing, Wanted};
use edge_agent::update::launch::{Launcher, STARTS};
use edge_agent::update::{Base, Folder};
use rustix::process::{Pid, Signal, kill_process};

use crate::commands::agent;
use crate::uplink::releases::{Content, release_key, stage};

mod whole;

/// A box with the state folder of updates and a log that its programs write.
struct RoadBox {
    folder: tempfile::TempDir,
}

/// The launcher in this process, with so long a trial.
fn launcher(it: &RoadBox, trial: Duration) -> Launcher {
    let (keys, dir) = (it.path("release.pub"), it.path("update"));
    let config = Update { keys, dir, every_s: 60, trial_s: 60, calm_s: 1 };
    let program = PathBuf::from("/bin/false");
    let base = Base { program, configs: Vec::new(), models: None, runtime: None, release: 0 };
    Launcher::new(&config, base).unwrap().within(trial)
}

/// What a release's program does when it is run.
const CONFIRM: &str = "echo $N > $DIR/c && mv $DIR/c $DIR/confirmed";
const STAY: &str = "while :; do sleep 0.05 & wait $!; done";

impl RoadBox {
    /// Release 1 is proven and well.
    fn new() -> Self {
        let it = Self { folder: tempfile::tempdir().unwrap() };
        let pem = release_key().verifying_key().to_pem().unwrap();
        fs::write(it.path("release.pub"), pem).unwrap();
        fs::write(
            it.path("agent.toml"),
            "[update]\nkeys = \"release.pub\"\n# and what no such\n[new]\nx = 1\n",
        )
        .unwrap();
        Folder::open(&it.path("update")).unwrap();
        it.stage(1, STAY);
        it.stand(&Standing { proven: 1, highest: 1, ..Standing::default() });
        it
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> Folder {
        // As the configuration has it: beside where the program is started.
        Folder::existing(&self.path("update"))
    }

    fn standing(&self) -> Standing {
        self.state().standing().unwrap()
    }

    fn stand(&self, standing: &Standing) {
        let text = serde_json::to_vec(standing).unwrap();
        fs::write(self.path("update/standing.json"), text).unwrap();
    }

    fn stage(&self, number: u64, does: &str) {
        stage(&self.path("update"), number, &program(number, does, self.folder.path()));
    }

    fn want(&self, number: u64) {
        self.state().want(&Wanted { number, cameras: vec!["cam-1".into()] }).unwrap();
    }

    fn launch(&self) -> Launched {
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let child = agent(&["launch", "--config", "agent.toml"])
            .current_dir(self.folder.path())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Launched(child)
    }

    /// What the programs said, a line each.
    fn said(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("said")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(40);
        while !holds() {
            let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
            let state = self.state().standing();
            assert!(Instant::now() < end, "{what}: {:?} {state:?}\n{}", self.said(), log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A release whose program is a script.
fn program(number: u64, does: &str, folder: &Path) -> Content {
    let (folder, said) = (folder.display(), "$BASE/said");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = run ] || exit 0\nBASE='{folder}'; DIR=$BASE/update; N={number}\n\
         trap 'echo \"asked $N\" >> {said}; exit 0' TERM\n\
         trap 'echo \"reread $N\" >> {said}' HUP\n\
         echo \"started $N\" >> {said}\n{does}\n"
    );
    vec![(PROGRAM.to_owned(), script.into_bytes())]
}

struct Launched(Child);

impl Launched {
    fn tell(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn ends(&mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_runs_hears_what_the_launcher_is_told() {
    let it = RoadBox::new();
    let mut launched = it.launch();
    it.until("started", || it.said() == ["started 1"]);
    launched.tell(Signal::HUP);
    it.until("heard", || it.said().contains(&"reread 1".into()));
    launched.tell(Signal::TERM);
    assert_eq!(launched.ends(), Some(0));
    assert_eq!(it.said(), ["started 1", "reread 1", "asked 1"]);
}

#[test]
fn what_begins_hears_once_it_listens_what_the_launcher_was_told_before() {
    let it = RoadBox::new();
    let heard = "trap 'echo reread >> $BASE/said' HUP";
    it.stage(1, &format!("trap - HUP; sleep 0.7; {heard}; echo listens >> $BASE/said; {STAY}"));
    let launched = it.launch();
    it.until("started", || it.said() == ["started 1"]);
    launched.tell(Signal::HUP);
    it.until("heard", || it.said().len() == 3);
    assert_eq!(it.said(), ["started 1", "listens", "reread"]);
}

#[test]
fn a_file_that_cannot_be_read_for_a_moment_undoes_nothing() {
    let it = RoadBox::new();
    let program = it.path("update/releases/1").join(PROGRAM);
    let aside = it.path("aside");
    fs::rename(&program, &aside).unwrap();
    let _launched = it.launch();
    let log = || fs::read_to_string(it.path("log")).unwrap();
    it.until("looked", || log().contains("looked at again"));
    fs::rename(&aside, &program).unwrap();
    it.until("started", || it.said() == ["started 1"]);
    assert_eq!((it.standing().proven, it.standing().undone), (1, None));
}

#[test]
fn who_asks_to_be_replaced_and_hangs_is_ended() {
    let it = RoadBox::new();
    it.stage(1, &format!("trap '' TERM; {STAY}"));
    // The next ends by itself, and the launcher with it.
    it.stage(2, &format!("{CONFIRM}; sleep 0.5; exit 5"));
    let launcher = launcher(&it, Duration::from_secs(20)).patient(Duration::from_millis(300));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            it.until("started", || it.said() == ["started 1"]);
            it.want(2);
        });
        runtime.block_on(launcher.run()).unwrap();
    });
    assert_eq!(it.said(), ["started 1", "started 2"]);
    assert_eq!((it.standing().proven, it.standing().previous), (2, 1));
}

#[test]
fn a_good_release_is_confirmed_and_stays() {
    let it = RoadBox::new();
    it.stage(3, &format!("sleep 0.3; {CONFIRM}; {STAY}"));
    it.want(3);
    let mut launched = it.launch();
    it.until("on trial", || it.standing().trial.is_some());
    assert_eq!(it.standing().trial.unwrap().cameras, ["cam-1"]);
    it.until("proven", || it.standing().proven == 3);
    let standing = it.standing();
    assert_eq!((standing.previous, standing.highest, standing.trial), (1, 3, None));
    launched.tell(Signal::TERM);
    assert_eq!(launched.ends(), Some(0));

    // The next one but one takes the first away; a damaged one is no way back.
    it.stage(4, &format!("{CONFIRM}; {STAY}"));
    it.want(4);
    let mut launched = it.launch();
    it.until("proven", || it.standing().proven == 4);
    it.until("tidy", || it.state().numbers().unwrap().len() == 2);
    launched.tell(Signal::TERM);
    launched.ends();
    fs::write(it.path("update/releases/4/program/edge-agent"), "#!/bin/sh\n").unwrap();
    let _launched = it.launch();
    it.until("back", || it.said().last().is_some_and(|last| last == "started 3"));
    let undone = it.standing().undone.unwrap();
    assert_eq!(undone.number, 4);
    assert!(undone.reason.contains("is not the file that was signed"), "{}", undone.reason);
}

#[test]
fn a_release_that_ends_is_undone_and_not_tried_again() {
    let it = RoadBox::new();
    it.stage(2, "exit 3");
    it.want(2);
    let mut launched = it.launch();
    it.until("back", || it.standing().undone.is_some());
    it.until("the old one", || it.said().last().is_some_and(|last| last == "started 1"));
    assert_eq!(it.said().len(), STARTS as usize + 1);
    let standing = it.standing();
    let undone = standing.undone.unwrap();
    assert_eq!((standing.proven, standing.highest, undone.number), (1, 2, 2));
    assert_eq!(undone.reason, "ended 3 times before it was confirmed: exit status: 3");
    launched.tell(Signal::TERM);
    launched.ends();
    // Nor by who says it is wanted.
    it.stage(2, &format!("{CONFIRM}; {STAY}"));
    it.want(2);
    let _launched = it.launch();
    it.until("the old one", || it.said().len() == STARTS as usize + 3);
    assert_eq!(it.said().last().unwrap(), "started 1");
    assert_eq!(it.standing().proven, 1);
}

#[test]
fn a_proven_release_that_keeps_falling_is_undone_and_one_that_refuses_to_run_is_not() {
    for (does, code, falls) in [("kill -SEGV $$", 139, true), ("exit 3", 3, false)] {
        let it = RoadBox::new();
        it.stage(2, does);
        it.stand(&Standing { proven: 2, previous: 1, highest: 2, ..Standing::default() });
        for start in 1..=2 {
            assert_eq!(it.launch().ends(), Some(code));
            assert_eq!(it.standing().falls, if falls { start } else { 0 });
        }
        let mut launched = it.launch();
        if falls {
            it.until("the old one", || it.said().last().is_some_and(|last| last == "started 1"));
            let standing = it.standing();
            assert_eq!((standing.proven, standing.previous, standing.falls), (1, 0, 0));
            let undone = standing.undone.unwrap();
            assert_eq!(undone.number, 2);
            assert!(undone.reason.starts_with("fell 3 times within 300 s of its start"));
        } else {
            assert_eq!(launched.ends(), Some(code));
            assert_eq!((it.standing().proven, it.standing().undone), (2, None));
        }
    }
}

#[test]
fn falls_of_the_one_before_are_not_held_against_the_next() {
    let it = RoadBox::new();
    it.stand(&Standing { proven: 1, highest: 1, falls: 2, ..Standing::default() });
    it.stage(2, &format!("{CONFIRM}; {STAY}"));
    it.want(2);
    let _launched = it.launch();
    it.until("proven", || it.standing().proven == 2);
    assert_eq!(it.standing().falls, 0);
}

#[test]
fn a_release_that_never_says_it_is_well_is_undone() {
    let it = RoadBox::new();
    // The proven one ends by itself, and the launcher with it.
    it.stage(1, "exit 5");
    it.stage(2, &format!("echo 'camera cam-1 is dark' > $DIR/waiting; {STAY}"));
    it.want(2);
    let launcher = launcher(&it, Duration::from_secs(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(launcher.run()).unwrap();
    let standing = it.standing();
    let undone = standing.undone.unwrap();
    assert_eq!((standing.proven, standing.trial, undone.number), (1, None, 2));
    assert_eq!(undone.reason, "not confirmed within 1 s: camera cam-1 is dark");
    assert_eq!(it.said(), ["started 2", "asked 2", "started 1"]);
}

#[test]
fn a_tampered_release_is_never_started() {
    for spoil in [
        |folder: &Path| fs::write(folder.join(PROGRAM), "#!/bin/sh\necho spoilt\n").unwrap(),
        |folder: &Path| {
            let path = folder.join("release.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("test 2", "test 3")).unwrap();
        },
        |folder: &Path| fs::remove_file(folder.join("release.jws")).unwrap(),
    ] {
        let it = RoadBox::new();
        it.stage(2, &format!("{CONFIRM}; {STAY}"));
        spoil(&it.path("update/releases/2"));
        it.want(2);
        let _launched = it.launch();
        it.until("undone", || it.standing().undone.is_some_and(|undone| undone.number == 2));
        it.until("the old one", || it.said() == ["started 1"]);
    }
}

#[test]
fn a_stop_during_the_trial_is_no_failure_of_the_release() {
    let it = RoadBox::new();
    it.stage(2, STAY);
    it.want(2);
    for start in 1..=STARTS as usize + 1 {
        let mut launched = it.launch();
        it.until("started", || it.said().iter().filter(|it| *it == "started 2").count() == start);
        launched.tell(Signal::TERM);
        assert_eq!(launched.ends(), Some(0));
        assert_eq!(it.standing().trial.unwrap().starts, 0);
    }
}

/// A power cut at any moment: the old or the new works, and what was decided stays decided.
#[test]
fn killed_at_any_moment_the_old_or_the_new_works() {
    let killed = |delay: u64, does: &str, ends: &dyn Fn(&Standing) -> bool| {
        let it = RoadBox::new();
        it.stage(2, does);
        it.want(2);
        let mut launched = it.launch();
        std::thread::sleep(Duration::from_millis(delay));
        launched.0.kill().unwrap();
        launched.ends();
        let standing = it.standing();
        assert!([1, 2].contains(&standing.running()), "{standing:?}");
        let before = it.said().len();
        let _launched = it.launch();
        it.until("one of them works", || it.said().len() > before);
        it.until("decided", || ends(&it.standing()));
    };
    let good = format!("sleep 0.1; {CONFIRM}; {STAY}");
    std::thread::scope(|scope| {
        for step in 0..16 {
            let good = &good;
            scope.spawn(move || {
                killed(step * 25, good, &|standing: &Standing| standing.proven == 2)
            });
        }
        for step in 0..4 {
            scope.spawn(move || {
                killed(step * 900, "exit 3", &|standing: &Standing| {
                    standing.proven == 1 && standing.undone.is_some() && standing.trial.is_none()
                });
            });
        }
    });
}
