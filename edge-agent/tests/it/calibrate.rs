//! The technician's page in a real browser: he signs in, draws the synthetic junction over its
//! recording, tries it, saves; and the saved site judges the recording as the one that the road world
//! gives. `SCREENSHOTS=folder` keeps a picture of every step.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use contract::Movement;
use edge_agent::calibrate::{Args, Server};
use edge_agent::clock::System;
use edge_agent::config;
use edge_agent::health::Board;
use edge_agent::replay::{Notes, Replay, sealer};
use edge_agent::watch::eyes::{self, Pool};
use fantoccini::actions::{
    InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions,
};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, Locator};
use fixtures::render::reel;
use fixtures::site::Site;
use fixtures::video::{Encoding, Recorder};
use fixtures::world::{Scenario, Scene, World};
use plate_model::{Models, Precision};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::axe;
use crate::driver::Driver;
use crate::replays::context;

const PASSWORD: &str = "một mật khẩu đủ dài";
/// With a car that stops over the line and two motorbikes that run the red light in its first seconds.
const SEED: u64 = 3;
const SECONDS: f64 = 28.0;
/// So much of it is filmed.
const FILMED: f64 = 20.0;

/// The page in a browser.
struct Page {
    browser: Client,
    touch: bool,
}

impl Page {
    async fn shot(&self, name: &str) {
        axe::check(&self.browser, name).await;
        if let Some(folder) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) {
            let kind = if self.touch { "phone" } else { "desk" };
            let png = self.browser.screenshot().await.unwrap();
            std::fs::write(folder.join(format!("{name}-{kind}.png")), png).unwrap();
        }
    }

    /// Finds an element and does something to it, once more where the page made it anew meanwhile.
    async fn with<T>(&self, css: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        for _ in 0..50 {
            let element = self.browser.wait().for_element(Locator::Css(css)).await.unwrap();
            match act(element).await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return done.unwrap(),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{css} never stays");
    }

    async fn click(&self, css: &str) {
        self.with(css, async |element| element.click().await).await;
    }

    async fn fill(&self, css: &str, text: &str) {
        // All of it, then over it, then on to the next.
        let keys = format!("\u{E009}a\u{E000}{text}\u{E004}");
        self.with(css, async |element| element.send_keys(&keys).await).await;
    }

    async fn choose(&self, css: &str, value: &str) {
        self.with(css, async |element| element.select_by_value(value).await).await;
    }

    /// Ticks exactly these words of a field.
    async fn pick(&self, field: &str, all: &[&str], wanted: &[&str]) {
        for word in all {
            let tick = async |element: Element| {
                if element.is_selected().await? != wanted.contains(word) {
                    element.click().await?;
                }
                Ok(())
            };
            self.with(&format!("[data-pick='{field}:{word}']"), tick).await;
        }
    }

    async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.browser.execute(script, arguments).await.unwrap()
    }

    async fn text(&self, css: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        self.run(script, vec![json!(css)]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until what is at `css` says `words`.
    async fn sees(&self, css: &str, words: &str) {
        for _ in 0..1200 {
            if self.text(css).await.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{css} says {:?}, not {words:?}", self.text(css).await);
    }

    /// Where a place of the picture is on the screen.
    async fn place(&self, [x, y]: [f32; 2]) -> [f64; 2] {
        let script = "const svg = document.querySelector('#picture'), image = document.querySelector('#image');
            const at = new DOMPoint(arguments[0] * image.getAttribute('width'), arguments[1] * image.getAttribute('height'));
            const p = at.matrixTransform(svg.getScreenCTM()); return [p.x, p.y];";
        // What lies on the picture's very edge is met from inside it.
        let inside = |part: f32| part.clamp(0.001, 0.999);
        let found = self.run(script, vec![json!(inside(x)), json!(inside(y))]).await;
        [0, 1].map(|axis| found[axis].as_f64().unwrap())
    }

    async fn tap(&self, at: [f32; 2]) {
        self.drag(at, at).await;
    }

    async fn drag(&self, from: [f32; 2], to: [f32; 2]) {
        let (a, b) = (self.place(from).await, self.place(to).await);
        let moved = |[x, y]: [f64; 2]| PointerAction::MoveTo {
            duration: Some(Duration::from_millis(20)),
            x,
            y,
        };
        let mut steps = vec![moved(a), PointerAction::Down { button: MOUSE_BUTTON_LEFT }];
        if a != b {
            let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            steps.extend([moved(middle), moved(b)]);
        }
        steps.push(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        if self.touch {
            let finger = TouchActions::new("finger".into());
            let actions = steps.into_iter().fold(finger, |all, step| all.then(step));
            self.browser.perform_actions(actions).await.unwrap();
        } else {
            let mouse = MouseActions::new("mouse".into());
            let actions = steps.into_iter().fold(mouse, |all, step| all.then(step));
            self.browser.perform_actions(actions).await.unwrap();
        }
    }

    async fn taps(&self, points: &[[f32; 2]]) {
        for point in points {
            self.tap(*point).await;
        }
    }

    async fn sign_in(&self, address: SocketAddr) {
        self.browser.goto(&format!("http://{address}/")).await.unwrap();
        assert_eq!(self.browser.current_url().await.unwrap().path(), "/login");
        self.fill("#password", "etwas anderes").await;
        self.click("button.main").await;
        self.sees(".wrong", "Sai mật khẩu").await;
        self.shot("sign-in").await;
        self.fill("#password", PASSWORD).await;
        self.click("button.main").await;
        self.browser.wait().for_element(Locator::Css("#things [data-add]")).await.unwrap();
    }

    /// Without what leaves the screen at its side.
    async fn fits(&self) {
        let wide =
            self.run("return document.documentElement.scrollWidth - innerWidth", vec![]).await;
        assert!(wide.as_f64().unwrap() <= 0.0, "{wide} pixels too wide");
    }
}

/// A recording of the road world, and the site that it gives for it.
fn record(clip: &Path) -> String {
    let scenario = Scenario { duration_s: SECONDS, ..Scenario::of(Scene::Junction, SEED) };
    let world = World::new(&scenario).unwrap();
    let size = (scenario.width, scenario.height);
    let mut recorder = Recorder::create(clip, size, scenario.fps, &Encoding::camera(6000)).unwrap();
    let frames = (FILMED * f64::from(scenario.fps)) as u64;
    reel(&world, frames, |_, i420, _| recorder.push(i420)).unwrap();
    recorder.finish().unwrap();
    Site::of(&scenario).to_toml().unwrap()
}

/// What a box has before anybody drew: who the camera is.
const BLANK: &str = "# Ngã tư thử nghiệm, lắp ngày 12/5.

[[camera]]
id = \"cam-01\"
place = \"Ngã tư thử nghiệm\"   # tên trên biên bản
direction = \"hướng vào trung tâm\"
plan = \"KH-1\"
analysed_fps = 10
";

/// Act, movement and second of every event of a replay.
fn judged(
    site: &str,
    clip: &Path,
    out: &Path,
    pool: &Arc<Pool<Models>>,
) -> Vec<(String, Option<Movement>, f64)> {
    let agent = config::parse(&[("site.toml".into(), site.to_owned())]).unwrap();
    let camera = Arc::clone(&agent.cameras[0]);
    let sealer = sealer(&agent, std::slice::from_ref(&camera), out).unwrap();
    let replay = Replay {
        board: Board::new(Arc::new(System::default())).camera(&camera.id),
        camera,
        context: context(),
        input: clip.into(),
        substream: None,
        start: OffsetDateTime::UNIX_EPOCH,
        out,
        sealer: &sealer,
        notes: Notes::default(),
    };
    let mut events = Vec::new();
    let take = |event: &edge_agent::replay::Event| {
        events.push((event.act.name().to_owned(), event.facts.movement(), event.at));
        Ok(())
    };
    replay.run(Arc::clone(pool), take).unwrap();
    events
}

fn alike(a: &[(String, f64)], b: &[(String, f64)]) -> bool {
    let near = |((act, at), (other, then)): (&(String, f64), &(String, f64))| {
        act == other && (at - then).abs() < 0.3
    };
    a.len() == b.len() && a.iter().zip(b).all(near)
}

const MOVEMENTS: [&str; 4] = ["straight", "left", "right", "u_turn"];

fn movement(movement: Movement) -> &'static str {
    match movement {
        Movement::Straight => "straight",
        Movement::Left => "left",
        Movement::Right => "right",
        Movement::UTurn => "u_turn",
    }
}

/// Draws by mouse what `given` has, lamps by numbers at last.
async fn draw(page: &Page, given: &config::Camera) {
    let junction = given.site.junction.as_ref().unwrap();
    page.click("[data-add=approach]").await;
    page.taps(&junction.approach).await;
    page.shot("drawing").await;
    page.click("#done").await;
    page.click("[data-add=stop_line]").await;
    page.taps(&junction.stop_line).await;
    for exit in &junction.exits {
        page.click("[data-add=exits]").await;
        page.taps(&exit.line).await;
        page.choose("[data-field=movement]", movement(exit.movement)).await;
    }
    for lamp in &given.lamps {
        page.click("[data-add=lamp]").await;
        let [x, y, w, h] = lamp.region;
        page.taps(&[[x, y], [x + w, y + h]]).await;
        for (i, part) in lamp.region.iter().enumerate() {
            page.fill(&format!("#editor td:nth-child({}) input", i + 1), &format!("{part:.4}"))
                .await;
        }
        page.fill("[data-field=name]", &lamp.name).await;
        let lights: Vec<String> = lamp
            .lights
            .iter()
            .map(|light| serde_json::to_value(light).unwrap().as_str().unwrap().to_owned())
            .collect();
        let lights: Vec<&str> = lights.iter().map(String::as_str).collect();
        page.pick("lights", &["red", "amber", "green"], &lights).await;
        let controls: Vec<&str> = lamp.controls.iter().map(|it| movement(*it)).collect();
        page.pick("controls", &MOVEMENTS, &controls).await;
    }
    page.sees("#complaints", "Cấu hình hợp lệ").await;
}

/// What the trial on the page would have accused of.
async fn tried(page: &Page) -> Vec<(String, f64)> {
    let script = "return [...document.querySelectorAll('.would')].map((it) => [it.dataset.act, Number(it.dataset.at)])";
    let all = page.run(script, vec![]).await;
    let one = |it: &Value| (it[0].as_str().unwrap().to_owned(), it[1].as_f64().unwrap());
    let mut all: Vec<_> = all.as_array().unwrap().iter().map(one).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_technician_draws_a_junction_tries_it_and_what_he_saves_judges_alike() {
    let Some(driver) = Driver::start() else {
        println!("skipped: chromedriver is not installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (clip, site) = (folder.path().join("clip.mp4"), folder.path().join("site.toml"));
    let given = record(&clip);
    std::fs::write(&site, BLANK).unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let models = config::Models {
        dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("../plate-model/weights"),
        precision: Precision::Auto,
        workers: 1,
        plates_per_frame: 4,
    };
    let (pool, _) = eyes::load(&models, 1, |models| models).unwrap();
    let args = Args {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        beyond_this_box: false,
        names: Vec::new(),
        password_file: Some(password),
        input: Some(clip.clone()),
        camera: None,
    };
    let files = std::slice::from_ref(&site);
    let server = Server::bind(&args, files, Some(Arc::clone(&pool))).await.unwrap();
    let address = server.address().unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(server.run(stop.clone()));

    let desk = folder.path().join("desk");
    let page =
        Page { browser: driver.browser(&desk.join("profile"), [1400, 1000]).await, touch: false };
    page.sign_in(address).await;
    page.sees("#complaints", "stop_line is missing").await;
    page.browser.wait().for_element(Locator::Css("#image[href]")).await.unwrap();
    let agent = config::parse(&[("given.toml".into(), given.clone())]).unwrap();
    draw(&page, &agent.cameras[0]).await;
    page.shot("drawn").await;
    page.fits().await;

    // The whole recording has been seen: what was drawn is tried on all of it.
    page.sees("#status", "Hết bản ghi").await;
    page.click("#try").await;
    page.sees("#trial", "Sẽ bị lập hồ sơ").await;
    let tried = tried(&page).await;
    page.run("document.querySelector('#would').scrollIntoView()", vec![]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    page.shot("tried").await;

    page.click("#save").await;
    page.sees("#said", "Đã lưu").await;
    page.shot("saved").await;
    let saved = std::fs::read_to_string(&site).unwrap();
    assert!(saved.starts_with(BLANK.trim_end()), "what stood there stands: {saved}");
    page.browser.clone().close().await.unwrap();

    let (mut ours, mut theirs) = {
        let (pool, clip, folder) = (Arc::clone(&pool), clip.clone(), folder.path().to_owned());
        let both = move || {
            let of = |site: &str, out: &str| judged(site, &clip, &folder.join(out), &pool);
            (of(&saved, "saved"), of(&given, "given"))
        };
        tokio::task::spawn_blocking(both).await.unwrap()
    };
    ours.sort_by(|a, b| a.2.total_cmp(&b.2));
    theirs.sort_by(|a, b| a.2.total_cmp(&b.2));
    println!("{theirs:?}");
    assert!(!theirs.is_empty(), "a recording without a violation shows nothing");
    let plain = |all: &[(String, Option<Movement>, f64)]| -> Vec<(String, f64)> {
        all.iter().map(|(act, _, at)| (act.clone(), *at)).collect()
    };
    let moved = |all: &[(String, Option<Movement>, f64)]| -> Vec<Option<Movement>> {
        all.iter().map(|(_, movement, _)| *movement).collect()
    };
    assert!(alike(&plain(&ours), &plain(&theirs)), "drawn {ours:?}, given {theirs:?}");
    assert_eq!(moved(&ours), moved(&theirs));
    assert!(alike(&tried, &plain(&ours)), "tried {tried:?}, replayed {ours:?}");

    on_a_phone(&driver, folder.path(), &site, address).await;
    stop.cancel();
    served.await.unwrap();
}

/// With a finger: one point moved, undone, moved, saved; and a file that somebody else changed.
async fn on_a_phone(driver: &Driver, folder: &Path, site: &Path, address: SocketAddr) {
    let phone = folder.join("phone");
    let page =
        Page { browser: driver.browser(&phone.join("profile"), [390, 844]).await, touch: true };
    page.sign_in(address).await;
    page.fits().await;
    let before = std::fs::read_to_string(site).unwrap();
    page.click("[data-thing=stop_line]").await;
    page.shot("chosen").await;
    let value = |text: &str| {
        let agent = config::parse(&[("site.toml".into(), text.to_owned())]).unwrap();
        agent.cameras[0].site.junction.as_ref().unwrap().stop_line
    };
    let [from, end] = value(&before);
    let to = [from[0] + 0.05, from[1] - 0.02];
    page.drag(from, to).await;
    page.sees("#said", "Chưa lưu").await;
    page.click("#undo").await;
    page.drag(from, to).await;
    page.click("#nearer").await;
    page.shot("zoomed").await;
    page.fits().await;
    page.click("#save").await;
    page.sees("#said", "Đã lưu").await;
    let saved = std::fs::read_to_string(site).unwrap();
    let [moved, still] = value(&saved);
    let apart = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    assert!(apart(moved, to) < 0.01 && still == end, "{moved:?} for {to:?}, {still:?}");
    let lines = before.lines().zip(saved.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(lines, 1, "one point is one line: {saved}");

    // By keys, on a file that is no longer the one that was opened.
    std::fs::write(site, saved.clone() + "# thêm bằng tay\n").unwrap();
    page.click("[data-thing=stop_line]").await;
    page.run("document.querySelector('.handle').focus()", vec![]).await;
    page.browser.active_element().await.unwrap().send_keys("\u{E014}").await.unwrap();
    page.sees("#said", "Tệp đã bị người khác sửa").await;
    page.click("#save").await;
    page.sees("#said", "Tệp đã bị người khác sửa").await;
    page.shot("changed").await;
    assert!(std::fs::read_to_string(site).unwrap().ends_with("# thêm bằng tay\n"));
    page.browser.clone().close().await.unwrap();
}

/// One request as its text; the answer's head and body.
fn request(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(answer: &str) -> &str {
    &answer[9..12]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_in_by_another_door() {
    let folder = tempfile::tempdir().unwrap();
    let (site, password) = (folder.path().join("site.toml"), folder.path().join("password"));
    std::fs::write(&site, BLANK).unwrap();
    std::fs::write(&password, "correct horse").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    let args = Args {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        beyond_this_box: false,
        names: vec!["hop.local".into()],
        password_file: Some(password),
        input: None,
        camera: None,
    };
    let files = [site];
    let none = None::<Arc<Pool<Models>>>;
    let beyond = Args { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..args.clone() };
    let refused = Server::bind(&beyond, &files, none.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("--beyond-this-box"), "{refused}");
    let server = Server::bind(&args, &files, none).await.unwrap();
    let address = server.address().unwrap();
    let stop = CancellationToken::new();
    let served = tokio::spawn(server.run(stop.clone()));
    tokio::task::spawn_blocking(move || {
        let get = |path: &str, more: &str| {
            request(address, &format!("GET {path} HTTP/1.1\r\n{more}"), "")
        };
        let host = format!("Host: {address}");
        let rebound = get("/login", "Host: evil.example");
        assert_eq!(status(&rebound), "421", "{rebound}");
        assert_eq!(status(&get("/login", "Host: hop.local:8090")), "200");
        assert_eq!(status(&get("/api/table", &host)), "401");
        assert_eq!(status(&get("/", &host)), "303");
        let page = get("/login", &host);
        assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
        assert!(!page.contains("unsafe-inline"));
        let token = door(&page);

        let form = "Content-Type: application/x-www-form-urlencoded";
        let post = |path: &str, more: &str, body: &str| {
            request(address, &format!("POST {path} HTTP/1.1\r\n{host}\r\n{more}"), body)
        };
        let foreign = post("/login", form, "token=x&password=correct+horse");
        assert_eq!(status(&foreign), "403", "without the form's own token");
        let answer = post("/login", form, &format!("token={token}&password=correct+horse"));
        assert_eq!(status(&answer), "303", "{answer}");
        let (_, rest) = answer.split_once("set-cookie: ").unwrap();
        let cookie = rest.split_once("\r\n").unwrap().0;
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = format!("Cookie: {}", cookie.split_once(';').unwrap().0);

        let table = get("/api/table", &format!("{host}\r\n{cookie}"));
        assert_eq!(status(&table), "200");
        let (_, rest) = table.split_once("x-csrf-token: ").unwrap();
        let token = rest.split_once("\r\n").unwrap().0.to_owned();
        let json = format!("Content-Type: application/json\r\n{cookie}");
        let check = "/api/camera/cam-01/check";
        let draft = r#"{"camera":"cam-01","drawing":{},"revision":""}"#;
        assert_eq!(status(&post(check, &json, draft)), "403", "a change without the token");
        let with = format!("{json}\r\nX-CSRF-Token: {token}");
        let checked = post(check, &with, draft);
        assert_eq!(status(&checked), "200", "{checked}");
        assert!(checked.contains("stop_line") && checked.contains("is missing"), "{checked}");
        let uri = r#"{"camera":"cam-01","drawing":{"uri":"rtsp://x"},"revision":""}"#;
        let foreign = post(check, &with, uri);
        assert_eq!(status(&foreign), "400", "{foreign}");
        for what in ["check", "save", "trial"] {
            let path = format!("/api/camera/cam-01/{what}");
            let another = post(&path, &with, &draft.replace("cam-01", "cam-02"));
            assert_eq!(status(&another), "409", "{what} of another camera's drawing: {another}");
            assert!(another.contains("another camera"), "{another}");
        }
        assert_eq!(status(&post("/api/camera/cam-01/trial", &with, draft)), "422");
        assert_eq!(status(&post("/api/camera/none/check", &with, draft)), "404");

        for _ in 0..5 {
            post(
                "/login",
                form,
                &format!("token={}&password=wrong+one", door(&get("/login", &host))),
            );
        }
        let waits = post(
            "/login",
            form,
            &format!("token={}&password=correct+horse", door(&get("/login", &host))),
        );
        assert_eq!(status(&waits), "429", "{waits}");
    })
    .await
    .unwrap();
    stop.cancel();
    served.await.unwrap();
}

/// The token of the form to sign in with.
fn door(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}
