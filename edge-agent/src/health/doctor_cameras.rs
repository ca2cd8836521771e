//! The clocks of the cameras that can be asked for their time.

use std::sync::Arc;

use super::finding::{Finding, Verdict};
use crate::clock::Clock;
use crate::config::Agent;
use crate::onvif::{SetBy, clock};

pub async fn clocks(agent: &Agent, now: &Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for camera in &agent.cameras {
        let Some(setting) = &camera.onvif else { continue };
        let part = format!("clock of {}", camera.id);
        findings.push(match clock::check(camera, setting, Arc::clone(now)).await {
            Err(problem) => Finding::new(part, Verdict::Bad, problem),
            Ok(difference) => {
                let beyond = difference.beyond(setting.clock_bound_ms);
                // By hand it will be wrong one day.
                let verdict = match beyond || difference.set_by == SetBy::Hand {
                    true => Verdict::Warn,
                    false => Verdict::Good,
                };
                let bound = match beyond {
                    true => format!(", which is beyond clock_warn_ms = {}", setting.clock_bound_ms),
                    false => String::new(),
                };
                Finding::new(part, verdict, format!("{difference}{bound}"))
            }
        });
    }
    findings
}
