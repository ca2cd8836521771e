//! Whether the encoded stream is whole. A decoder conceals what is missing: it shows an old picture,
//! moved about, and an old red lamp with it, until the next key picture. So the stream itself is
//! asked, before the decoder: picture numbers and references (H.264 7.4.3 `frame_num`, H.265 8.3.2
//! reference picture sets), lost packets, and times that leave room for more than the numbers can
//! count. After a loss nothing is believed until the stream recovers: at a picture that needs none
//! before it, or where the encoder says that its gradual refresh is complete.

mod bits;
mod h264;
mod h265;
mod sets;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) use bits::recovery_point;

use super::decoder::Codec;
use crate::see::{Nanos, seconds};

/// Why a picture may not be what the camera saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Damage {
    /// The stream was joined between two key pictures.
    Joined,
    /// A picture that others refer to never came.
    PictureLost,
    /// The network lost a part of the stream.
    PacketLost,
    /// The decoder filled in what it could not decode.
    Concealed,
    /// The encoded picture cannot be read.
    Unreadable,
}

impl Damage {
    /// The name used in metrics and on the status page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "stream_joined",
            Self::PictureLost => "picture_lost",
            Self::PacketLost => "packet_lost",
            Self::Concealed => "picture_concealed",
            Self::Unreadable => "picture_unreadable",
        }
    }

    /// In words, for the status page and the doctor.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Joined => "waiting for the first key picture",
            Self::PictureLost => "a picture is missing from the stream",
            Self::PacketLost => "the network lost a part of the stream",
            Self::Concealed => "the decoder filled in a damaged picture",
            Self::Unreadable => "the stream holds pictures that cannot be read",
        }
    }
}

/// How a picture stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Everything it refers to is there.
    Whole,
    /// Needs nothing before it, or completes a gradual refresh.
    Recovery,
    /// Refers to what never came, and others will refer to it.
    Broken,
    /// Refers to what never came; nothing later refers to it.
    BrokenAlone,
}

/// One encoded picture as its headers tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub standing: Standing,
    /// Whether later pictures may refer to it.
    pub reference: bool,
}

/// Reads the headers of one stream's pictures in decoding order.
trait Headers: std::fmt::Debug + Send {
    /// Reads one access unit in byte-stream form; none where it holds no picture.
    fn read(&mut self, unit: &[u8]) -> Result<Option<Told>, String>;

    /// Something was lost that the headers do not show: a refresh under way starts anew.
    fn lost(&mut self);

    /// After how many pictures their numbers begin anew; 0 before it is known.
    fn turn(&self) -> u64;
}

/// What became of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub damage: Option<Damage>,
    /// From here on, in decoding order, the stream is whole whatever was before.
    pub recovery: bool,
    pub reference: bool,
}

/// Follows one stream from unit to unit.
#[derive(Debug)]
pub struct Continuity {
    codec: Codec,
    headers: Box<dyn Headers>,
    /// Why nothing is believed now.
    broken: Option<Damage>,
    /// The last break, and the time stamp from which pictures are whole again: pictures shown
    /// before the recovering one may still refer to what was lost, though they come after it.
    healed: Option<(Damage, Nanos)>,
    /// Time stamps between which packets are missing.
    torn: VecDeque<(Nanos, Nanos)>,
    last: Option<Nanos>,
    /// Times between the last units.
    steps: VecDeque<Nanos>,
    losses: Vec<Damage>,
}

/// Units whose spacing says what is usual.
const STEPS: usize = 32;
/// Time stamps of a packet and of its unit may differ by rounding.
const ROUNDING: Nanos = seconds(0.005);
/// Losses remembered for units still in the parser.
const TORN: usize = 16;

impl Continuity {
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            headers: headers(codec),
            broken: Some(Damage::Joined),
            healed: None,
            torn: VecDeque::new(),
            last: None,
            steps: VecDeque::new(),
            losses: Vec::new(),
        }
    }

    /// The network lost packets between the stamps `from` and `to`.
    pub fn tear(&mut self, from: Nanos, to: Nanos) {
        if self.torn.len() >= TORN {
            self.torn.pop_front();
        }
        self.torn.push_back((from.min(to).saturating_sub(ROUNDING), from.max(to) + ROUNDING));
    }

    /// The decoder filled in a unit of which everything later depends.
    pub fn conceal(&mut self) {
        self.lose(Damage::Concealed);
    }

    /// Counts a concealed unit that harms none but itself, or none that is not broken already.
    pub fn note(&mut self, damage: Damage) {
        self.losses.push(damage);
    }

    /// Takes in the next access unit in decoding order; `discontinuous` where the source itself
    /// says that something is missing before it.
    pub fn unit(
        &mut self,
        data: &[u8],
        pts: Nanos,
        dts: Option<Nanos>,
        discontinuous: bool,
    ) -> Judged {
        let jumped = self.jumped(dts.unwrap_or(pts));
        let torn = self.torn.iter().any(|(from, to)| (*from..=*to).contains(&pts));
        // A parser of foreign bytes: should it panic, the stream is unreadable, the agent lives.
        let read = catch_unwind(AssertUnwindSafe(|| self.headers.read(data)));
        let told = match read {
            Ok(Ok(Some(told))) => told,
            Ok(Ok(None)) => {
                return Judged { damage: self.broken, recovery: false, reference: false };
            }
            Ok(Err(problem)) => {
                tracing::debug!(problem, "unreadable unit");
                return self.unreadable();
            }
            Err(_) => {
                self.headers = headers(self.codec);
                return self.unreadable();
            }
        };
        let reference = told.reference;
        if torn || (discontinuous && self.last.is_some() && told.standing != Standing::Recovery) {
            self.headers.lost();
            self.lose(Damage::PacketLost);
        } else {
            match told.standing {
                Standing::Recovery => {
                    if let Some(damage) = self.broken.take() {
                        self.healed = Some((damage, pts));
                    }
                    return Judged { damage: None, recovery: true, reference };
                }
                Standing::Broken => self.lose(Damage::PictureLost),
                Standing::BrokenAlone => {
                    let damage = self.broken.unwrap_or(Damage::PictureLost);
                    return Judged { damage: Some(damage), recovery: false, reference };
                }
                Standing::Whole if jumped => {
                    self.headers.lost();
                    self.lose(Damage::PictureLost);
                }
                Standing::Whole => {}
            }
        }
        let before = self.healed.filter(|(_, from)| pts < *from).map(|(damage, _)| damage);
        Judged { damage: self.broken.or(before), recovery: false, reference }
    }

    /// Losses since last asked, each once.
    pub fn losses(&mut self) -> Vec<Damage> {
        std::mem::take(&mut self.losses)
    }

    fn lose(&mut self, damage: Damage) {
        self.broken = Some(damage);
        self.losses.push(damage);
    }

    fn unreadable(&mut self) -> Judged {
        self.headers.lost();
        self.lose(Damage::Unreadable);
        Judged { damage: self.broken, recovery: false, reference: true }
    }

    /// Whether the time since the last unit has room for a whole turn of the numbers, after which
    /// they would fit again.
    fn jumped(&mut self, at: Nanos) -> bool {
        let Some(last) = self.last.replace(at) else { return false };
        let Some(step) = at.checked_sub(last) else { return false };
        let usual = self.steps.iter().copied().min();
        if step > 0 {
            if self.steps.len() >= STEPS {
                self.steps.pop_front();
            }
            self.steps.push_back(step);
        }
        let turn = self.headers.turn();
        // One picture less than a whole turn: the last one lost may share its number.
        usual.is_some_and(|usual| turn > 1 && step >= usual.saturating_mul(turn - 1))
    }
}

fn headers(codec: Codec) -> Box<dyn Headers> {
    match codec {
        Codec::H264 => Box::new(h264::Pictures::default()),
        Codec::H265 => Box::new(h265::Pictures::default()),
    }
}

#[cfg(test)]
mod tests;
