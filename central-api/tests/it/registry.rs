//! The registration authority's server, asked for the owner of an approved case: what it answers, and
//! what is done where it does not, on both databases.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use central_api::admin::users::Role;
use central_api::clock::Clock as _;
use central_api::config::RegistrySource;
use central_api::proceedings::owner::{self, State};
use central_api::registry::{Question, Registry, RegistryError};
use central_api::work;
use serde_json::json;
use time::Duration;

use crate::setting::Setting;
use crate::setting::browserless::Visitor;

const OWNER: &str = "Trần Thị Chủ Xe";
const TOKEN: &str = "a-token-of-thirty-two-characters";

/// What the authority's server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Knows,
    KnowsNobody,
    Fails,
    Endless,
    Nonsense,
    /// Answers with a name that breaks the line of a paper.
    Lines,
    Redirects,
}

#[derive(Clone)]
struct Authority {
    url: String,
    manner: Arc<Mutex<Manner>>,
    /// What was asked, and with which path.
    asked: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Authority {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/xe", listener.local_addr().unwrap());
        let this = Self { url, manner: Arc::new(Mutex::new(Manner::Knows)), asked: Arc::default() };
        let it = this.clone();
        let answer =
            move |headers: HeaderMap, body: Bytes| async move { it.answer(&headers, &body) };
        let router = Router::new().route("/v1/xe", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    fn does(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        if headers[header::AUTHORIZATION] != format!("Bearer {TOKEN}") {
            return StatusCode::FORBIDDEN.into_response();
        }
        self.asked.lock().unwrap().push(serde_json::from_slice(body).unwrap());
        let name = match *self.manner.lock().unwrap() {
            Manner::Knows => OWNER,
            Manner::Lines => "Trần\nThị",
            Manner::KnowsNobody => return StatusCode::NOT_FOUND.into_response(),
            Manner::Fails => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Manner::Redirects => {
                let elsewhere = [(header::LOCATION, "http://127.0.0.1:9/")];
                return (StatusCode::TEMPORARY_REDIRECT, elsewhere).into_response();
            }
            Manner::Nonsense => return format!("{{\"owner\":\"{OWNER}\"}}").into_response(),
            Manner::Endless => {
                let chunk = Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 16 * 1024]));
                let without_end = futures::stream::iter(std::iter::repeat_with(move || {
                    chunk.as_ref().map(Bytes::clone).map_err(|_| std::io::Error::other("never"))
                }));
                return Body::from_stream(without_end).into_response();
            }
        };
        let owner = json!({
            "kind": "person", "name": name, "id_number": "001200000001", "address": "1 Phố Mẫu",
        });
        axum::Json(json!({
            "vehicle": "motorbike", "plate_colour": null, "make": "Honda", "paint": "đen",
            "status": "valid", "owner": owner,
        }))
        .into_response()
    }

    /// From now on `setting` asks this server.
    fn serves(&self, setting: &mut Setting, token: &str, keep_minutes: u32) {
        let file = setting.folder.path().join("registry.token");
        std::fs::write(&file, token).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let config = Arc::get_mut(&mut setting.state.config).unwrap();
        config.registry.source = RegistrySource::Server;
        config.registry.url = self.url.clone();
        config.registry.token_file = file.display().to_string();
        config.registry.keep_minutes = keep_minutes;
        setting.state.registry = Arc::new(Registry::open(&config.registry).unwrap());
    }
}

async fn ask(setting: &Setting, plate: &str) -> Result<bool, RegistryError> {
    let question = Question { plate, two_wheeled: true, case: "case-1" };
    let (state, now) = (&setting.state, setting.clock.now());
    state.registry.look_up(&state.store, question, now).await.map(|found| found.is_some())
}

#[tokio::test]
async fn the_authoritys_server_names_the_owner_and_several_cases_ask_once() {
    for mut setting in Setting::each().await {
        let authority = Authority::start().await;
        authority.serves(&mut setting, TOKEN, 60);
        setting.user("an", &[Role::Reviewer]).await;
        setting.user("binh", &[Role::Approver]).await;
        authority.does(Manner::Fails);
        let case = setting.case(1, |_| {}).await;
        Visitor::officer(&setting.state, "an").await.decide(&case, "accept", &[]).await;
        Visitor::officer(&setting.state, "binh").await.decide(&case, "approve", &[]).await;
        let store = &setting.state.store;
        assert!(owner::find(store, &case).await.unwrap().is_none(), "nobody answered");
        let said =
            sqlx::query_scalar::<_, String>("SELECT error FROM jobs WHERE error IS NOT NULL");
        let said = said.fetch_one(store.pool()).await.unwrap();
        assert!(said.contains("the registry at 127.0.0.1 answered 500"), "{said}");

        // The job asks again by itself.
        authority.does(Manner::Knows);
        setting.clock.advance(Duration::minutes(1));
        work::work_off(&setting.state).await.unwrap();
        let record = owner::find(store, &case).await.unwrap().unwrap();
        assert_eq!((record.state, record.owner.unwrap().name.as_str()), (State::Identified, OWNER));
        let asked = authority.asked.lock().unwrap().clone();
        let question = json!({ "plate": "29AA12345", "two_wheeled": true, "reason": case });
        assert_eq!(asked, [question.clone(), question], "in the body, with the case as reason");

        // Kept for an hour, and no longer.
        assert!(ask(&setting, "29AA12345").await.unwrap());
        assert_eq!(authority.asked(), 2);
        setting.clock.advance(Duration::minutes(61));
        assert!(ask(&setting, "29AA12345").await.unwrap());
        assert_eq!(authority.asked(), 3);
    }
}

#[tokio::test]
async fn whatever_the_server_does_is_told_and_repeats_nobodys_name() {
    let mut setting = Setting::new().await;
    let authority = Authority::start().await;
    for (manner, told) in [
        (Manner::Fails, "answered 500"),
        (Manner::Redirects, "answered 307"),
        (Manner::Endless, "answered more than 65536 bytes"),
        (Manner::Nonsense, "answered no registration"),
        (Manner::Lines, "whose owner.name is not usable"),
    ] {
        authority.serves(&mut setting, TOKEN, 60);
        authority.does(manner);
        let said = ask(&setting, "29AA12345").await.unwrap_err().to_string();
        assert!(said.starts_with("the registry at 127.0.0.1 ") && said.contains(told), "{said}");
        assert!(!said.contains("Trần") && !said.contains("29AA"), "{said}");
    }
    authority.does(Manner::KnowsNobody);
    authority.serves(&mut setting, TOKEN, 60);
    assert!(!ask(&setting, "29AA12345").await.unwrap(), "no such vehicle is an answer");
    authority.serves(&mut setting, "another-token", 60);
    let said = ask(&setting, "29AA12345").await.unwrap_err().to_string();
    assert!(said.contains("check [registry] token_file"), "{said}");
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_for_a_while() {
    let mut setting = Setting::new().await;
    let authority = Authority::start().await;
    authority.serves(&mut setting, TOKEN, 0);
    authority.does(Manner::Fails);
    for n in 0..9 {
        let said = ask(&setting, "29AA12345").await.unwrap_err();
        assert_eq!(matches!(said, RegistryError::Rests { .. }), n >= 5, "{n}: {said}");
    }
    assert_eq!(authority.asked(), 5);
    authority.does(Manner::Knows);
    setting.clock.advance(Duration::seconds(61));
    assert!(ask(&setting, "29AA12345").await.unwrap());
    assert!(ask(&setting, "29AA12345").await.unwrap(), "nothing is kept, and it is asked again");
    assert_eq!(authority.asked(), 7);
}

#[test]
fn what_the_server_needs_is_named() {
    let config = central_api::config::Config::embedded().unwrap().registry;
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open.token");
    std::fs::write(&open, TOKEN).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    for (url, file, key) in [
        ("http://dangky.example/xe", "none", "url: must start with https://"),
        ("https://dangky.example/xe", "/no/such.token", "token_file: "),
        ("https://dangky.example/xe", open.to_str().unwrap(), "token_file: "),
    ] {
        let settings = central_api::config::Registry {
            source: RegistrySource::Server,
            url: url.into(),
            token_file: file.into(),
            ..config.clone()
        };
        let said = Registry::open(&settings).unwrap_err().to_string();
        assert!(said.starts_with(&format!("[registry] {key}")), "{said}");
    }
}
