//! The media services: which streams a camera has, and where each is to be fetched. Media2 is asked
//! where a camera has it: only that knows H.265.

use serde::Serialize;

use super::device::{Services, unreadable};
use super::session::{Question, Session};
use super::xml::{self, Unreadable, escaped};
use super::{Endpoint, OnvifError};
use crate::source::Address;

const MEDIA1: &str = "http://www.onvif.org/ver10/media/wsdl";
const MEDIA2: &str = "http://www.onvif.org/ver20/media/wsdl";
const SCHEMA: &str = "http://www.onvif.org/ver10/schema";
/// More than any camera has.
const MAX_PROFILES: usize = 64;
/// What a substream is to be like: enough to see vehicles in, little to decode.
const SMALL: (u32, u32) = (1280, 720);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Codec {
    #[serde(rename = "H.264")]
    H264,
    #[serde(rename = "H.265")]
    H265,
    /// One that is not analysed.
    #[serde(untagged)]
    Other(String),
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Other(name) => name,
        })
    }
}

/// One of a camera's streams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    pub token: String,
    pub name: String,
    pub codec: Codec,
    pub width: u32,
    pub height: u32,
    /// Pictures a second at the most, where the camera tells.
    pub fps: Option<f32>,
    /// The eye it is of: some cameras have several.
    #[serde(skip)]
    source: Option<String>,
}

impl Profile {
    fn usable(&self) -> bool {
        !matches!(self.codec, Codec::Other(_)) && self.width > 0 && self.height > 0
    }

    fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn is(&self, name: &str) -> bool {
        self.token == name || self.name == name
    }
}

/// The service that knows the profiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    at: Endpoint,
    second: bool,
    pub profiles: Vec<Profile>,
}

impl Media {
    /// Asks for the profiles.
    pub async fn of(session: &mut Session, services: &Services) -> Result<Self, OnvifError> {
        if let Some(at) = &services.media2 {
            match Self::ask(session, at, true).await {
                Ok(media) if media.profiles.iter().any(Profile::usable) => return Ok(media),
                // Somewhere it is announced and does not work. What passes is no reason to take other
                // streams than at the last connection.
                Ok(_) | Err(OnvifError::Fault { .. } | OnvifError::NotOnvif { .. })
                    if services.media1.is_some() => {}
                answer => return answer,
            }
        }
        let at = services.media1.as_ref().or(services.media2.as_ref());
        let none = || OnvifError::Profile {
            address: session.device().to_string(),
            problem: "names no media service: it sends no video".into(),
        };
        let at = at.ok_or_else(none)?;
        Self::ask(session, at, services.media1.is_none()).await
    }

    async fn ask(session: &mut Session, at: &Endpoint, second: bool) -> Result<Self, OnvifError> {
        let question = match second {
            true => Question::new(MEDIA2, "GetProfiles", "<Type>All</Type>"),
            false => Question::new(MEDIA1, "GetProfiles", ""),
        };
        let answer = session.ask(at, &question).await?;
        let profiles = read_profiles(&answer).map_err(|problem| unreadable(at, problem))?;
        Ok(Self { at: at.clone(), second, profiles })
    }

    /// The stream to keep: the profile of this name or token, else the largest that can be analysed.
    pub fn main(&self, wanted: Option<&str>) -> Result<&Profile, String> {
        match wanted {
            Some(name) => self.named(name),
            None => {
                let usable = self.profiles.iter().filter(|profile| profile.usable());
                // The first of equals, which a camera lists first for a reason.
                let best = usable.rev().max_by(|a, b| {
                    a.area()
                        .cmp(&b.area())
                        .then(a.fps.partial_cmp(&b.fps).unwrap_or(std::cmp::Ordering::Equal))
                });
                best.ok_or_else(|| format!("has no profile of H.264 or H.265, {}", self.listed()))
            }
        }
    }

    pub fn named(&self, name: &str) -> Result<&Profile, String> {
        let token = self.profiles.iter().find(|profile| profile.token == name);
        match token.or_else(|| self.profiles.iter().find(|profile| profile.is(name))) {
            None => Err(format!("has no profile {name:?}, {}", self.listed())),
            Some(Profile { codec: Codec::Other(codec), .. }) => {
                Err(format!("sends {codec} in profile {name:?}, must be H.264 or H.265"))
            }
            Some(profile) => Ok(profile),
        }
    }

    /// The best substream to `main`: of the same eye, smaller, the nearest to 1280x720 not above it.
    pub fn small(&self, main: &Profile) -> Option<&Profile> {
        let fits = |profile: &&Profile| {
            profile.usable()
                && profile.source == main.source
                && profile.token != main.token
                && profile.area() < main.area()
                && profile.width <= SMALL.0
                && profile.height <= SMALL.1
        };
        self.profiles.iter().rev().filter(fits).max_by_key(|profile| profile.area())
    }

    /// A profile's name, where no other has it, else its token: what a configuration calls it by.
    pub fn call<'a>(&self, profile: &'a Profile) -> &'a str {
        let known = self.profiles.iter().filter(|other| other.is(&profile.name)).count();
        if known == 1 { &profile.name } else { &profile.token }
    }

    fn listed(&self) -> String {
        if self.profiles.is_empty() {
            return "and no other".into();
        }
        let shown = self.profiles.iter().take(8).map(|profile| {
            let Profile { name, codec, width, height, .. } = profile;
            format!("{name:?} ({codec} {width}x{height})")
        });
        format!("it has {}", shown.collect::<Vec<_>>().join(", "))
    }

    /// Asks where this profile is to be fetched.
    pub async fn stream(
        &self,
        session: &mut Session,
        profile: &Profile,
    ) -> Result<Address, OnvifError> {
        let token = format!("<ProfileToken>{}</ProfileToken>", escaped(&profile.token));
        let question = if self.second {
            let content = format!("<Protocol>RTSP</Protocol>{token}");
            Question::new(MEDIA2, "GetStreamUri", content)
        } else {
            let setup = format!(
                "<StreamSetup><Stream xmlns=\"{SCHEMA}\">RTP-Unicast</Stream><Transport xmlns=\
                 \"{SCHEMA}\"><Protocol>RTSP</Protocol></Transport></StreamSetup>{token}"
            );
            Question::new(MEDIA1, "GetStreamUri", setup)
        };
        let answer = session.ask(&self.at, &question).await?;
        let told = read_uri(&answer).map_err(|problem| unreadable(&self.at, problem))?;
        session.device().stream(&told.unwrap_or_default(), &profile.name)
    }
}

/// Reads the profiles of either service that have a video encoder.
pub(super) fn read_profiles(answer: &str) -> Result<Vec<Profile>, Unreadable> {
    let document = xml::parse(answer)?;
    let Some(list) = xml::find(document.root_element(), "GetProfilesResponse") else {
        return Ok(Vec::new());
    };
    let profiles = xml::children(list, "Profiles").take(MAX_PROFILES).filter_map(|profile| {
        let part = |first: &'static str, second: &'static str| {
            let second = xml::at(profile, &["Configurations", second]);
            second.or_else(|| xml::at(profile, &[first]))
        };
        let encoder = part("VideoEncoderConfiguration", "VideoEncoder")?;
        let source = part("VideoSourceConfiguration", "VideoSource");
        let token = xml::attribute(profile, "token")?;
        let codec = xml::text(encoder, &["Encoding"]).unwrap_or_else(|| "unknown".into());
        let codec = match codec.to_ascii_uppercase().as_str() {
            "H264" | "H.264" | "AVC" => Codec::H264,
            "H265" | "H.265" | "HEVC" => Codec::H265,
            _ => Codec::Other(codec),
        };
        Some(Profile {
            name: xml::text(profile, &["Name"]).unwrap_or_else(|| token.clone()),
            token,
            codec,
            width: xml::number(encoder, &["Resolution", "Width"]).unwrap_or(0),
            height: xml::number(encoder, &["Resolution", "Height"]).unwrap_or(0),
            fps: xml::number(encoder, &["RateControl", "FrameRateLimit"])
                .filter(|fps: &f32| fps.is_finite() && *fps > 0.0),
            source: source.and_then(|source| xml::text(source, &["SourceToken"])),
        })
    });
    Ok(profiles.collect())
}

pub(super) fn read_uri(answer: &str) -> Result<Option<String>, Unreadable> {
    let document = xml::parse(answer)?;
    let told = xml::find(document.root_element(), "GetStreamUriResponse");
    Ok(told.and_then(|told| xml::find(told, "Uri")).and_then(xml::own_text))
}

#[cfg(test)]
mod tests;
