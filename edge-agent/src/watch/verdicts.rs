//! Asks the rules, keeps what they accuse until its clip is complete and the vehicle has done what it
//! will, and hands it on: one passage is one act.

use std::sync::Arc;

use contract::Act;
use judge::basis::Basis;
use judge::rules::Elsewhere;
use judge::{Attention, Doubt, Rule, Scene, Verdict};

use super::clips::{CLIP_AFTER, CLIP_BEFORE, Clips, LONGEST_CLIP};
use super::eyes::Eyes;
use super::listener::{Charge, Listener, Said};
use super::{Ended, Waiting, Watch};
use crate::accusation::Span;
use crate::config::Camera;
use crate::see::Nanos;
use crate::see::track::Track;

impl<E: Eyes> Watch<E> {
    /// Asks every rule about every track; those in `ended` are over, all for the reason given.
    pub(super) fn judge_all(&mut self, now: Nanos, ended: &[Track], why: Ended) {
        let Some(ground) = &self.ground else { return };
        let mut candidates = std::mem::take(&mut self.candidates);
        let mut listeners = std::mem::take(&mut self.listeners);
        let camera = Arc::clone(&self.camera);
        let scene = self.scene(ground, now);
        let alive = self.tracker.tracks().iter().filter(|t| t.confirmed).map(|t| (t, false));
        let mut found = Vec::new();
        for (track, ended) in alive.chain(ended.iter().map(|track| (track, true))) {
            let Some(candidate) = candidates.get_mut(&track.id) else { continue };
            let asks = |rule: &Arc<dyn Rule>| rule.begins_at().is_some() || rule.asks_for_plates();
            let asked = ended && camera.site.rules.iter().any(asks);
            let plate = asked.then(|| candidate.fusion.verdict().reading()).flatten();
            let plate = plate.and_then(|reading| reading.text);
            let begun = match (plate.as_deref(), scene.captured_at) {
                (Some(plate), Some(now)) => {
                    self.passages.of_plate(plate, now, (self.steps, self.known_to))
                }
                _ => Vec::new(),
            };
            let passed: Vec<_> = begun.iter().map(|begun| begun.passed.clone()).collect();
            let elsewhere = Elsewhere {
                plate: plate.as_deref(),
                passed: &passed,
                plates: self.legible.plates(&candidate.looks),
                ..scene.elsewhere
            };
            let scene = Scene { ended, elsewhere, ..scene };
            if ended {
                self.note_passage(track, candidate, &scene);
            }
            for rule in &camera.site.rules {
                let act = rule.act();
                if candidate.decided.contains(&act) {
                    continue;
                }
                match rule.judge(track, &scene) {
                    Verdict::Pending => continue,
                    // What it did from there on was not seen: neither that it is lawful nor another
                    // doubt is the reason.
                    Verdict::Lawful(_) | Verdict::Abstained(_)
                        if why == Ended::SightLost && candidate.attention == Attention::Suspect =>
                    {
                        abstain(&camera, track, &act, Doubt::SightLost);
                        tell(&mut listeners, track, &act, Said::Abstained(Doubt::SightLost));
                    }
                    Verdict::Lawful(reason) => {
                        tracing::debug!(
                            camera = camera.id,
                            track = %track,
                            act = act.name(),
                            reason = reason.name(),
                            "lawful"
                        );
                        tell(&mut listeners, track, &act, Said::Lawful(reason));
                    }
                    Verdict::Abstained(doubt) => {
                        abstain(&camera, track, &act, doubt);
                        tell(&mut listeners, track, &act, Said::Abstained(doubt));
                    }
                    Verdict::Violation(finding) => {
                        // One passage is one act: what is less than this one is not asked any more.
                        let others = camera.site.rules.iter().map(|other| other.act());
                        for lesser in others.filter(|other| rule.includes(other)) {
                            if !candidate.decided.contains(&lesser) {
                                let said = Said::Abstained(Doubt::GraverAct);
                                tell(&mut listeners, track, &lesser, said);
                            }
                            candidate.decided.push(lesser);
                        }
                        listeners.iter_mut().for_each(|listener| listener.found(track, &act));
                        let named = finding.act.clone();
                        let basis = Basis::new(named, &**rule, &self.config, track, &scene);
                        found.push(Waiting {
                            rule: act.clone(),
                            finding: *finding,
                            basis: basis.to_bytes().into(),
                            begun: rule.begun(&scene).and_then(|passed| {
                                begun.iter().find(|begun| begun.passed == *passed).cloned()
                            }),
                            found_at: now,
                            track: track.clone(),
                            candidate: candidate.clone(),
                            clip: None,
                        });
                    }
                }
                candidate.decided.push(act);
            }
        }
        self.candidates = candidates;
        self.listeners = listeners;
        for track in ended {
            let Some(candidate) = self.candidates.remove(&track.id) else { continue };
            let (looks, verdict) = (candidate.looks.len(), candidate.fusion.verdict());
            self.legible.note(looks, &verdict);
            for listener in &mut self.listeners {
                listener.ended(track, looks as u32, &verdict);
            }
        }
        for graver in found {
            self.replace_lesser(&graver);
            self.waiting.push(graver);
        }
    }

    /// Takes back what is included in an act of the same vehicle that was found later.
    fn replace_lesser(&mut self, graver: &Waiting) {
        let camera = Arc::clone(&self.camera);
        self.waiting.retain(|waiting| {
            let act = &waiting.finding.act;
            let included =
                waiting.track.id == graver.track.id && includes(&camera, &graver.finding.act, act);
            if included {
                abstain(&camera, &waiting.track, act, Doubt::GraverAct);
                let said = Said::Abstained(Doubt::GraverAct);
                tell(&mut self.listeners, &waiting.track, &waiting.rule, said);
            }
            !included
        });
    }

    /// Whether the vehicle may yet do what includes this act: then its accusation waits.
    fn may_get_graver(&self, waiting: &Waiting) -> bool {
        let candidate = self.candidates.get(&waiting.track.id);
        candidate.is_some_and(|candidate| {
            self.camera.site.rules.iter().any(|rule| {
                rule.includes(&waiting.finding.act) && !candidate.decided.contains(&rule.act())
            })
        })
    }

    /// Hands out accusations whose clip is complete and whose vehicle has done what it will, or all
    /// of them where nothing will be seen beyond `now` that belongs to them.
    pub(super) fn release(&mut self, now: Nanos, all: bool, clips: &dyn Clips) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            // Reading goes on while the vehicle is in sight and the clip runs.
            if waiting.clip.is_none()
                && let Some(candidate) = self.candidates.get(&waiting.track.id)
            {
                waiting.candidate.fusion = candidate.fusion.clone();
                waiting.candidate.close_up.clone_from(&candidate.close_up);
                waiting.candidate.places.clone_from(&candidate.places);
            }
            let (first, last) = waiting.finding.span();
            let until = last.saturating_add(CLIP_AFTER);
            if waiting.clip.is_none() && (all || now >= until) {
                let earliest = last.saturating_sub(LONGEST_CLIP);
                let from = waiting.finding.at.saturating_sub(CLIP_BEFORE).min(first);
                let moments = waiting.finding.moments.iter().map(|(_, t)| *t);
                waiting.clip = clips.clip(&Span {
                    from: from.max(earliest),
                    moments: moments.filter(|t| *t >= earliest).collect(),
                    to: until.min(now),
                });
            }
            let more = now < until || waiting.clip.is_some() && self.may_get_graver(&waiting);
            if more && !all {
                self.waiting.push(waiting);
            } else {
                self.hand_on(waiting);
            }
        }
    }

    /// The connection broke while these were followed, which nobody can judge any more.
    pub(super) fn lose(&mut self, tracks: &[Track], unfinished: &[Waiting]) {
        let said = Said::Abstained(Doubt::SightLost);
        for waiting in unfinished {
            tell(&mut self.listeners, &waiting.track, &waiting.rule, said);
        }
        for track in tracks {
            let Some(candidate) = self.candidates.get(&track.id) else { continue };
            for rule in self.camera.site.rules.iter().map(|rule| rule.act()) {
                if !candidate.decided.contains(&rule) {
                    tell(&mut self.listeners, track, &rule, said);
                }
            }
            let (looks, verdict) = (candidate.looks.len(), candidate.fusion.verdict());
            for listener in &mut self.listeners {
                listener.ended(track, looks as u32, &verdict);
            }
        }
    }

    pub(super) fn hand_on(&mut self, waiting: Waiting) {
        match self.accuse(&waiting) {
            Ok(accused) => {
                let violation = &accused.accusation.violation;
                tracing::info!(
                    camera = self.camera.id,
                    track = violation.track,
                    act = violation.act.name(),
                    vehicle = violation.vehicle.name(),
                    reason = violation.reason,
                    "violation"
                );
                metrics::counter!("edge_accusations_total",
                    "camera" => self.camera.id.clone(), "rule" => violation.act.name().to_owned())
                .increment(1);
                let evidence = accused.accusation.evidence_id;
                self.board.finding(violation.act.name(), violation.at, evidence);
                let charge = Charge {
                    act: &violation.act,
                    at: violation.at,
                    reason: &violation.reason,
                    evidence,
                };
                let said = Said::Accused(charge);
                tell(&mut self.listeners, &waiting.track, &waiting.rule, said);
                (self.out)(accused);
            }
            Err(doubt) => {
                abstain(&self.camera, &waiting.track, &waiting.finding.act, doubt);
                let said = Said::Abstained(doubt);
                tell(&mut self.listeners, &waiting.track, &waiting.rule, said);
            }
        }
    }
}

/// Whether who is accused of `graver` is not accused of `other` besides.
pub(super) fn includes(camera: &Camera, graver: &Act, other: &Act) -> bool {
    camera.site.rule(graver).is_some_and(|rule| rule.includes(other))
}

fn tell(listeners: &mut [Box<dyn Listener>], track: &Track, rule: &Act, said: Said<'_>) {
    for listener in listeners {
        listener.decided(track, rule, &said);
    }
}

fn abstain(camera: &Camera, track: &Track, act: &Act, doubt: Doubt) {
    tracing::debug!(
        camera = camera.id,
        %track,
        act = act.name(),
        reason = doubt.name(),
        "abstained"
    );
    metrics::counter!("edge_abstentions_total",
        "camera" => camera.id.clone(), "rule" => act.name().to_owned(), "reason" => doubt.name())
    .increment(1);
}
