//! A fake systemd at the other end of a socket pair, with the answers of the real one.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use zbus::object_server::SignalEmitter;
use zbus::{Guid, ObjectServer, OwnedObjectPath, OwnedVariant, connection, interface};

use super::bus::Bus;
use super::{job, systemd};
use crate::{Command, Job, JobState, UnitAction, UnitError};

/// The calls so far, in order.
type Log = Arc<Mutex<Vec<String>>>;

struct Manager {
    log: Log,
    jobs: u32,
}

#[derive(zbus::DBusError, Debug)]
#[zbus(prefix = "org.freedesktop.systemd1")]
enum Refusal {
    #[zbus(error)]
    ZBus(zbus::Error),
    NoSuchUnit(String),
    #[zbus(name = "org.freedesktop.DBus.Error.InvalidArgs")]
    InvalidArgs(String),
}

impl Manager {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    /// Ends before the caller knows its path, as a very short job does.
    async fn job(&mut self, verb: &str, unit: &str, emitter: &SignalEmitter<'_>) -> Result<OwnedObjectPath, Refusal> {
        self.note(format!("{verb} {unit}"));
        self.jobs += 1;
        let path = OwnedObjectPath::try_from(format!("/org/freedesktop/systemd1/job/{}", self.jobs)).unwrap();
        let result = if unit.starts_with("bad") { "failed" } else { "done" };
        let other = OwnedObjectPath::try_from("/org/freedesktop/systemd1/job/999").unwrap();
        Self::job_removed(emitter, 999, other, "other.service", "canceled").await?;
        Self::job_removed(emitter, self.jobs, path.clone(), unit, result).await?;
        Ok(path)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "D-Bus hands its arguments over")]
#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Manager {
    #[zbus(signal)]
    async fn job_removed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: OwnedObjectPath,
        unit: &str,
        result: &str,
    ) -> zbus::Result<()>;

    async fn start_unit(
        &mut self,
        unit: &str,
        _mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        if unit.starts_with("absent") {
            return Err(Refusal::NoSuchUnit(format!("Unit {unit} not found.")));
        }
        self.job("start", unit, &emitter).await
    }

    async fn stop_unit(
        &mut self,
        unit: &str,
        _mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> Result<OwnedObjectPath, Refusal> {
        if unit.contains('/') {
            return Err(Refusal::InvalidArgs("Unit name is not valid.".to_owned()));
        }
        self.job("stop", unit, &emitter).await
    }

    fn reset_failed_unit(&self, unit: &str) -> Result<(), Refusal> {
        // systemd has forgotten a unit that was stopped and has not failed.
        self.note(format!("reset-failed {unit}"));
        Err(Refusal::NoSuchUnit(format!("Unit {unit} not loaded.")))
    }

    fn enable_unit_files(
        &self,
        units: Vec<String>,
        runtime: bool,
        force: bool,
    ) -> (bool, Vec<(String, String, String)>) {
        self.note(format!("enable {} {runtime} {force}", units.join(" ")));
        (!units.contains(&"static.service".to_owned()), Vec::new())
    }

    fn reload(&self) {
        self.note("reload");
    }

    fn load_unit(&self, unit: &str) -> OwnedObjectPath {
        at(unit)
    }

    fn get_unit(&self, unit: &str) -> Result<OwnedObjectPath, Refusal> {
        match unit {
            "heeler-new.service" => Err(Refusal::NoSuchUnit(format!("Unit {unit} not loaded."))),
            _ => Ok(at(unit)),
        }
    }

    fn start_transient_unit(
        &self,
        unit: &str,
        mode: &str,
        properties: Vec<(String, OwnedVariant)>,
        _auxiliary: Vec<(String, Vec<(String, OwnedVariant)>)>,
    ) -> OwnedObjectPath {
        let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        let exec = properties.iter().find(|(name, _)| name == "ExecStart");
        self.note(format!(
            "transient {unit} {mode} {} {:?}",
            names.join(","),
            exec.map(|(_, value)| value.value_signature())
        ));
        at("job")
    }
}

fn at(unit: &str) -> OwnedObjectPath {
    let name: String = unit.chars().filter(char::is_ascii_alphanumeric).collect();
    OwnedObjectPath::try_from(format!("/org/freedesktop/systemd1/unit/{name}")).unwrap()
}

struct Unit(&'static str);

#[interface(name = "org.freedesktop.systemd1.Unit")]
impl Unit {
    #[zbus(property)]
    fn load_state(&self) -> &str {
        if self.0.is_empty() { "not-found" } else { "loaded" }
    }
    #[zbus(property)]
    fn active_state(&self) -> &str {
        if self.0.is_empty() { "inactive" } else { self.0 }
    }
    #[zbus(property)]
    fn unit_file_state(&self) -> &str {
        if self.0.is_empty() { "" } else { "enabled" }
    }
}

struct Service(i32, i32);

#[interface(name = "org.freedesktop.systemd1.Service")]
impl Service {
    #[zbus(property)]
    fn exec_main_code(&self) -> i32 {
        self.0
    }
    #[zbus(property)]
    fn exec_main_status(&self) -> i32 {
        self.1
    }
}

/// The machine's end, which must be kept, and the test's.
async fn machine() -> (zbus::Connection, Bus, Log) {
    let (theirs, ours) = UnixStream::pair().unwrap();
    let log = Log::default();
    let manager = Manager {
        log: log.clone(),
        jobs: 0,
    };
    let server = connection::Builder::unix_stream(theirs)
        .server(Guid::generate())
        .p2p()
        .serve_at("/org/freedesktop/systemd1", manager)
        .build();
    let client = connection::Builder::unix_stream(ours).p2p().build();
    let (server, client) = tokio::join!(server, client);
    let server = server.unwrap();
    let units: BTreeMap<&str, (&'static str, i32, i32)> = [
        ("zfs-zed.service", ("active", 1, 0)),
        ("absent.service", ("", 0, 0)),
        ("heeler-busy.service", ("activating", 0, 0)),
        ("heeler-done.service", ("active", 1, 0)),
        ("heeler-failed.service", ("failed", 1, 100)),
        ("heeler-killed.service", ("failed", 2, 9)),
    ]
    .into();
    for (name, (active, code, status)) in units {
        let objects: &ObjectServer = server.object_server();
        objects.at(at(name), Unit(active)).await.unwrap();
        objects.at(at(name), Service(code, status)).await.unwrap();
    }
    (server, Bus::over(client.unwrap()), log)
}

fn said(log: &Log) -> Vec<String> {
    log.lock().unwrap().clone()
}

#[tokio::test]
async fn an_action_waits_for_its_own_job() {
    let (_machine, bus, log) = machine().await;
    systemd::act(&bus, "zfs-zed.service", UnitAction::Start).await.unwrap();
    let failed = systemd::act(&bus, "bad.service", UnitAction::Stop).await;
    assert!(matches!(failed, Err(UnitError::Job { result, .. }) if result == "failed"));
    let invalid = systemd::act(&bus, "../x", UnitAction::Stop).await;
    assert!(matches!(invalid, Err(UnitError::Refused { problem, .. }) if problem == "Unit name is not valid."));
    let absent = systemd::act(&bus, "absent.service", UnitAction::Start)
        .await
        .unwrap_err();
    assert_eq!(
        absent.to_string(),
        "systemd refused to start absent.service: Unit absent.service not found."
    );
    assert_eq!(said(&log), ["start zfs-zed.service", "stop bad.service"]);
}

#[tokio::test]
async fn a_unit_is_enabled_or_the_failure_is_reported() {
    let (_machine, bus, log) = machine().await;
    systemd::act(&bus, "zfs.target", UnitAction::Enable).await.unwrap();
    assert!(systemd::act(&bus, "static.service", UnitAction::Enable).await.is_err());
    assert_eq!(
        said(&log),
        [
            "enable zfs.target false false",
            "reload",
            "enable static.service false false"
        ]
    );
}

#[tokio::test]
async fn a_unit_without_a_file_is_not_found() {
    let (_machine, bus, _) = machine().await;
    let state = systemd::state(&bus, "zfs-zed.service").await.unwrap();
    assert_eq!(
        (state.load.as_str(), state.active.as_str(), state.enabled.as_str()),
        ("loaded", "active", "enabled")
    );
    assert_eq!(systemd::state(&bus, "absent.service").await.unwrap().load, "not-found");
}

#[tokio::test]
async fn the_result_of_a_job_is_found_by_its_name() {
    let (_machine, bus, _) = machine().await;
    for (unit, state) in [
        ("heeler-new.service", JobState::Unknown),
        ("heeler-busy.service", JobState::Running),
        ("heeler-done.service", JobState::Ended(0)),
        ("heeler-failed.service", JobState::Ended(100)),
        ("heeler-killed.service", JobState::Ended(137)),
    ] {
        assert_eq!(job::state(&bus, unit).await.unwrap(), state, "{unit}");
    }
}

#[tokio::test]
async fn a_running_job_is_not_started_twice() {
    let (_machine, bus, log) = machine().await;
    for unit in ["heeler-new.service", "heeler-busy.service", "heeler-failed.service"] {
        let job = Job {
            unit: unit.to_owned(),
            command: Command::look("sh").args(["-c", "true"]),
        };
        job::start(&bus, &job).await.unwrap();
    }
    let properties = "Description,Type,RemainAfterExit,TimeoutStartUSec,WorkingDirectory,Environment,ExecStart";
    let transient = |unit: &str| {
        said(&log)
            .iter()
            .filter(|line| line.starts_with(&format!("transient {unit} fail {properties}")))
            .count()
    };
    assert_eq!(transient("heeler-new.service"), 1);
    assert_eq!(transient("heeler-busy.service"), 0);
    assert_eq!(transient("heeler-failed.service"), 1);
    assert!(said(&log).contains(&"stop heeler-failed.service".to_owned()));
}

#[tokio::test]
async fn a_missing_program_starts_no_job() {
    let (_machine, bus, log) = machine().await;
    let job = Job {
        unit: "heeler-new.service".to_owned(),
        command: Command::look("heeler-no-such-program"),
    };
    assert!(matches!(job::start(&bus, &job).await, Err(UnitError::Refused { .. })));
    assert!(said(&log).is_empty());
}

#[tokio::test]
async fn a_machine_without_systemd_is_reported() {
    let (machine, bus, _) = machine().await;
    machine.close().await.unwrap();
    let state = systemd::state(&bus, "zfs-zed.service").await;
    assert!(matches!(state, Err(UnitError::Bus(_))), "{state:?}");
}
