//! The device service: who the camera is, what time it has, and where its other services are.

use serde::Serialize;
use time::{Date, Month, OffsetDateTime, Time};

use super::session::{Question, Session};
use super::xml::{self, Unreadable};
use super::{Endpoint, OnvifError};

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA1: &str = "http://www.onvif.org/ver10/media/wsdl";
const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
const EVENTS: &str = "http://www.onvif.org/ver10/events/wsdl";

/// What sets a camera's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    Ntp,
    Hand,
    /// It does not tell.
    Unknown,
}

/// A camera's time as it tells it: in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub utc: OffsetDateTime,
    pub set_by: SetBy,
}

/// What a camera says it is; each as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Information {
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub firmware: Option<String>,
    pub serial: Option<String>,
}

/// Where a camera's other services are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services {
    pub media1: Option<Endpoint>,
    pub media2: Option<Endpoint>,
    pub events: Option<Endpoint>,
}

/// Asks for the camera's time: without a login, and with it where the camera insists.
pub async fn date_and_time(session: &mut Session) -> Result<Told, OnvifError> {
    let question = Question::new(DEVICE, "GetSystemDateAndTime", "");
    let answer = match session.ask_openly(&question).await {
        Err(OnvifError::Unauthorized { .. } | OnvifError::Clock { .. }) if session.has_login() => {
            let device = session.device().clone();
            session.ask(&device, &question).await?
        }
        answer => answer?,
    };
    let reason = || OnvifError::Fault {
        address: session.device().to_string(),
        action: question.action,
        reason: "it tells no time in UTC".into(),
    };
    read_time(&answer).map_err(|problem| unreadable(session.device(), problem))?.ok_or_else(reason)
}

pub async fn information(session: &mut Session) -> Result<Information, OnvifError> {
    let device = session.device().clone();
    let question = Question::new(DEVICE, "GetDeviceInformation", "");
    let answer = session.ask(&device, &question).await?;
    read_information(&answer).map_err(|problem| unreadable(&device, problem))
}

/// Asks for the services in the way of today, and of old cameras in theirs.
pub async fn services(session: &mut Session) -> Result<Services, OnvifError> {
    let device = session.device().clone();
    let today =
        Question::new(DEVICE, "GetServices", "<IncludeCapability>false</IncludeCapability>");
    let answer = match session.ask(&device, &today).await {
        Err(OnvifError::Fault { .. }) => {
            let old = Question::new(DEVICE, "GetCapabilities", "<Category>All</Category>");
            session.ask(&device, &old).await?
        }
        answer => answer?,
    };
    read_services(&answer, &device).map_err(|problem| unreadable(&device, problem))
}

pub(super) fn unreadable(at: &Endpoint, problem: Unreadable) -> OnvifError {
    OnvifError::Unreadable { address: at.to_string(), problem }
}

/// None where it tells no time in UTC, or one that no calendar has.
pub(super) fn read_time(answer: &str) -> Result<Option<Told>, Unreadable> {
    let document = xml::parse(answer)?;
    let Some(told) = xml::find(document.root_element(), "SystemDateAndTime") else {
        return Ok(None);
    };
    let number = |way: [&'static str; 3]| xml::number::<i32>(told, &way);
    let utc = || {
        let date = |part| number(["UTCDateTime", "Date", part]);
        let time = |part| number(["UTCDateTime", "Time", part]).and_then(|n| u8::try_from(n).ok());
        let month = Month::try_from(u8::try_from(date("Month")?).ok()?).ok()?;
        let day = u8::try_from(date("Day")?).ok()?;
        let date = Date::from_calendar_date(date("Year")?, month, day).ok()?;
        // A leap second is told as the 60th.
        let time = Time::from_hms(time("Hour")?, time("Minute")?, time("Second")?.min(59)).ok()?;
        Some(OffsetDateTime::new_utc(date, time))
    };
    let set_by = match xml::text(told, &["DateTimeType"]).as_deref() {
        Some("NTP") => SetBy::Ntp,
        Some("Manual") => SetBy::Hand,
        _ => SetBy::Unknown,
    };
    Ok(utc().map(|utc| Told { utc, set_by }))
}

pub(super) fn read_information(answer: &str) -> Result<Information, Unreadable> {
    let document = xml::parse(answer)?;
    let Some(told) = xml::find(document.root_element(), "GetDeviceInformationResponse") else {
        return Ok(Information::default());
    };
    Ok(Information {
        manufacturer: xml::text(told, &["Manufacturer"]),
        model: xml::text(told, &["Model"]),
        firmware: xml::text(told, &["FirmwareVersion"]),
        serial: xml::text(told, &["SerialNumber"]),
    })
}

/// Reads either answer.
pub(super) fn read_services(answer: &str, device: &Endpoint) -> Result<Services, Unreadable> {
    let document = xml::parse(answer)?;
    let root = document.root_element();
    let mut services = Services::default();
    let listed = xml::find(root, "GetServicesResponse");
    for service in listed.iter().flat_map(|list| xml::children(*list, "Service")) {
        let at = xml::text(service, &["XAddr"]).and_then(|told| device.service(&told));
        match xml::text(service, &["Namespace"]).as_deref() {
            Some(MEDIA1) => services.media1 = services.media1.or(at),
            Some(MEDIA2) => services.media2 = services.media2.or(at),
            Some(EVENTS) => services.events = services.events.or(at),
            _ => {}
        }
    }
    if let Some(old) = xml::find(root, "Capabilities").filter(|_| listed.is_none()) {
        let at = |name| xml::text(old, &[name, "XAddr"]).and_then(|told| device.service(&told));
        services.media1 = at("Media");
        services.events = at("Events");
    }
    Ok(services)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const ENVELOPE: &str = "<env:Envelope xmlns:env='http://www.w3.org/2003/05/soap-envelope' \
        xmlns:tds='http://www.onvif.org/ver10/device/wsdl' xmlns:tt='http://www.onvif.org/ver10/schema'>\
        <env:Body>BODY</env:Body></env:Envelope>";

    fn time(kind: &str, hms: (i32, i32, i32), ymd: (i32, i32, i32)) -> Option<Told> {
        let body = format!(
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>{kind}\
             </tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour><tt:Minute>{}</tt:Minute>\
             <tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month>\
             <tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>\
             </tds:GetSystemDateAndTimeResponse>",
            hms.0, hms.1, hms.2, ymd.0, ymd.1, ymd.2
        );
        read_time(&ENVELOPE.replace("BODY", &body)).unwrap()
    }

    #[test]
    fn a_cameras_time_is_read_or_not_believed() {
        let told = time("NTP", (7, 50, 45), (2026, 11, 21)).unwrap();
        assert_eq!(told, Told { utc: datetime!(2026-11-21 07:50:45 UTC), set_by: SetBy::Ntp });
        let told = time("Manual", (23, 59, 60), (1970, 1, 1)).unwrap();
        assert_eq!(told, Told { utc: datetime!(1970-01-01 23:59:59 UTC), set_by: SetBy::Hand });
        for (hms, ymd) in [
            ((24, 0, 0), (2026, 1, 1)),
            ((0, 0, 0), (2026, 13, 1)),
            ((0, 0, 0), (2026, 2, 30)),
            ((0, -1, 0), (2026, 2, 1)),
            ((0, 0, 0), (i32::MAX, 1, 1)),
        ] {
            assert_eq!(time("NTP", hms, ymd), None, "{hms:?} {ymd:?}");
        }
        assert_eq!(read_time("<a/>").unwrap(), None);
    }

    #[test]
    fn services_are_found_in_both_answers() {
        let device = Endpoint::parse("http://192.0.2.10/onvif/device_service").unwrap();
        let body = "<tds:GetServicesResponse>\
            <tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>\
            <tds:XAddr>http://192.0.2.10/onvif/Media</tds:XAddr></tds:Service>\
            <tds:Service><tds:Namespace>http://www.onvif.org/ver20/media/wsdl</tds:Namespace>\
            <tds:XAddr>http://192.168.1.64/onvif/Media2</tds:XAddr></tds:Service>\
            <tds:Service><tds:Namespace>http://www.onvif.org/ver10/events/wsdl</tds:Namespace>\
            </tds:Service></tds:GetServicesResponse>";
        let services = read_services(&ENVELOPE.replace("BODY", body), &device).unwrap();
        let shown = |at: &Option<Endpoint>| at.as_ref().map(ToString::to_string);
        assert_eq!(shown(&services.media1).as_deref(), Some("http://192.0.2.10/onvif/Media"));
        assert_eq!(shown(&services.media2).as_deref(), Some("http://192.0.2.10/onvif/Media2"));
        assert_eq!(services.events, None);
        let body = "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>\
            http://192.0.2.10/e</tt:XAddr></tt:Events><tt:Media><tt:XAddr>http://192.0.2.10/m\
            </tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>";
        let services = read_services(&ENVELOPE.replace("BODY", body), &device).unwrap();
        assert_eq!(shown(&services.media1).as_deref(), Some("http://192.0.2.10/m"));
        assert_eq!(shown(&services.events).as_deref(), Some("http://192.0.2.10/e"));
    }
}
