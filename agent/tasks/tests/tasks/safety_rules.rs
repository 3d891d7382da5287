//! A machine that fails the test when a call would harm data.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::lsblk;
use heeler_host::sim::Machine;
use heeler_host::{
    Command, File, Folder, FolderAction, Job, JobState, Look, Output, Piped, RunError, System, UnitAction, UnitError,
    UnitState,
};

/// The rules for data, checked at each call.
pub(crate) struct CheckedMachine(pub(crate) Machine, Mutex<Vec<Point>>);

/// A point at which a loss makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// As [`Machine::points`] counts it.
    pub(crate) at: u64,
    /// Whether it is in the middle of a journal record; if not, it is before, in or after an op.
    pub(crate) journal: bool,
}

impl CheckedMachine {
    pub(crate) const fn new(machine: Machine) -> Self {
        Self(machine, Mutex::new(Vec::new()))
    }

    /// The points that were passed, without reads: a loss between two reads is the same as one before or after both.
    pub(crate) fn points(&self) -> Vec<Point> {
        self.1.lock().unwrap().clone()
    }

    fn passed(&self, before: u64, journal: bool) {
        let points = if journal {
            before + 2..before + 3
        } else {
            before..self.0.points()
        };
        self.1.lock().unwrap().extend(points.map(|at| Point { at, journal }));
    }

    fn judge(&self, command: &Command) {
        let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
        let forced = args.iter().any(|arg| ["-f", "-F", "--force", "-D", "-m"].contains(arg));
        let storage = ["zpool", "zfs", "wipefs", "blkdiscard", "sfdisk"].contains(&command.program);
        assert!(!(forced && storage), "never forced: {command}");
        let destroys = command.program == "blkdiscard" || command.program == "zpool" && args.first() == Some(&"create");
        let by_kernel_name = |arg: &&str| arg.starts_with("/dev/") && !arg.starts_with("/dev/disk/by-id/");
        assert!(
            !(destroys && args.iter().any(by_kernel_name)),
            "disks are reached by id: {command}"
        );
        if command.program == "zpool" && args.first() == Some(&"create") && !args.contains(&"-n") {
            for leg in args.iter().filter(|arg| arg.starts_with("/dev/")) {
                let serial = leg.rsplit('_').next().unwrap_or_default();
                assert!(self.0.is_blank(serial), "only on blank disks: {command}");
            }
        }
        if command.program == "zpool" && args.first() == Some(&"import") && args.len() > 3 {
            let by_guid = args.last().is_some_and(|pool| pool.parse::<u64>().is_ok());
            assert!(by_guid, "imported by guid: {command}");
        }
    }

    fn judge_write(path: &Path) {
        assert!(
            !path.starts_with("/data"),
            "storage is not written to: {}",
            path.display()
        );
        assert!(
            !path.starts_with("/dev"),
            "no disk is written as a file: {}",
            path.display()
        );
    }
}

#[async_trait]
impl System for CheckedMachine {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        self.judge(command);
        let before = self.0.points();
        let result = self.0.run(command).await;
        if self.0.log().last().is_some_and(|entry| entry.mutates) {
            self.passed(before, false);
        }
        result
    }
    async fn follow(&self, command: &Command, line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
        self.judge(command);
        self.0.follow(command, line).await
    }
    async fn pipe(&self, from: &Command, into: &Command) -> Result<Piped, RunError> {
        self.judge(from);
        self.judge(into);
        let before = self.0.points();
        let result = self.0.pipe(from, into).await;
        if from.changes || into.changes {
            self.passed(before, false);
        }
        result
    }
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.read(path).await
    }
    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.0.mode(path).await
    }
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.resolve(path).await
    }
    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.0.list(path).await
    }
    async fn write(&self, file: &File) -> io::Result<()> {
        Self::judge_write(&file.path);
        let before = self.0.points();
        let result = self.0.write(file).await;
        self.passed(before, false);
        result
    }
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        Self::judge_write(path);
        let before = self.0.points();
        let result = self.0.append(path, bytes).await;
        self.passed(before, true);
        result
    }
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let before = self.0.points();
        let result = self.0.truncate(path, length).await;
        self.passed(before, false);
        result
    }
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        let before = self.0.points();
        let result = self.0.set_parameter(path, value).await;
        self.passed(before, false);
        result
    }
    async fn remove(&self, path: &Path) -> io::Result<()> {
        Self::judge_write(path);
        let before = self.0.points();
        let result = self.0.remove(path).await;
        self.passed(before, false);
        result
    }
    async fn within(&self, folder: &Folder, name: &str, action: FolderAction) -> io::Result<Vec<String>> {
        let before = self.0.points();
        let result = self.0.within(folder, name, action).await;
        self.passed(before, false);
        result
    }
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.0.read_device(device, offset, length).await
    }
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        self.0.first_data(device, places).await
    }
    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        self.0.unit_state(unit).await
    }
    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        let before = self.0.points();
        let result = self.0.unit(unit, action).await;
        self.passed(before, false);
        result
    }
    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        self.judge(&job.command);
        let before = self.0.points();
        let result = self.0.start_job(job).await;
        self.passed(before, false);
        result
    }
    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        let before = self.0.points();
        let result = self.0.forget_job(unit).await;
        self.passed(before, false);
        result
    }
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        let before = self.0.points();
        let result = self.0.job_state(unit).await;
        self.passed(before, false);
        result
    }
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        self.0.address_taken(interface, address).await
    }
    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        let before = self.0.points();
        let result = self.0.reboot(trial).await;
        self.passed(before, false);
        result
    }
    fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }
    async fn in_time(&self, item: &str, time: Duration, look: Look<'_>) {
        self.0.in_time(item, time, look).await;
    }
    fn found_in_order(&self, fingerprint: [u8; 32]) -> bool {
        self.0.found_in_order(fingerprint)
    }
    fn remember_in_order(&self, fingerprint: [u8; 32]) {
        self.0.remember_in_order(fingerprint);
    }
    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }
}

#[tokio::test]
async fn a_pipe_is_judged_and_its_points_counted() {
    let host = CheckedMachine::new(Machine::builder("a").build());
    let (look, change) = (lsblk::command(), Command::change("modprobe").arg("zfs"));
    host.pipe(&look, &Command::look("cat")).await.unwrap();
    assert_eq!(host.points(), []);
    host.pipe(&look, &change).await.unwrap();
    assert!(!host.points().is_empty());
    let forced = Command::change("zfs").args(["receive", "-F", "data/x"]);
    let judged = async move { host.pipe(&look, &forced).await };
    assert!(tokio::spawn(judged).await.is_err_and(|error| error.is_panic()));
}
