//! A camera's digital inputs, by a pull point: the camera is asked every second what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use roxmltree::Node;
use tokio::time::Instant;

use super::device::{services, unreadable};
use super::session::{Addressing, Question, Session};
use super::streams::introduce;
use super::xml::{self, Unreadable, escaped};
use super::{Endpoint, OnvifError};
use crate::backoff::Backoff;
use crate::clock::{System, since_start};
use crate::config::Camera;
use crate::source::supervise;
use crate::wire::Said;
/// Most changes told in one answer.
const AT_ONCE: usize = 64;

const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";
const NOTIFICATION: &str = "http://docs.oasis-open.org/wsn/b-2";
const CREATE: &str =
    "http://www.onvif.org/ver10/events/wsdl/EventPortType/CreatePullPointSubscriptionRequest";
const PULL: &str =
    "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest";
const SYNCHRONISE: &str =
    "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/SetSynchronizationPointRequest";
const RENEW: &str = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest";
const TOPIC: &str = "Device/Trigger/DigitalInput";
/// Notifications read of one answer.
const MAX_NOTIFICATIONS: usize = 256;
/// A subscription lasts a minute.
const RENEWED: Duration = Duration::from_secs(20);
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Follows the camera's inputs for as long as it is polled.
pub async fn follow(camera: Arc<Camera>, inputs: BTreeMap<String, Arc<Said>>, seed: u64) {
    let mut backoff = Backoff::new(RETRY.0, RETRY.1, seed);
    let mut told = None;
    loop {
        let mut heard = false;
        let ended = pull(&camera, &inputs, &mut heard).await;
        inputs.values().for_each(|input| input.lost());
        if heard {
            backoff.reset();
            told = None;
        }
        let Err(problem) = ended else { continue };
        if told.as_ref() != Some(&problem) {
            tracing::warn!(camera = camera.id, problem, "the camera's inputs are not heard");
            told = Some(problem);
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

async fn pull(
    camera: &Camera,
    inputs: &BTreeMap<String, Arc<Said>>,
    heard: &mut bool,
) -> Result<(), String> {
    let Some(setting) = &camera.onvif else { return Err("it is not configured by onvif".into()) };
    let login = supervise::login(camera).map_err(|error| error.to_string())?;
    let words = |error: OnvifError| error.to_string();
    let clock = Arc::new(System::default());
    let mut session = Session::new(setting.device.clone(), login, clock).map_err(words)?;
    introduce(&mut session).await.map_err(words)?;
    let point = PullPoint::create(&mut session).await.map_err(words)?;
    // Most tell the present state by themselves; this asks the others for it.
    let present = point.question("SetSynchronizationPoint", EVENTS, SYNCHRONISE, "");
    match session.ask(&point.at, &present).await {
        Err(error) if error.is_refusal() => return Err(error.to_string()),
        _ => {}
    }
    let mut renewed = Instant::now();
    loop {
        let asked = Instant::now();
        let content = format!("<Timeout>PT1S</Timeout><MessageLimit>{AT_ONCE}</MessageLimit>");
        let question = point.question("PullMessages", EVENTS, PULL, &content);
        let answer = session.ask(&point.at, &question).await.map_err(words)?;
        let changes = read_changes(&answer).map_err(|e| words(unreadable(&point.at, e)))?;
        *heard = true;
        let all = changes.len() < AT_ONCE;
        for (input, on) in changes {
            if let Some(said) = inputs.get(&input) {
                said.word(on, since_start());
            }
        }
        // Where there is more, an input's own word may still wait at the camera.
        if all {
            inputs.values().for_each(|input| input.holds(since_start()));
        }
        if renewed.elapsed() >= RENEWED {
            renewed = Instant::now();
            let content = "<TerminationTime>PT60S</TerminationTime>";
            let renew = point.question("Renew", NOTIFICATION, RENEW, content);
            // Some keep a pull point for as long as it is asked, and know no renewal.
            match session.ask(&point.at, &renew).await {
                Err(OnvifError::Fault { .. }) | Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        // One that answers at once is asked no more often for it.
        tokio::time::sleep(Duration::from_millis(200).saturating_sub(asked.elapsed())).await;
    }
}

/// Where a camera keeps its changes for us.
struct PullPoint {
    at: Endpoint,
    /// What it wants to be told again with every question, as XML.
    references: String,
}

impl PullPoint {
    async fn create(session: &mut Session) -> Result<Self, OnvifError> {
        let device = session.device().clone();
        let events = services(session).await?.events.ok_or_else(|| OnvifError::Profile {
            address: device.to_string(),
            problem: "names no event service: its inputs cannot be followed".into(),
        })?;
        let filter = format!(
            "<Filter><TopicExpression xmlns=\"{NOTIFICATION}\" xmlns:tns1=\
             \"http://www.onvif.org/ver10/topics\" Dialect=\
             \"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">tns1:{TOPIC}\
             </TopicExpression></Filter>"
        );
        let lasts = "<InitialTerminationTime>PT60S</InitialTerminationTime>";
        let ask = |content: String| {
            let mut question = Question::new(EVENTS, "CreatePullPointSubscription", content);
            question.addressing = Some(Addressing { action: CREATE, references: String::new() });
            question
        };
        let answer = match session.ask(&events, &ask(format!("{filter}{lasts}"))).await {
            // Without a filter all changes come, and those of inputs are picked out.
            Err(OnvifError::Fault { .. }) => session.ask(&events, &ask(lasts.to_owned())).await?,
            answer => answer?,
        };
        let told = read_subscription(&answer).map_err(|problem| unreadable(&events, problem))?;
        let (at, references) = told.unwrap_or_default();
        let at = device.service(&at).unwrap_or(events);
        Ok(Self { at, references })
    }

    fn question(
        &self,
        name: &'static str,
        namespace: &'static str,
        action: &'static str,
        content: &str,
    ) -> Question {
        let mut question = Question::new(namespace, name, content);
        question.addressing = Some(Addressing { action, references: self.references.clone() });
        question
    }
}

/// The address of a subscription, and its parameters.
pub(super) fn read_subscription(answer: &str) -> Result<Option<(String, String)>, Unreadable> {
    let document = xml::parse(answer)?;
    let Some(reference) = xml::find(document.root_element(), "SubscriptionReference") else {
        return Ok(None);
    };
    let address = xml::text(reference, &["Address"]).unwrap_or_default();
    let mut references = String::new();
    let parameters = xml::at(reference, &["ReferenceParameters"]);
    for one in parameters.iter().flat_map(Node::children).filter(Node::is_element).take(8) {
        let name = one.tag_name().name();
        let namespace = escaped(one.tag_name().namespace().unwrap_or_default());
        let text = escaped(&xml::own_text(one).unwrap_or_default());
        references += &format!(
            "<{name} xmlns=\"{namespace}\" xmlns:a=\"http://www.w3.org/2005/08/addressing\" \
             a:IsReferenceParameter=\"true\">{text}</{name}>"
        );
    }
    Ok(Some((address, references)))
}

/// What inputs were told to be, in the order told.
pub(super) fn read_changes(answer: &str) -> Result<Vec<(String, bool)>, Unreadable> {
    let document = xml::parse(answer)?;
    let messages = document
        .descendants()
        .filter(|node| node.is_element() && node.tag_name().name() == "NotificationMessage");
    Ok(messages.take(MAX_NOTIFICATIONS).filter_map(change).collect())
}

fn change(message: Node<'_, '_>) -> Option<(String, bool)> {
    let topic = xml::text(message, &["Topic"])?;
    let plain: Vec<&str> =
        topic.split('/').map(|part| part.rsplit(':').next().unwrap_or(part)).collect();
    if plain.join("/") != TOPIC {
        return None;
    }
    let item = |part: &'static str, names: &[&str]| {
        let items = xml::children(xml::find(message, part)?, "SimpleItem");
        let mut named = items.filter(|item| {
            xml::attribute(*item, "Name").is_some_and(|name| names.contains(&name.as_str()))
        });
        xml::attribute(named.next()?, "Value")
    };
    let input = item("Source", &["InputToken", "Token"])?;
    match item("Data", &["LogicalState", "State", "Level"])?.to_ascii_lowercase().as_str() {
        "true" | "1" | "active" => Some((input, true)),
        "false" | "0" | "inactive" => Some((input, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, input: &str, state: &str) -> String {
        format!(
            "<n:NotificationMessage><n:Topic Dialect='x'>{topic}</n:Topic><n:Message><t:Message \
             UtcTime='2026-11-21T08:00:00Z' PropertyOperation='Changed'><t:Source><t:SimpleItem \
             Name='InputToken' Value='{input}'/></t:Source><t:Data><t:SimpleItem Name='LogicalState' \
             Value='{state}'/></t:Data></t:Message></n:Message></n:NotificationMessage>"
        )
    }

    #[test]
    fn changes_of_inputs_are_read_and_others_left() {
        let all = [
            message("tns1:Device/Trigger/DigitalInput", "1", "true"),
            message("tns1:Device/tns1:Trigger/x:DigitalInput", "1", "0"),
            message("tns1:Device/Trigger/Relay", "1", "true"),
            message("tns1:Device/Trigger/DigitalInput", "2", "perhaps"),
        ];
        let answer = format!("<e:E xmlns:e='e' xmlns:n='n' xmlns:t='t'>{}</e:E>", all.concat());
        let expected = [("1".to_owned(), true), ("1".to_owned(), false)];
        assert_eq!(read_changes(&answer).unwrap(), expected);
    }

    #[test]
    fn a_subscription_is_read_with_what_it_wants_told_again() {
        let answer = "<e:E xmlns:e='e' xmlns:a='a'><e:SubscriptionReference><a:Address>http://h/s?1\
            </a:Address><a:ReferenceParameters><d:Id xmlns:d='urn:d'>7&amp;</d:Id>\
            </a:ReferenceParameters></e:SubscriptionReference></e:E>";
        let (address, references) = read_subscription(answer).unwrap().unwrap();
        assert_eq!(address, "http://h/s?1");
        assert!(references.starts_with("<Id xmlns=\"urn:d\" "), "{references}");
        assert!(references.ends_with(">7&amp;</Id>"), "{references}");
        assert_eq!(read_subscription("<a/>").unwrap(), None);
    }
}
