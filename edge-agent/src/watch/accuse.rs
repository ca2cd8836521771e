//! Makes the accusation: finding, pictures, plate, clip and clock joined; what is incomplete or of
//! unknown time is not handed on.

use contract::MomentRole;
use contract::act::{Moment, Violation};
use contract::manifest::ClockSource;
use judge::Doubt;
use uuid::Uuid;

use super::candidate::Kept;
use super::eyes::Eyes;
use super::{Accused, Negative, Waiting, Watch};
use crate::accusation::{Accusation, Taken};

/// Namespace of evidence ids: UUID v5 of the DNS name `evidence.phatnguoi.vn`.
const NAMESPACE: Uuid = Uuid::from_u128(0x95d1_08c1_a036_5b12_9620_b966_8931_a088);

impl<E: Eyes> Watch<E> {
    pub(super) fn accuse(&self, waiting: &Waiting) -> Result<Accused, Doubt> {
        let Waiting { rule, finding, basis, begun, track, candidate, clip, .. } = waiting;
        let shot = |role| candidate.shot(rule, role).ok_or(Doubt::EvidenceIncomplete);
        let Kept { shot: main, clock, .. } = shot(finding.main)?;
        if clock.source == ClockSource::Unknown {
            return Err(Doubt::ClockUnknown);
        }
        let mut moments = Vec::with_capacity(finding.moments.len() + 1);
        let mut times = vec![None; usize::from(begun.is_some())];
        moments.extend(begun.as_ref().map(|begun| Taken {
            role: MomentRole::Begin,
            shot: begun.shot.clone(),
            elsewhere: Some(begun.origin.clone()),
        }));
        for &(role, _) in &finding.moments {
            let Kept { t, shot, clock: known, .. } = shot(role)?;
            // Times of different epochs do not compare.
            if known.epoch != clock.epoch {
                return Err(Doubt::ClockUnknown);
            }
            debug_assert!(shot.vehicle.area() > 0.0);
            times.push(Some(*t));
            moments.push(Taken { role, shot: shot.clone(), elsewhere: None });
        }
        let close_up = candidate.close_up.clone().map_or_else(|| main.clone(), |(_, shot)| shot);
        let clip = clip.clone().ok_or(Doubt::EvidenceIncomplete)?;
        let camera = &self.camera;
        let name = format!(
            "{}|{}|{}|{}|{}|{}",
            self.device,
            camera.id,
            finding.act,
            main.captured_at.unix_timestamp_nanos(),
            track.id,
            clock.epoch
        );
        let violation = Violation {
            act: finding.act.clone(),
            at: main.captured_at,
            track: track.id,
            vehicle: track.class,
            facts: finding.facts.clone(),
            moments: moments
                .iter()
                .map(|taken| Moment {
                    role: taken.role,
                    at: taken.shot.captured_at,
                    file: taken.file(),
                })
                .collect(),
            may_be_on_duty: false,
            reason: finding.reason.clone(),
        };
        let negative = clip.larger.and(self.ground.as_ref()).map(|ground| {
            Box::new(Negative {
                moments: times,
                candidate: candidate.clone(),
                size: ground.size,
                part: camera.detect,
            })
        });
        Ok(Accused {
            negative,
            crossed_at: finding.at,
            accusation: Accusation {
                evidence_id: Uuid::new_v5(&NAMESPACE, name.as_bytes()),
                camera: camera.clone(),
                config_digest: self.config_digest,
                violation,
                clock: clock.clone(),
                main: finding.main,
                moments,
                close_up,
                plate: candidate.fusion.verdict().reading(),
                models: self.models.clone(),
                clip,
                basis: basis.clone(),
            },
        })
    }
}
