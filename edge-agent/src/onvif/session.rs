//! Questions to one camera, one after the other: SOAP 1.2 over HTTP, every answer within bounds of
//! size and time.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Client, StatusCode};
use roxmltree::Node;
use uuid::Uuid;

use super::auth::{Challenge, username_token};
use super::xml::{self, Unreadable, escaped};
use super::{Endpoint, OnvifError};
use crate::clock::Clock;
use crate::source::Login;
use crate::uplink::install_provider;

/// A camera's cable is short, its processor slow.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// From this difference on it is worth asking again with the camera's own time; cameras bear some
/// seconds.
const NOTICED: time::Duration = time::Duration::seconds(2);

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    pub namespace: &'static str,
    pub action: &'static str,
    /// What stands in the action's element, as XML.
    pub content: String,
    /// Where the service wants it (WS-Addressing).
    pub addressing: Option<Addressing>,
}

/// What a question says of itself.
#[derive(Debug, Clone)]
pub struct Addressing {
    pub action: &'static str,
    /// What the service wants to be told again, as XML.
    pub references: String,
}

impl Addressing {
    fn header(&self, to: &Endpoint) -> String {
        const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";
        let Self { action, references } = self;
        let to = escaped(to.url().as_str());
        format!(
            "<Action xmlns=\"{ADDRESSING}\" s:mustUnderstand=\"1\">{action}</Action><MessageID xmlns=\
             \"{ADDRESSING}\">urn:uuid:{}</MessageID><ReplyTo xmlns=\"{ADDRESSING}\"><Address>\
             {ADDRESSING}/anonymous</Address></ReplyTo><To xmlns=\"{ADDRESSING}\" s:mustUnderstand=\
             \"1\">{to}</To>{references}",
            Uuid::new_v4()
        )
    }
}

impl Question {
    pub fn new(namespace: &'static str, action: &'static str, content: impl Into<String>) -> Self {
        Self { namespace, action, content: content.into(), addressing: None }
    }
}

/// How a question is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a token dated by this box.
    Token,
    /// By a token dated by the camera, whose clock differs.
    TheirToken,
    Digest,
}

/// What is known of one camera while it is asked.
pub struct Session {
    client: Client,
    device: Endpoint,
    login: Option<Login>,
    clock: Arc<dyn Clock>,
    /// The camera's time less this box's, once it has told it.
    ahead: Option<time::Duration>,
    way: Way,
    challenge: Option<Challenge>,
    /// Questions under this challenge.
    asked: u32,
}

impl Session {
    pub fn new(
        device: Endpoint,
        login: Option<Login>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OnvifError> {
        install_provider();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            // Many close a connection they have promised to keep.
            .pool_max_idle_per_host(0)
            // Cameras sign their certificates themselves. What is asked holds no secret, and the login
            // is proven, not sent.
            .tls_danger_accept_invalid_certs(true)
            .timeout(PATIENCE)
            .user_agent(concat!("edge-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| OnvifError::Client(error.to_string()))?;
        Ok(Self {
            client,
            device,
            login,
            clock,
            ahead: None,
            way: Way::Token,
            challenge: None,
            asked: 0,
        })
    }

    pub const fn device(&self) -> &Endpoint {
        &self.device
    }

    pub const fn has_login(&self) -> bool {
        self.login.is_some()
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The camera's time less this box's, as it was just told.
    pub(super) const fn differs(&mut self, ahead: time::Duration) {
        self.ahead = Some(ahead);
    }

    /// Asks without a login, as is allowed for a camera's time.
    pub async fn ask_openly(&self, question: &Question) -> Result<String, OnvifError> {
        match self.post(&self.device, question, None, String::new()).await? {
            Reply::Answer(text) => Ok(text),
            Reply::Refused(_) => Err(self.unauthorized(false)),
        }
    }

    /// Asks one of the camera's services: first as it took the last question, then in every other way
    /// that its refusal leaves open, each once.
    pub async fn ask(&mut self, at: &Endpoint, question: &Question) -> Result<String, OnvifError> {
        let mut tried = Vec::new();
        loop {
            let (authorization, header) = self.signature(at);
            let challenge = match self.post(at, question, authorization, header).await? {
                Reply::Answer(text) => return Ok(text),
                Reply::Refused(challenge) => challenge,
            };
            tried.push(self.way);
            let digests = tried.iter().filter(|way| **way == Way::Digest).count();
            let stale = challenge.as_ref().is_some_and(|challenge| challenge.stale);
            let differs = self.ahead.is_some_and(|ahead| ahead.abs() >= NOTICED);
            self.way = if self.login.is_none() {
                return Err(self.unauthorized(tried.len() > 1));
            } else if challenge.is_some() && (digests == 0 || (stale && digests == 1)) {
                self.challenge = challenge;
                self.asked = 0;
                Way::Digest
            } else if differs && !tried.contains(&Way::TheirToken) {
                Way::TheirToken
            } else {
                return Err(self.unauthorized(digests > 0));
            };
        }
    }

    /// A refusal that nothing is left to try against. A `timeless` digest rules the clock out.
    fn unauthorized(&self, timeless: bool) -> OnvifError {
        let address = self.device.to_string();
        match (&self.login, self.ahead) {
            (Some(_), None) if !timeless => OnvifError::Clock { address },
            (login, _) => OnvifError::Unauthorized { address, asked: login.is_none() },
        }
    }

    /// The head's and the message's proof of the login.
    fn signature(&mut self, at: &Endpoint) -> (Option<String>, String) {
        let Some(login) = &self.login else { return (None, String::new()) };
        let now = self.clock.now();
        match (self.way, &self.challenge) {
            (Way::Digest, Some(challenge)) => {
                self.asked += 1;
                let cnonce = hex::encode(rand::random::<[u8; 8]>());
                (Some(challenge.answer(login, &at.target(), self.asked, &cnonce)), String::new())
            }
            (Way::TheirToken, _) => {
                let theirs = now.checked_add(self.ahead.unwrap_or_default()).unwrap_or(now);
                (None, username_token(login, theirs, rand::random()))
            }
            _ => (None, username_token(login, now, rand::random())),
        }
    }

    async fn post(
        &self,
        at: &Endpoint,
        question: &Question,
        authorization: Option<String>,
        header: String,
    ) -> Result<Reply, OnvifError> {
        let Question { namespace, action, content, addressing } = question;
        let addressed = addressing.as_ref().map(|addressing| addressing.header(at));
        let header = format!("<s:Header>{}{header}</s:Header>", addressed.unwrap_or_default());
        let soap_action =
            addressing.as_ref().map_or(format!("{namespace}/{action}"), |a| a.action.to_owned());
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\
             \"http://www.w3.org/2003/05/soap-envelope\">{header}<s:Body><{action} xmlns=\
             \"{namespace}\">{content}</{action}></s:Body></s:Envelope>"
        );
        let kind = format!("application/soap+xml; charset=utf-8; action=\"{soap_action}\"");
        let mut request = self.client.post(at.url()).header(CONTENT_TYPE, kind).body(body);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let wrong =
            |error: reqwest::Error| OnvifError::of_request(&error, &at.to_string(), PATIENCE);
        let mut response = request.send().await.map_err(wrong)?;
        let status = response.status();
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).into_iter().take(8);
        let challenge = Challenge::strongest(challenges.filter_map(|value| value.to_str().ok()));
        let mut bytes = Vec::new();
        while let Some(part) = response.chunk().await.map_err(wrong)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > xml::MAX_BYTES {
                let problem = Unreadable::Long;
                return Err(OnvifError::Unreadable { address: at.to_string(), problem });
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        judge(at, question, status, challenge, text)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("device", &self.device).finish_non_exhaustive()
    }
}

/// What stands in an answer, whatever was asked: for fuzzing.
pub(super) fn read_reply(text: &str) -> Result<(), OnvifError> {
    let at = Endpoint::parse("http://192.0.2.1/").map_err(|e| OnvifError::Client(e.to_string()))?;
    judge(&at, &Question::new("", "Get", ""), StatusCode::OK, None, text.to_owned()).map(drop)
}

enum Reply {
    Answer(String),
    /// The login was not accepted; how else it may be proven.
    Refused(Option<Challenge>),
}

fn judge(
    at: &Endpoint,
    question: &Question,
    status: StatusCode,
    challenge: Option<Challenge>,
    text: String,
) -> Result<Reply, OnvifError> {
    let address = at.to_string();
    if status == StatusCode::UNAUTHORIZED {
        return Ok(Reply::Refused(challenge));
    }
    let not_onvif = |found: String| OnvifError::NotOnvif { address: address.clone(), found };
    let document = match xml::parse(&text) {
        Ok(document) => document,
        Err(Unreadable::NotXml(_)) if status == StatusCode::FORBIDDEN => {
            return Err(OnvifError::Forbidden { address, action: question.action });
        }
        Err(Unreadable::NotXml(_)) => return Err(not_onvif(format!("HTTP {status}"))),
        Err(problem) => return Err(OnvifError::Unreadable { address, problem }),
    };
    let root = document.root_element();
    let Some(body) = xml::at(root, &["Body"]).filter(|_| root.tag_name().name() == "Envelope")
    else {
        return Err(not_onvif(format!("HTTP {status}, <{}>", xml::plain(root.tag_name().name()))));
    };
    if let Some(fault) = xml::at(body, &["Fault"]) {
        return match Fault::of(fault) {
            fault if fault.says("NotAuthorized") || fault.says("FailedAuthentication") => {
                Ok(Reply::Refused(challenge))
            }
            // Of an operation, not of who asks.
            _ if status == StatusCode::FORBIDDEN => {
                Err(OnvifError::Forbidden { address, action: question.action })
            }
            Fault { reason, .. } => {
                Err(OnvifError::Fault { address, action: question.action, reason })
            }
        };
    }
    drop(document);
    Ok(Reply::Answer(text))
}

struct Fault {
    /// All codes, of any prefix.
    codes: Vec<String>,
    reason: String,
}

impl Fault {
    /// Reads SOAP 1.2's, and 1.1's, which some cameras send all the same.
    fn of(fault: Node<'_, '_>) -> Self {
        let words = |name: &'static str| {
            fault
                .descendants()
                .filter(move |node| node.is_element() && node.tag_name().name() == name)
        };
        let codes: Vec<String> =
            words("Value").chain(words("faultcode")).filter_map(xml::own_text).collect();
        let told = words("Text").chain(words("faultstring")).find_map(xml::own_text);
        let mut reason =
            told.or_else(|| codes.last().cloned()).unwrap_or("without a reason".into());
        if let Some((end, _)) = reason.char_indices().nth(200) {
            reason.truncate(end);
        }
        Self { codes, reason }
    }

    fn says(&self, code: &str) -> bool {
        self.codes.iter().any(|told| told.rsplit(':').next() == Some(code))
    }
}
