//! One package as the page of its case shows it: pictures and clip, what the manifest says, whether
//! it verifies.

use contract::manifest::{File, FileRole, Manifest};
use judge::basis::{Again, BasisError};

use super::again;
use crate::case::{self, Examination, Proof};
use crate::evidence::codec;
use crate::law::VIETNAM;
use crate::web::{Words, format};

/// One line of a list.
pub(super) struct Fact {
    pub name: String,
    pub value: String,
}

pub(super) struct Picture {
    pub url: String,
    pub label: String,
    pub time: String,
}

pub(super) struct FileRow {
    pub role: String,
    pub name: String,
    pub url: String,
    pub size: String,
    pub time: String,
    pub sha256: String,
}

pub(super) struct PackageView {
    pub frames: Vec<Picture>,
    pub close_up: Option<Picture>,
    pub overlay: Option<Picture>,
    pub clip: Option<Picture>,
    /// The clip's type with its codec, for the browser to judge.
    pub clip_type: String,
    pub clip_is_h265: bool,
    /// Shown before the clip plays, and instead of it where it does not.
    pub poster: Option<String>,
    pub manifest: Vec<Fact>,
    pub files: Vec<FileRow>,
    pub manifest_text: String,
    pub key_id: String,
    pub sealed: bool,
    pub failures: Vec<String>,
}

/// A further package of the same passage.
pub(super) struct FurtherView {
    /// What and where: act, time, camera, place, number read.
    pub facts: String,
    pub pack: PackageView,
}

impl PackageView {
    pub fn of(case_id: &str, proof: &Proof, w: &Words) -> Self {
        let shown = Shown { case_id, proof, w };
        let manifest = proof.manifest.as_ref();
        Self {
            frames: shown.moments(),
            close_up: shown.picture(FileRole::CloseUp),
            overlay: shown.picture(FileRole::Overlay),
            clip: shown.picture(FileRole::Clip),
            clip_type: match &proof.clip_codec {
                Some(codec) => format!("video/mp4; codecs=\"{codec}\""),
                None => "video/mp4".into(),
            },
            clip_is_h265: proof.clip_codec.as_deref().is_some_and(codec::is_h265),
            poster: manifest.and_then(Manifest::main_picture).map(|file| shown.url(file)),
            manifest: manifest
                .map(|manifest| manifest_facts(manifest, proof.again.as_ref(), w))
                .unwrap_or_default(),
            files: manifest
                .iter()
                .flat_map(|manifest| &manifest.files)
                .map(|file| shown.row(file))
                .collect(),
            manifest_text: proof.manifest_text.clone(),
            key_id: proof.key_id.clone(),
            sealed: proof.failures.is_empty(),
            failures: proof.failures.iter().map(ToString::to_string).collect(),
        }
    }
}

impl FurtherView {
    pub fn all(examination: &Examination, w: &Words) -> Vec<Self> {
        let case = &examination.case;
        let view = |proof: &Proof| {
            let facts = proof.manifest.as_ref().map(|manifest| further_facts(case, manifest, w));
            Self { facts: facts.unwrap_or_default(), pack: PackageView::of(&case.id, proof, w) }
        };
        examination.further.iter().map(view).collect()
    }
}

fn further_facts(case: &case::Case, manifest: &Manifest, w: &Words) -> String {
    let violation = &manifest.violation;
    let gap = format!("{:+.1}", (violation.at - case.act_at).as_seconds_f64()).replace('.', ",");
    let mut facts = vec![
        w.named("act", violation.act.name()),
        format::second(violation.at),
        w.with("case.related_gap", "seconds", gap),
        manifest.camera.id.clone(),
        manifest.camera.place.clone(),
    ];
    if let Some(reading) = &manifest.plate {
        let read = reading.text.as_ref().unwrap_or(&reading.raw);
        facts.push(format!("{} {read}", w.t("case.plate_machine")));
    }
    facts.join(" · ")
}

/// A package with the case it is shown in.
struct Shown<'a> {
    case_id: &'a str,
    proof: &'a Proof,
    w: &'a Words,
}

impl Shown<'_> {
    /// The pictures of the act's moments, in their order.
    fn moments(&self) -> Vec<Picture> {
        let Some(manifest) = &self.proof.manifest else { return Vec::new() };
        let moments = manifest.violation.moments.iter();
        moments
            .filter_map(|moment| {
                let file = manifest.picture(moment.role)?;
                Some(self.taken(file, self.w.named("moment", moment.role.name())))
            })
            .collect()
    }

    fn picture(&self, role: FileRole) -> Option<Picture> {
        let file = self.proof.manifest.as_ref()?.file(role)?;
        Some(self.taken(file, self.w.named("role", &case::name_of(&role))))
    }

    fn taken(&self, file: &File, label: String) -> Picture {
        let at = file.captured_at.to_offset(VIETNAM);
        let time = format!(
            "{:02}:{:02}:{:02}.{:03}",
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        );
        Picture { url: self.url(file), label, time }
    }

    fn row(&self, file: &File) -> FileRow {
        FileRow {
            role: self.w.named("role", &case::name_of(&file.role)),
            name: file.name.clone(),
            url: self.url(file),
            size: format::size(file.bytes),
            time: format::second(file.captured_at),
            sha256: file.sha256.to_string(),
        }
    }

    fn url(&self, file: &File) -> String {
        format!("/ho-so/{}/tep/{}/{}", self.case_id, self.proof.evidence_id, file.name)
    }
}

fn manifest_facts(
    manifest: &Manifest,
    again: Option<&Result<Again, BasisError>>,
    w: &Words,
) -> Vec<Fact> {
    let camera = &manifest.camera;
    let clock = &manifest.clock;
    let mut facts = Vec::new();
    let mut add = |key: &str, value: String| {
        facts.push(Fact { name: w.named("case", key), value });
    };
    add("unit", format!("{} ({})", manifest.unit.name, manifest.unit.code));
    add("operator", manifest.unit.operator.clone());
    add("device", manifest.device.id.clone());
    add("serial", manifest.device.serial.clone());
    add("software", manifest.device.software.clone());
    add("camera", camera.id.clone());
    add("plan", camera.plan.clone());
    let verification = camera.verification.as_ref().map_or_else(
        || w.t("case.none").to_owned(),
        |verification| {
            let date = verification.valid_to;
            let date = format!("{:02}/{:02}/{}", date.day(), u8::from(date.month()), date.year());
            w.with("case.verification_to", "certificate", &verification.certificate)
                .replace("{date}", &date)
        },
    );
    add("verification", verification);
    let mut source = w.named("clock", &case::name_of(&clock.source));
    if let Some(ms) = clock.offset_ms {
        source.push_str(", ");
        source.push_str(&w.with("case.offset", "ms", ms));
    }
    add("clock", source);
    add("sequence", manifest.sequence.to_string());
    for model in &manifest.models {
        add("models", format!("{} · {}", model.name, short(&model.sha256.to_string())));
    }
    add("config", short(&manifest.config.to_string()));
    add("why", manifest.violation.reason.clone());
    if let Some(again) = again {
        add("again", again::again(again, w));
    }
    facts
}

fn short(digest: &str) -> String {
    format!("{}…", digest.get(..16).unwrap_or(digest))
}
