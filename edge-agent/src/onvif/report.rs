//! What `find-cameras` tells: a table for people, JSON for machines, and for each camera its lines of
//! the site file.

use std::fmt;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::discovery::Found;
use super::media::Profile;
use super::{Difference, Endpoint, Information, OnvifError};

/// Every camera that answered.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub cameras: Vec<CameraReport>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CameraReport {
    /// Its device service: what `onvif` in the configuration is.
    #[serde(serialize_with = "shown")]
    pub onvif: Endpoint,
    pub name: Option<String>,
    pub hardware: Option<String>,
    pub information: Option<Information>,
    pub clock: Option<Difference>,
    pub streams: Vec<StreamReport>,
    /// For the site file.
    pub configuration: Option<String>,
    /// What kept it from telling more.
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, Serialize)]
pub struct StreamReport {
    #[serde(flatten)]
    pub profile: Profile,
    /// Without what may be a login.
    pub address: Option<String>,
    /// Why there is none.
    pub problem: Option<String>,
    /// The one proposed to be kept.
    pub main: bool,
    /// The one proposed to be analysed.
    pub sub: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: &'static str,
    pub text: String,
}

fn shown<S: Serializer>(endpoint: &Endpoint, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(endpoint)
}

impl CameraReport {
    pub(super) fn of(found: &Found) -> Self {
        Self {
            onvif: found.device.clone(),
            name: found.name.clone(),
            hardware: found.hardware.clone(),
            information: None,
            clock: None,
            streams: Vec::new(),
            configuration: None,
            problem: None,
        }
    }

    pub(super) fn problem(&mut self, error: &OnvifError) {
        let text = match error {
            OnvifError::Unauthorized { asked: true, .. } => {
                "it asks for a login: give --credentials FILE with user:password".into()
            }
            error => error.to_string(),
        };
        self.problem = Some(Problem { kind: error.kind(), text });
    }

    /// Writes its lines of the site file: the streams by the names they are called by.
    pub(super) fn propose(
        &mut self,
        main: (&Profile, &str),
        small: Option<(&Profile, &str)>,
        credentials: Option<&Path>,
    ) {
        let host = self.onvif.host();
        let id: String = host
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(56)
            .collect();
        let onvif = self.onvif.url().to_string();
        let line = |key: &str, value: &str, comment: String| {
            format!("{:<39} # {comment}\n", format!("{key} = {}", quoted(value)))
        };
        let mut text = format!("[[camera]]                              # {}\n", self.title());
        text +=
            &line("id", &format!("cam-{id}"), "to your liking, before the first evidence".into());
        text += &line("onvif", &onvif, "asked for its streams at every connection".into());
        text += &line("profile", main.1, format!("{}: kept as evidence", like(main.0)));
        match small {
            Some((small, name)) => {
                text += &line("subprofile", name, format!("{}: analysed", like(small)));
            }
            None => {
                text += "# no smaller stream up to 1280x720: the one above is analysed itself\n"
            }
        }
        match credentials {
            Some(path) => {
                let path = path.display().to_string();
                text += &line("credentials", &path, "relative to the site file's folder".into());
            }
            None => {
                text += "# credentials = \"cam.login\"  # file with user:password, where it asks for one\n"
            }
        }
        text += "# place = \"…\"; direction = \"…\"; plan = \"…\": as approved, a line each\n\
                 # then what is drawn: see `edge-agent check-config --print-default`\n";
        self.configuration = Some(text);
    }

    fn title(&self) -> String {
        let known = self.information.as_ref();
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.name.clone());
        let made = known.map(|known| [&known.manufacturer, &known.model]);
        let made: Vec<String> = made.into_iter().flatten().flatten().cloned().collect();
        if !made.is_empty() {
            parts.push(made.join(" "));
        } else if let Some(hardware) = &self.hardware {
            parts.push(hardware.clone());
        }
        if let Some(firmware) = known.and_then(|known| known.firmware.as_ref()) {
            parts.push(format!("firmware {firmware}"));
        }
        parts.dedup();
        if parts.is_empty() { "camera without a name".into() } else { parts.join(", ") }
    }
}

/// As TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn like(profile: &Profile) -> String {
    let fps = profile.fps.map(|fps| format!(", {fps}/s")).unwrap_or_default();
    format!("{} {}x{}{fps}", profile.codec, profile.width, profile.height)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, camera) in self.cameras.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            camera.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for CameraReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}", self.onvif.host(), self.title())?;
        writeln!(f, "  onvif    {}", self.onvif)?;
        if let Some(clock) = &self.clock {
            writeln!(f, "  clock    {clock}")?;
        }
        if !self.streams.is_empty() {
            let rows: Vec<[String; 5]> = self.streams.iter().map(row).collect();
            let head = ["PROFILE", "CODEC", "SIZE", "FPS", "ADDRESS"].map(str::to_owned);
            let width = |column: usize| {
                let cells =
                    std::iter::once(&head).chain(&rows).map(|row| row[column].chars().count());
                cells.max().unwrap_or(0)
            };
            let widths: [usize; 4] = std::array::from_fn(width);
            for row in std::iter::once(&head).chain(&rows) {
                let [a, b, c, d] = widths;
                writeln!(
                    f,
                    "  {:a$}  {:b$}  {:c$}  {:>d$}  {}",
                    row[0], row[1], row[2], row[3], row[4]
                )?;
            }
        }
        if let Some(problem) = &self.problem {
            writeln!(f, "  problem  {}", problem.text)?;
        }
        if let Some(text) = &self.configuration {
            writeln!(f, "\n{text}")?;
        }
        Ok(())
    }
}

fn row(stream: &StreamReport) -> [String; 5] {
    let StreamReport { profile, address, problem, main, sub } = stream;
    let mark = match (main, sub) {
        (true, _) => "  <- main stream",
        (_, true) => "  <- substream",
        _ => "",
    };
    let told = address.as_deref().or(problem.as_deref()).unwrap_or_default();
    [
        profile.name.clone(),
        profile.codec.to_string(),
        format!("{}x{}", profile.width, profile.height),
        profile.fps.map_or_else(|| "?".into(), |fps| fps.to_string()),
        format!("{told}{mark}"),
    ]
}
