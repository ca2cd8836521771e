//! The lamps of one camera: what its pictures show of them, held against their wires where they have any.

use super::Watch;
use super::eyes::Eyes;
use crate::clock::since_start;
use crate::see::lamp::{self, LampReader};
use crate::source::Picture;
use crate::wire::Check;

impl<E: Eyes> Watch<E> {
    /// Holds lamps against their wires, from now on.
    pub fn hold_against(&mut self, wires: Vec<Option<Check>>) {
        self.wires = wires;
    }

    pub(super) fn read_lamps(&mut self, picture: &Picture) {
        let taken = picture.steady.unwrap_or_else(since_start);
        for (index, (reader, lamp)) in self.lamp_readers.iter_mut().zip(&mut self.lamps).enumerate()
        {
            let mut reading = reader.read(picture.t, &picture.frame.planes());
            if let Some(Some(check)) = self.wires.get_mut(index) {
                let judged = check.judge(picture.t, taken, reading);
                self.board.wire(&lamp.name, judged.state);
                if let Some(since) = judged.doubt_since {
                    lamp.history.sever(since);
                }
                reading = judged.reading;
            }
            lamp.history.push(picture.t, reading);
            let light = lamp.history.at(picture.t).map(|shown| shown.light);
            self.board.lamp(&lamp.name, light, picture.captured_at);
        }
    }

    /// Nothing that was seen of them is comparable any more.
    pub(super) fn begin_lamps(&mut self) {
        self.lamp_readers = self.camera.lamps.iter().map(LampReader::new).collect();
        self.lamps = self.camera.lamps.iter().map(lamp::unseen).collect();
        self.wires.iter_mut().flatten().for_each(Check::restart);
    }
}
