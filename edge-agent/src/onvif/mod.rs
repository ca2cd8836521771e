//! Cameras asked in their own words (ONVIF): which there are, what they send and where, and what time
//! they have. A technician finds and writes them down with it (`find-cameras`), the running agent
//! asks a camera configured by `onvif` for its streams at every connection, and both compare its
//! clock.
//!
//! Everything a camera says is a stranger's: bounded in size, count and time, never trusted with a
//! login, and never a time by which anybody is judged.

mod auth;
pub mod clock;
pub mod command;
mod device;
pub mod discovery;
mod endpoint;
mod error;
pub mod events;
pub mod find;
mod media;
mod report;
mod session;
mod streams;
mod xml;

pub use clock::Difference;
pub use device::{Information, SetBy};
pub use endpoint::{Endpoint, EndpointError};
pub use error::OnvifError;
pub use media::{Codec, Profile};
pub use report::Report;
pub use streams::{Streams, streams};
pub use xml::Unreadable;

/// How a camera is configured that is asked for its streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub device: Endpoint,
    /// Name or token of the profile kept as evidence; absent: the largest.
    pub profile: Option<String>,
    /// Of the one analysed in its place.
    pub subprofile: Option<String>,
    /// A difference of its clock beyond this is warned of.
    pub clock_bound_ms: u64,
}

/// Reads any bytes as every answer and datagram that a camera may send: for property tests and
/// fuzzing, which ask that it ends and does not panic.
#[doc(hidden)]
pub fn read_as_everything(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = device::read_time(&text);
    let _ = device::read_information(&text);
    let _ = media::read_profiles(&text);
    let _ = events::read_changes(&text);
    let _ = events::read_subscription(&text);
    if let Ok(at) = Endpoint::parse("http://192.0.2.1/onvif/device_service") {
        let _ = device::read_services(&text, &at);
        if let Ok(Some(told)) = media::read_uri(&text) {
            let _ = at.stream(&told, "profile");
            let _ = at.service(&told);
        }
    }
    let from = std::net::SocketAddr::from(([192, 0, 2, 1], discovery::PORT));
    let _ = discovery::read_matches(bytes, from);
    let _ = auth::Challenge::strongest([&*text].into_iter());
    let _ = session::read_reply(&text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    const WORDS: &[&str] = &[
        "Envelope",
        "Body",
        "Fault",
        "Code",
        "Value",
        "Reason",
        "Text",
        "Profiles",
        "Name",
        "Uri",
        "GetProfilesResponse",
        "Configurations",
        "VideoEncoder",
        "Resolution",
        "Width",
        "Encoding",
        "GetServicesResponse",
        "Service",
        "Namespace",
        "XAddr",
        "SystemDateAndTime",
        "UTCDateTime",
        "Date",
        "Year",
        "Month",
        "Day",
        "Time",
        "Hour",
        "ProbeMatches",
        "ProbeMatch",
        "XAddrs",
        "Scopes",
        "EndpointReference",
        "Address",
        "GetStreamUriResponse",
        "DateTimeType",
    ];

    /// Documents of the right words in any order and depth.
    fn document() -> impl Strategy<Value = String> {
        let name = || prop::sample::select(WORDS);
        let leaf = prop_oneof![
            "[ -~]{0,20}".prop_map(|text| super::xml::escaped(&text)),
            any::<i64>().prop_map(|number| number.to_string()),
            Just("http://h/x rtsp://h:1/y".to_owned()),
            Just("onvif://www.onvif.org/name/%C3%A1%zz%".to_owned()),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            (name(), prop::collection::vec(inner, 0..6), "[a-z]{0,4}").prop_map(
                |(name, inner, token)| {
                    format!("<{name} token='{token}'>{}</{name}>", inner.concat())
                },
            )
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            super::read_as_everything(&bytes);
        }

        #[test]
        fn any_document_of_the_right_words_is_read_or_refused(text in document()) {
            super::read_as_everything(text.as_bytes());
            super::read_as_everything(text.get(..text.len() / 2).unwrap_or_default().as_bytes());
        }
    }
}
