use std::time::Duration;

use super::power::Gone;
use super::state::State;
use crate::{Job, JobState, Output};

/// A transient unit. Its program takes effect when the unit ends.
#[derive(Debug, Clone)]
pub(super) struct Running {
    job: Job,
    ends_ms: u64,
    ended: Option<i32>,
    printed: String,
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
                printed: format!("{} begins\n", job.command.program),
            };
            self.kernel.jobs.insert(job.unit.clone(), running);
        }
    }

    /// The program's effect, with a point before and after it.
    fn end_of(&mut self, job: &Job) -> Result<Output, Gone> {
        self.power.point()?;
        let output = match self.take_fault(&job.command.to_string()) {
            // systemd knows no answer but an exit code.
            Some(fault) => fault.strike(&job.command).0.unwrap_or_default(),
            None => super::program::run(self, &job.command)?,
        };
        self.power.point()?;
        Ok(output)
    }

    pub(super) fn forget_job(&mut self, unit: &str) {
        self.kernel.jobs.retain(|name, job| name != unit || job.ended.is_none());
    }

    /// The last lines that the unit's program printed.
    pub(super) fn printed_by(&self, unit: &str, count: usize) -> String {
        let printed = self.kernel.jobs.get(unit).map_or("", |job| job.printed.as_str());
        let lines: Vec<&str> = printed.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(count));
        last.map(|line| format!("{line}\n")).collect()
    }

    pub(super) fn job_state(&mut self, unit: &str) -> Result<JobState, Gone> {
        let now = self.clock.now_ms();
        let due = self
            .kernel
            .jobs
            .get(unit)
            .filter(|running| running.ended.is_none() && running.ends_ms <= now);
        if let Some(job) = due.map(|running| running.job.clone()) {
            let output = self.end_of(&job)?;
            if let Some(running) = self.kernel.jobs.get_mut(unit) {
                running.ended = Some(output.code);
                running.printed += &output.stdout;
                running.printed += &output.stderr;
            }
        }
        Ok(match self.kernel.jobs.get(unit).map(|running| running.ended) {
            None => JobState::Unknown,
            Some(None) => JobState::Running,
            Some(Some(code)) => JobState::Ended(code),
        })
    }
}
