//! What one look at a plate says, as the agent would take it, and how often that is right.

use anyhow::Result;
use contract::VehicleClass;
use plate_model::fusion::Thresholds;
use plate_model::{Characters, Doubt, Fusion, Models, PlateQuad, Verdict};

use crate::calibration::{Calibration, Judged};
use crate::chart;
use crate::confusion::Confusions;
use crate::job::{Groups, Job, Key};
use crate::report::{Column, Figures, Report};

/// One look's verdict.
#[derive(Debug, Clone)]
pub struct Reading {
    /// At the shipped thresholds.
    pub verdict: Verdict,
    /// Probability of the least certain of the most probable characters.
    pub weakest: f32,
    /// The number and its confidence where any confidence is accepted.
    number: Option<(String, f32)>,
}

impl Reading {
    pub fn new(
        models: &Models,
        characters: &Characters,
        quad: &PlateQuad,
        vehicle: Option<VehicleClass>,
    ) -> Self {
        let shipped = models.thresholds();
        let open = Thresholds { accept: 0.0, ..shipped };
        let any = verdict(open, characters, quad, vehicle);
        Self {
            verdict: verdict(shipped, characters, quad, vehicle),
            weakest: characters.weakest(),
            number: any.text.map(|text| (text, any.confidence)),
        }
    }

    /// The accepted number, else the most probable characters.
    pub fn text(&self) -> &str {
        self.verdict.text.as_deref().unwrap_or(&self.verdict.raw)
    }

    pub fn is_accepted(&self) -> bool {
        self.verdict.text.is_some()
    }

    /// For a contact sheet.
    pub fn told(&self) -> String {
        let doubt = self.verdict.doubt.as_ref().map_or("accepted".to_owned(), Doubt::to_string);
        format!("read {}, confidence {:.3}: {doubt}", self.text(), self.verdict.confidence)
    }

    fn judged(&self, printed: &str) -> Judged {
        match &self.number {
            Some((text, confidence)) => {
                Judged { confidence: Some(*confidence), right: text == printed }
            }
            None => Judged { confidence: None, right: self.text() == printed },
        }
    }
}

/// What the agent would say of one look. In a still picture the vehicle around a plate may be
/// another one behind it: where the number cannot be that vehicle's, none is assumed. Where none is
/// seen, a two-row number may be a car's or a motorbike's with the same characters; the plate's
/// shape then says which.
fn verdict(
    thresholds: Thresholds,
    characters: &Characters,
    quad: &PlateQuad,
    vehicle: Option<VehicleClass>,
) -> Verdict {
    /// Between a motorbike's 190x140 mm and a car's 330x165 mm.
    const BETWEEN: f32 = 1.65;
    let mut fusion = Fusion::with(vehicle, thresholds);
    // One look: its weight does not matter, only that it counts.
    fusion.add(characters, quad, 1.0);
    let mut verdict = fusion.verdict();
    if vehicle.is_some() && matches!(verdict.doubt, Some(Doubt::NoPlate)) {
        return self::verdict(thresholds, characters, quad, None);
    }
    if vehicle.is_none() && matches!(verdict.doubt, Some(Doubt::Ambiguous(_))) {
        let is_wide = quad.width() > BETWEEN * quad.height();
        fusion.set_vehicle(if is_wide { VehicleClass::Car } else { VehicleClass::Motorbike });
        verdict = fusion.verdict();
    }
    // Labels are in the reader's letters: Đ is D.
    let text = verdict.text.map(|text| text.replace('Đ', "D"));
    Verdict { raw: characters.text(), text, ..verdict }
}

const PLATES: Column = Column::new("plates", "labelled plates with a text");
const READ: Column = Column::new("read", "share of the plates that were found and read at all");
const READ_RIGHT: Column = Column::new(
    "read right",
    "share of the plates whose text (the accepted number, else the most probable characters) is the label's",
);
const RAW_RIGHT: Column = Column::new(
    "raw right",
    "share of the plates whose most probable characters, before the grammar, are the label's",
);
const ACCEPTED: Column = Column::new(
    "accepted",
    "share of the plates read whose number is accepted at the shipped threshold",
);
const ACCEPTED_WRONG: Column =
    Column::new("accepted wrong", "share of the accepted numbers that are not the label's");
const WRONG_OF_ALL: Column = Column::new(
    "wrong of all",
    "accepted numbers that are not the label's, as a share of all plates",
);
const RIGHT_OF_ALL: Column = Column::new(
    "accepted right",
    "accepted numbers that are the label's, as a share of all plates",
);
const ELSEWHERE: Column = Column::new(
    "elsewhere",
    "numbers accepted where no plate is labelled (the labels miss some plates)",
);

/// What was read of a group of labelled plates.
#[derive(Debug, Default)]
struct Counts {
    plates: usize,
    read: usize,
    right: usize,
    raw_right: usize,
    accepted: usize,
    accepted_wrong: usize,
    elsewhere: usize,
}

impl Counts {
    fn add(&mut self, printed: &str, reading: Option<&Reading>) {
        self.plates += 1;
        let Some(reading) = reading else { return };
        self.read += 1;
        self.right += usize::from(reading.text() == printed);
        self.raw_right += usize::from(reading.verdict.raw == printed);
        self.accepted += usize::from(reading.is_accepted());
        self.accepted_wrong += usize::from(reading.is_accepted() && reading.text() != printed);
    }

    fn figures(&self, in_pictures: bool) -> Figures {
        let right = self.accepted - self.accepted_wrong;
        [
            Some(PLATES.count(self.plates)),
            READ.share(self.read, self.plates),
            READ_RIGHT.share(self.right, self.plates),
            RAW_RIGHT.share(self.raw_right, self.plates),
            ACCEPTED.share(self.accepted, self.read),
            ACCEPTED_WRONG.share(self.accepted_wrong, self.accepted),
            WRONG_OF_ALL.share(self.accepted_wrong, self.plates),
            RIGHT_OF_ALL.share(right, self.plates),
            in_pictures.then(|| ELSEWHERE.count(self.elsewhere)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Every reading of an evaluation.
#[derive(Debug)]
pub struct Readings {
    /// Whether there can be readings where no plate is.
    in_pictures: bool,
    groups: Groups<Counts>,
    judged: Vec<Judged>,
    confusions: Confusions,
}

impl Readings {
    pub fn of_crops() -> Self {
        Self {
            in_pictures: false,
            groups: Groups::new(),
            judged: Vec::new(),
            confusions: Confusions::default(),
        }
    }

    pub fn of_pictures() -> Self {
        Self { in_pictures: true, ..Self::of_crops() }
    }

    /// A labelled plate and what was read of it, if it was.
    pub fn add(&mut self, keys: &[Key], printed: &str, reading: Option<&Reading>) {
        for key in keys {
            self.groups.entry(key.clone()).or_default().add(printed, reading);
        }
        if let Some(reading) = reading {
            self.judged.push(reading.judged(printed));
            self.confusions.add(printed, reading.text());
        }
    }

    /// A number accepted where no plate is labelled.
    pub fn add_elsewhere(&mut self, keys: &[Key]) {
        for key in keys {
            self.groups.entry(key.clone()).or_default().elsewhere += 1;
        }
    }

    /// Puts the tables into the report and the charts into the job's folder.
    pub fn finish(self, job: &Job, report: &mut Report) -> Result<()> {
        let accept = job.models.thresholds().accept;
        report.thresholds.insert("accept", accept);
        report.groups(&self.groups, |counts| counts.figures(self.in_pictures));
        if self.judged.is_empty() {
            return Ok(());
        }
        let calibration = Calibration::new(&self.judged, accept);
        report.confusions = self.confusions.mistakes();
        if let Some(folder) = &job.folder {
            chart::reliability(&calibration, &folder.join("reliability.svg"))?;
            chart::coverage(&calibration, &folder.join("coverage.svg"))?;
            self.confusions.write(&folder.join("confusion.csv"))?;
        }
        report.calibration = Some(calibration);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    fn reading(text: Option<&str>, raw: &str, confidence: f32) -> Reading {
        let verdict = Verdict {
            raw: raw.into(),
            text: text.map(Into::into),
            class: None,
            colour: contract::plate::PlateColour::White,
            rows: 2,
            confidence,
            frames: 1,
            doubt: text.is_none().then_some(Doubt::NoPlate),
        };
        let number = text.map(|text| (text.to_owned(), confidence));
        Reading { verdict, weakest: confidence, number }
    }

    #[test]
    fn wrong_is_a_share_of_the_accepted_and_accepted_one_of_those_read() {
        let mut counts = Counts::default();
        counts.add("29B112345", Some(&reading(Some("29B112345"), "29B112345", 0.99)));
        // The grammar repaired one character.
        counts.add("51F12344", Some(&reading(Some("51F12344"), "5IF12344", 0.9)));
        counts.add("51F12345", Some(&reading(Some("51F12346"), "51F12346", 0.9)));
        counts.add("51F12347", Some(&reading(None, "51F12347", 0.3)));
        counts.add("51F12348", None);
        let of = |wanted: &str| {
            let figures = counts.figures(false);
            figures.into_iter().find(|(column, _)| column.name == wanted).unwrap().1
        };
        assert_eq!(of("read"), Figure::Share(0.8));
        assert_eq!(of("read right"), Figure::Share(0.6));
        assert_eq!(of("raw right"), Figure::Share(0.4));
        assert_eq!(of("accepted"), Figure::Share(0.75));
        assert_eq!(of("accepted wrong"), Figure::Share(1.0 / 3.0));
        assert_eq!(of("wrong of all"), Figure::Share(0.2));
        assert_eq!(of("accepted right"), Figure::Share(0.4));
    }
}
