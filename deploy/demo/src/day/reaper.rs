//! Kills at random moments, by the seed: each at so much work done, so that there are as many as were
//! asked for however fast the machine is.

use std::time::Duration;

use anyhow::{Result, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Plan;
use super::house::{House, Victim};
use crate::site::Site;

#[derive(Debug)]
pub struct Reaper {
    /// After so many steps, and how long after.
    moments: Vec<(u64, Duration, Victim)>,
    killed: usize,
}

impl Reaper {
    pub fn new(plan: &Plan, kills: u32, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let victims: &[Victim] = match plan.postgres {
            true => &[Victim::Server, Victim::Worker, Victim::Database],
            false => &[Victim::Server],
        };
        // Received once; three steps to a notice, four more for half of them. The last is left in peace.
        let all = u64::from(plan.cases) * 6 - 1;
        let mut moments: Vec<_> = (0..kills)
            .map(|_| {
                let after = Duration::from_millis(random.random_range(0..150));
                (random.random_range(0..all), after, victims[random.random_range(0..victims.len())])
            })
            .collect();
        moments.sort_by_key(|(steps, ..)| *steps);
        Self { moments, killed: 0 }
    }

    /// Kills where `steps` reach the next moment.
    pub async fn look(
        &mut self,
        steps: u64,
        house: &mut House,
        site: &Site,
        plan: &Plan,
    ) -> Result<()> {
        while let Some((at, after, victim)) = self.moments.get(self.killed).copied()
            && steps >= at
        {
            tokio::time::sleep(after).await;
            house.kill(victim, site, plan).await?;
            self.killed += 1;
            let all = self.moments.len();
            println!("  kill {:>3}/{all}  at step {steps:>5}: {victim:?}", self.killed);
        }
        Ok(())
    }

    pub fn finished(&self) -> Result<()> {
        let (killed, all) = (self.killed, self.moments.len());
        ensure!(killed == all, "{killed} of {all} kills: the day was over before");
        Ok(())
    }
}
