use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::{Command, File, Job, JobState, Output, RunError, System, UnitAction, UnitError, UnitState};

/// Serial of the disk whose states were recorded.
pub const SERIAL: &str = "S6XNNS0W100001";

/// A read-only machine that answers with the recordings of one state of its first disk.
pub struct Recorded {
    /// Outputs by command as typed.
    pub answers: BTreeMap<String, Output>,
    /// The output of every other command.
    pub otherwise: Option<Output>,
    /// Programs that are not installed.
    pub missing: Vec<&'static str>,
    /// Prefixes of commands that exceed their time limit.
    pub late: Vec<&'static str>,
    /// Bytes that are not zero, by device and offset.
    pub bytes: Vec<(PathBuf, u64)>,
    /// Contents of files, by path.
    pub files: BTreeMap<PathBuf, String>,
    links: BTreeMap<PathBuf, PathBuf>,
}

/// The number after `key` in the recording with this name.
pub fn number(name: &str, key: &str) -> u64 {
    let text = output(name).stdout;
    let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(key));
    lines.next().unwrap().trim().parse().unwrap()
}

/// Guid of the recorded pool `data`.
pub fn guid() -> u64 {
    number("zfs-2.3.9/zpool-get-guid", "")
}

/// The recording with this name: exit code and both outputs.
pub fn output(name: &str) -> Output {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let part = |suffix: &str| {
        let path = path.with_file_name(format!("{}.{suffix}", path.file_name().unwrap().to_string_lossy()));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Output {
        code: part("rc").trim().parse().unwrap(),
        stdout: part("stdout"),
        stderr: part("stderr"),
    }
}

fn is_recorded(name: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(format!("{name}.rc"))
        .exists()
}

impl Recorded {
    /// The machine while its first disk was in `state`.
    pub fn new(state: &str) -> Self {
        Self::looking_at(SERIAL, state)
    }

    /// The machine while the disk with this serial was in `state`.
    pub fn looking_at(looked_at: &str, state: &str) -> Self {
        let mut machine = Self {
            otherwise: None,
            ..Self::saying(Output::default())
        };
        let lsblk = output(&format!("util-linux-2.41.5/lsblk-{state}"));
        let disks = disks(&lsblk);
        machine.answer(&heeler_host::lsblk::command(), lsblk);
        for (index, (serial, device, partitions)) in disks.iter().enumerate() {
            let ours = serial == looked_at;
            let by_id = format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}");
            machine.link(&by_id, device);
            machine.link(&format!("{by_id}_1"), device);
            let name = device.trim_start_matches("/dev/");
            let address = format!("/sys/devices/pci0000:00/0000:00:0{}.0/nvme/nvme{index}", index + 4);
            machine.link(&format!("/sys/class/block/{name}/device"), &address);
            machine.probes(device, if ours { state } else { "blank" }, "");
            for (number, partition) in (1..).zip(partitions) {
                machine.link(&format!("{by_id}-part{number}"), partition);
                let recorded = ours && is_recorded(&format!("util-linux-2.41.5/wipefs-{state}-part{number}"));
                let (state, suffix) = if recorded {
                    (state, format!("-part{number}"))
                } else {
                    ("blank", String::new())
                };
                machine.probes(partition, state, &suffix);
            }
        }
        let listing = output(&format!("zfs-2.3.9/zpool-import-list-{state}"));
        machine.answer(&heeler_host::zpool::importable_command(), listing);
        for (command, name) in [
            (heeler_host::zfs::version_command(), "zfs-2.3.9/zfs-version".to_owned()),
            (heeler_host::zpool::status_command(), status(state)),
            (heeler_host::findmnt::command(), mounts(state)),
            (
                heeler_host::zfs::property_command("available", "data"),
                "zfs-2.3.9/zfs-version-no-module".to_owned(),
            ),
            (
                heeler_host::findmnt::root_command(),
                "zfs-2.3.9/zfs-version-no-module".to_owned(),
            ),
        ] {
            machine.answer(&command, output(&name));
        }
        machine
    }

    /// A machine that answers everything with the same output.
    pub fn saying(output: Output) -> Self {
        Self {
            answers: BTreeMap::new(),
            otherwise: Some(output),
            missing: Vec::new(),
            late: Vec::new(),
            bytes: Vec::new(),
            files: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    fn probes(&mut self, device: &str, state: &str, suffix: &str) {
        let of = |program: &str| output(&format!("{program}-{state}{suffix}"));
        self.answer(&heeler_host::wipefs::command(device), of("util-linux-2.41.5/wipefs"));
        self.answer(&heeler_host::blkid::command(device), of("util-linux-2.41.5/blkid"));
        self.answer(&heeler_host::zdb::labels_command(device), of("zfs-2.3.9/zdb-label"));
    }

    /// The kernel's path of the disk with this serial.
    pub fn device(&self, serial: &str) -> String {
        let by_id = format!("/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_{serial}");
        self.links[Path::new(&by_id)].display().to_string()
    }

    /// Sets the output of a command.
    pub fn answer(&mut self, command: &Command, output: Output) {
        self.answers.insert(command.to_string(), output);
    }

    /// Adds a symbolic link, or a name below `/dev/disk/by-id`.
    pub fn link(&mut self, from: &str, to: &str) {
        self.links.insert(from.into(), to.into());
    }
}

fn status(state: &str) -> String {
    let own = format!("zfs-2.3.9/zpool-status-{state}");
    match state {
        "active" => "zfs-2.3.9/zpool-status-mirror".to_owned(),
        "stale-leg" => "zfs-2.3.9/zpool-status-leg-returned".to_owned(),
        // This was recorded after the import that followed the look.
        "leg-missing" | "leg-wiped" => "zfs-2.3.9/zpool-status-no-pool".to_owned(),
        _ if is_recorded(&own) => own,
        _ => "zfs-2.3.9/zpool-status-no-pool".to_owned(),
    }
}

fn mounts(state: &str) -> String {
    match state {
        "ext4-mounted" | "active" => format!("util-linux-2.41.5/findmnt-{state}"),
        _ => "util-linux-2.41.5/findmnt".to_owned(),
    }
}

/// Serial, device and partitions of each NVMe disk that lsblk lists.
fn disks(lsblk: &Output) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let value: serde_json::Value = serde_json::from_str(&lsblk.stdout).unwrap();
    let devices = value["blockdevices"].as_array().unwrap();
    let parts = |device: &serde_json::Value| {
        let children = device["children"].as_array().into_iter().flatten();
        let parts = children.filter(|child| child["type"] == "part");
        parts.map(|part| text(part, "kname")).collect()
    };
    let of = |device| (text(device, "serial"), text(device, "kname"), parts(device));
    let mut disks: Vec<_> = devices.iter().filter(|one| one["type"] == "disk").map(of).collect();
    disks.sort();
    disks
}

fn absent() -> io::Error {
    io::ErrorKind::NotFound.into()
}

#[async_trait]
impl System for Recorded {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        if self.missing.contains(&command.program) {
            return Err(RunError::Missing {
                program: command.program,
            });
        }
        let typed = command.to_string();
        if self.late.iter().any(|begin| typed.starts_with(begin)) {
            return Err(RunError::timeout(command));
        }
        let answer = self.answers.get(&typed).or(self.otherwise.as_ref());
        Ok(answer
            .unwrap_or_else(|| panic!("nothing is recorded for {command}"))
            .clone())
    }
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let text = self.files.get(path).ok_or_else(absent)?;
        Ok(text.as_bytes().to_vec())
    }
    async fn mode(&self, _: &Path) -> io::Result<u32> {
        Err(absent())
    }
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.links.get(path).cloned().ok_or_else(absent)
    }
    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let inside = self.links.keys().chain(self.files.keys());
        let inside = inside.filter_map(|link| link.strip_prefix(path).ok());
        let first = inside.filter_map(|name| name.iter().next()?.to_str().map(str::to_owned));
        let names: Vec<String> = first.collect::<BTreeSet<_>>().into_iter().collect();
        if names.is_empty() { Err(absent()) } else { Ok(names) }
    }
    async fn write(&self, _: &File) -> io::Result<()> {
        panic!("a look changes nothing")
    }
    async fn append(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        panic!("a look changes nothing")
    }
    async fn truncate(&self, _: &Path, _: u64) -> io::Result<()> {
        panic!("a look changes nothing")
    }
    async fn set_parameter(&self, _: &Path, _: &str) -> io::Result<()> {
        panic!("a look changes nothing")
    }
    async fn remove(&self, _: &Path) -> io::Result<()> {
        panic!("a look changes nothing")
    }
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        for (_, at) in self.bytes.iter().filter(|(on, _)| on == device) {
            if let Some(at) = at.checked_sub(offset).filter(|at| *at < length as u64) {
                bytes[at as usize] = 1;
            }
        }
        Ok(bytes)
    }
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        let on = |(from, to): &(u64, u64)| {
            let on = self
                .bytes
                .iter()
                .filter(|(on, at)| on == device && (*from..*to).contains(at));
            on.map(|(_, at)| *at).min()
        };
        Ok(places.iter().find_map(on))
    }
    async fn unit_state(&self, _: &str) -> Result<UnitState, UnitError> {
        Ok(UnitState::default())
    }
    async fn unit(&self, _: &str, _: UnitAction) -> Result<(), UnitError> {
        panic!("a look changes nothing")
    }
    async fn start_job(&self, _: &Job) -> Result<(), UnitError> {
        panic!("a look changes nothing")
    }
    async fn forget_job(&self, _: &str) -> Result<(), UnitError> {
        Ok(())
    }
    async fn job_state(&self, _: &str) -> Result<JobState, UnitError> {
        Ok(JobState::Unknown)
    }
    async fn address_taken(&self, _: &str, _: Ipv4Addr) -> io::Result<Option<String>> {
        Ok(None)
    }
    async fn reboot(&self, _: bool) -> Result<(), UnitError> {
        panic!("a look changes nothing")
    }
    fn now_ms(&self) -> u64 {
        0
    }
    async fn sleep(&self, _: Duration) {}
}
