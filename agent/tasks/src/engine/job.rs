//! Jobs: programs in transient units, which outlive the agent.

use std::io;
use std::time::Duration;

use heeler_host::{Command, Job, JobState, UnitError, apt, journalctl};

use super::apply::ApplyError;
use super::carry_out::{Hand, Stop};
use super::{Event, Intent};

const POLL: Duration = Duration::from_secs(2);
/// The lines of a failed job's output that say why: apt ends with some that do not.
const LAST_LINES: u32 = 40;

impl Hand<'_> {
    /// The unit of the jobs of a step in this task. Another task has another unit, so it never takes this one's result.
    pub(super) fn unit_of(&self, step: &str) -> String {
        format!("heeler-{step}-{}.service", self.record.task())
    }

    fn pending_job(&self, step: &str) -> Option<Intent> {
        let pending = self.record.pending();
        pending.filter(|intent| intent.job.is_some() && intent.step == step)
    }

    /// Waits until a job ends that this task began before the agent died: nothing is observed or changed beside it.
    pub(super) async fn earlier_job(&mut self, step: &str) -> Result<(), Stop> {
        let Some(unit) = self.pending_job(step).and_then(|intent| intent.job) else {
            return Ok(());
        };
        let ended = self.ended(step, &unit).await?;
        ended
            .map(drop)
            .map_err(|error| Stop::Failed(format!("could not wait for {unit}: {error}")))
    }

    /// The intent of a job that this task began earlier, and whether it is `intent`'s; another one ends here.
    pub(super) async fn begun_job(&mut self, intent: Intent) -> io::Result<(Intent, bool)> {
        match self.pending_job(&intent.step) {
            Some(earlier) if earlier.job == intent.job && earlier.summary == intent.summary => Ok((earlier, true)),
            Some(_) => {
                self.drop_job(&intent.step).await?;
                Ok((intent, false))
            }
            None => Ok((intent, false)),
        }
    }

    /// Ends the record of a job that the step no longer needs.
    pub(super) async fn drop_job(&mut self, step: &str) -> io::Result<()> {
        if let Some(intent) = self.pending_job(step) {
            self.record.end(&intent, None).await?;
            self.forget_job(&intent).await;
        }
        Ok(())
    }

    /// Runs `command` as `unit` to its end. With `begun`, the unit's result counts when systemd still knows it;
    /// otherwise an earlier result is forgotten.
    pub(super) async fn job(
        &mut self,
        step: &str,
        unit: &str,
        command: &Command,
        begun: bool,
    ) -> io::Result<Result<(), ApplyError>> {
        let started = async {
            if !begun || self.host.job_state(unit).await? == JobState::Unknown {
                let job = Job {
                    unit: unit.to_owned(),
                    command: command.clone(),
                };
                self.host.start_job(&job).await?;
            }
            Ok::<_, UnitError>(())
        };
        if let Err(error) = started.await {
            return Ok(Err(error.into()));
        }
        let ended = match self.ended(step, unit).await? {
            Ok(ended) => ended,
            Err(error) => return Ok(Err(error.into())),
        };
        let unit = unit.to_owned();
        Ok(match ended {
            Some(0) => Ok(()),
            Some(code) => {
                let printed = journalctl::last_lines(self.host, &unit, LAST_LINES).await;
                Err(ApplyError::Job { printed, unit, code })
            }
            None => Err(ApplyError::JobLost { unit }),
        })
    }

    /// Waits until the unit does not run, and reports what it prints. Returns the exit code; None when systemd does
    /// not know the unit.
    async fn ended(&mut self, step: &str, unit: &str) -> io::Result<Result<Option<i32>, UnitError>> {
        let mut reported = String::new();
        loop {
            match self.host.job_state(unit).await {
                Ok(JobState::Running) => {}
                Ok(JobState::Ended(code)) => return Ok(Ok(Some(code))),
                Ok(JobState::Unknown) => return Ok(Ok(None)),
                Err(error) => return Ok(Err(error)),
            }
            let text = journalctl::last_lines(self.host, unit, 1).await;
            if !text.is_empty() && text != reported {
                reported.clone_from(&text);
                let step = step.to_owned();
                let (text, percent) = match apt::progress(&text) {
                    Some((text, percent)) => (text, Some(percent)),
                    None => (text, None),
                };
                let progress = Event::Progress { step, text, percent };
                self.record.emit(progress).await?;
            }
            self.host.sleep(POLL).await;
        }
    }

    /// Otherwise systemd keeps the result until the next boot. It is on record by now, so a failure changes nothing.
    pub(super) async fn forget_job(&mut self, intent: &Intent) {
        if let Some(unit) = &intent.job {
            let _ = self.host.forget_job(unit).await;
        }
    }
}
