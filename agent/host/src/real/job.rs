//! Programs in transient systemd units: they outlive the agent, and their result is kept until the next boot.

use std::path::Path;

use zbus::{OwnedObjectPath, Variant};

use super::bus::{Bus, CallError, Object};
use super::systemd::{MANAGER, SERVICE, queue, unit_at};
use crate::{Job, JobState, Stdin, UnitError};
use heeler_os::{ENVIRONMENT, PATH};

/// Starts the job unless it runs; forgets the result of an earlier run.
pub(super) async fn start(bus: &Bus, job: &Job) -> Result<(), UnitError> {
    let refuse = |problem: &str| UnitError::Refused {
        action: "start".to_owned(),
        unit: job.unit.clone(),
        problem: problem.to_owned(),
    };
    if job.command.stdin != Stdin::Null {
        return Err(refuse("a job reads nothing: its unit is for all to see"));
    }
    match state(bus, &job.unit).await? {
        JobState::Running => return Ok(()),
        JobState::Ended(_) => forget(bus, &job.unit).await?,
        JobState::Unknown => {}
    }
    let program = PATH
        .split(':')
        .map(|folder| Path::new(folder).join(job.command.program))
        .find(|path| path.exists())
        .ok_or_else(|| refuse(&format!("{} is not installed on this machine", job.command.program)))?;
    let program = program.display().to_string();
    let started = bus.call(MANAGER, "StartTransientUnit", &transient(job, &program)).await;
    match started {
        Err(CallError::Refused { name, .. }) if name == "org.freedesktop.systemd1.UnitExists" => Ok(()),
        other => other.map(drop).map_err(|error| error.unit("start", &job.unit)),
    }
}

type Unit<'a> = (
    &'a str,
    &'a str,
    Vec<(&'a str, Variant<'a>)>,
    Vec<(&'a str, Vec<(&'a str, Variant<'a>)>)>,
);

/// The arguments of StartTransientUnit: name, mode, properties, auxiliary units.
fn transient<'a>(job: &'a Job, program: &str) -> Unit<'a> {
    let mut argv = vec![job.command.program.to_owned()];
    // systemd expands variables in arguments; `$$` is a literal dollar.
    argv.extend(job.command.args.iter().map(|arg| arg.replace('$', "$$")));
    let environment: Vec<String> = ENVIRONMENT
        .iter()
        .chain(job.command.environment)
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let limit = u64::try_from(job.command.timeout.as_micros()).unwrap_or(u64::MAX);
    let properties = vec![
        ("Description", Variant::from(format!("Heeler: {}", job.command))),
        ("Type", Variant::from("oneshot")),
        // Keeps the result for an agent that restarts meanwhile.
        ("RemainAfterExit", Variant::from(true)),
        ("TimeoutStartUSec", Variant::from(limit)),
        ("WorkingDirectory", Variant::from("/")),
        ("Environment", Variant::from(environment)),
        ("ExecStart", Variant::from(vec![(program.to_owned(), argv, false)])),
    ];
    (&job.unit, "fail", properties, Vec::new())
}

pub(super) async fn state(bus: &Bus, unit: &str) -> Result<JobState, UnitError> {
    look(bus, unit).await.map_err(|error| error.unit("look at", unit))
}

async fn look(bus: &Bus, unit: &str) -> Result<JobState, CallError> {
    let path: OwnedObjectPath = match bus.ask(MANAGER, "GetUnit", &(unit,)).await {
        Err(error) if error.is_no_such_unit() => return Ok(JobState::Unknown),
        other => other?,
    };
    let active: String = bus.property(unit_at(path.as_str()), "ActiveState").await?;
    if matches!(active.as_str(), "activating" | "deactivating" | "reloading") {
        return Ok(JobState::Running);
    }
    let service = Object {
        service: SERVICE,
        path: path.as_str(),
        interface: "org.freedesktop.systemd1.Service",
    };
    let how: i32 = bus.property(service, "ExecMainCode").await?;
    let status: i32 = bus.property(service, "ExecMainStatus").await?;
    Ok(ended(&active, how, status))
}

/// CLD_EXITED of waitid(2): the process exited; other codes mean a signal.
const EXITED: i32 = 1;

fn ended(active: &str, how: i32, status: i32) -> JobState {
    match (active, how) {
        ("active", EXITED) => JobState::Ended(status),
        ("failed", EXITED) if status != 0 => JobState::Ended(status),
        // Killed, or not started.
        ("failed", EXITED | 0) => JobState::Ended(1),
        ("failed", _) => JobState::Ended(128 + status),
        _ => JobState::Unknown,
    }
}

/// Makes systemd forget the unit and its result.
pub(super) async fn forget(bus: &Bus, unit: &str) -> Result<(), UnitError> {
    let stopped = queue(bus, "StopUnit", &(unit, "replace")).await.map(drop);
    let reset = bus.call(MANAGER, "ResetFailedUnit", &(unit,)).await.map(drop);
    for done in [stopped, reset] {
        match done {
            Err(error) if !error.is_no_such_unit() => return Err(error.unit("forget the result of", unit)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;

    #[test]
    fn a_job_gets_its_arguments_as_they_are() {
        let job = Job {
            unit: "heeler-x.service".to_owned(),
            command: Command::look("sh").args(["-c", "echo $HOME ${PATH}"]),
        };
        let (_, _, properties, _) = transient(&job, "/bin/sh");
        let (_, exec) = properties.into_iter().find(|(name, _)| *name == "ExecStart").unwrap();
        let exec: Vec<(String, Vec<String>, bool)> = exec.try_into().unwrap();
        // systemd reads `$$` as one dollar.
        assert_eq!(exec[0].1, ["sh", "-c", "echo $$HOME $${PATH}"]);
        assert_eq!(exec[0].0, "/bin/sh");
    }

    #[test]
    fn a_job_gets_the_variables_of_its_command() {
        let job = Job {
            unit: "heeler-x.service".to_owned(),
            command: Command::change("apt-get").environment(&[("DEBIAN_FRONTEND", "noninteractive")]),
        };
        let (_, _, properties, _) = transient(&job, "/usr/bin/apt-get");
        let (_, variables) = properties.into_iter().find(|(name, _)| *name == "Environment").unwrap();
        let variables: Vec<String> = variables.try_into().unwrap();
        assert_eq!(variables[0], "LC_ALL=C.UTF-8");
        assert_eq!(variables.last().unwrap(), "DEBIAN_FRONTEND=noninteractive");
    }

    #[test]
    fn a_job_that_was_killed_never_looks_like_a_success() {
        assert_eq!(ended("active", 1, 0), JobState::Ended(0));
        assert_eq!(ended("failed", 1, 100), JobState::Ended(100));
        assert_eq!(ended("failed", 2, 15), JobState::Ended(143));
        assert_eq!(ended("failed", 0, 0), JobState::Ended(1));
        assert_eq!(ended("failed", 1, 0), JobState::Ended(1));
        assert_eq!(ended("inactive", 0, 0), JobState::Unknown);
    }
}
