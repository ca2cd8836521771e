//! Makes the accusation: finding, pictures, plate, clip and clock joined; what is incomplete or of
//! unknown time is not handed on.

use contract::manifest::ClockSource;
use contract::violation::Violation;
use uuid::Uuid;

use super::eyes::Eyes;
use super::{Accused, Waiting, Watch};
use crate::accusation::{Accusation, Shot};
use crate::rules::Doubt;

/// Namespace of evidence ids: UUID v5 of the DNS name `evidence.phatnguoi.vn`.
const NAMESPACE: Uuid = Uuid::from_u128(0x95d1_08c1_a036_5b12_9620_b966_8931_a088);

impl<E: Eyes> Watch<E> {
    pub(super) fn accuse(&self, waiting: &Waiting) -> Result<Accused, Doubt> {
        let Waiting { finding, track, candidate, clip, .. } = waiting;
        let (on, clock) = candidate.on.clone().ok_or(Doubt::EvidenceIncomplete)?;
        if clock.source == ClockSource::Unknown {
            return Err(Doubt::ClockUnknown);
        }
        let before = candidate.before.clone().ok_or(Doubt::EvidenceIncomplete)?;
        let past = candidate.past.clone().ok_or(Doubt::EvidenceIncomplete)?;
        let close_up = candidate.close_up.clone().map_or_else(|| on.clone(), |(_, shot)| shot);
        let clip = clip.clone().ok_or(Doubt::EvidenceIncomplete)?;
        let camera = &self.camera;
        let name = format!(
            "{}|{}|{}|{}|{}|{}",
            self.device,
            camera.id,
            finding.rule.name(),
            on.captured_at.unix_timestamp_nanos(),
            track.id,
            clock.epoch
        );
        let plate = candidate.fusion.verdict().reading();
        let violation = Violation {
            rule: finding.rule,
            at: on.captured_at,
            track: track.id,
            vehicle: track.class(),
            movement: finding.movement,
            lamp: finding.lamp,
            red_elapsed_ms: finding.red_elapsed / 1_000_000,
            right_arrow: finding.right_arrow,
            reason: finding.reason.clone(),
        };
        let shots: [&Shot; 4] = [&before, &on, &past, &close_up];
        debug_assert!(shots.iter().all(|shot| shot.vehicle.area() > 0.0));
        Ok(Accused {
            crossed_at: finding.at,
            accusation: Accusation {
                evidence_id: Uuid::new_v5(&NAMESPACE, name.as_bytes()),
                camera: camera.clone(),
                config_digest: self.config_digest,
                violation,
                clock,
                before,
                on,
                past,
                close_up,
                plate,
                models: self.models.clone(),
                clip,
            },
        })
    }
}
