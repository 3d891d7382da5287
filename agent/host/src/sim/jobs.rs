use std::time::Duration;

use super::power::Gone;
use super::state::State;
use crate::{Job, JobState};

/// A transient unit. Its program takes effect when the unit ends.
#[derive(Debug, Clone)]
pub(super) struct Running {
    job: Job,
    ends_ms: u64,
    ended: Option<i32>,
}

/// How long a program runs in its unit.
const TAKES: Duration = Duration::from_secs(2);

impl State {
    pub(super) fn start_job(&mut self, job: &Job) {
        let runs = self
            .kernel
            .jobs
            .get(&job.unit)
            .is_some_and(|known| known.ended.is_none());
        if !runs {
            let running = Running {
                job: job.clone(),
                ends_ms: self.clock.now_ms() + TAKES.as_millis() as u64,
                ended: None,
            };
            self.kernel.jobs.insert(job.unit.clone(), running);
        }
    }

    pub(super) fn job_state(&mut self, unit: &str) -> Result<JobState, Gone> {
        let now = self.clock.now_ms();
        let due = self
            .kernel
            .jobs
            .get(unit)
            .filter(|running| running.ended.is_none() && running.ends_ms <= now);
        if let Some(job) = due.map(|running| running.job.clone()) {
            let output = super::program::run(self, &job.command)?;
            if let Some(running) = self.kernel.jobs.get_mut(unit) {
                running.ended = Some(output.code);
            }
        }
        Ok(match self.kernel.jobs.get(unit).map(|running| running.ended) {
            None => JobState::Unknown,
            Some(None) => JobState::Running,
            Some(Some(code)) => JobState::Ended(code),
        })
    }
}
