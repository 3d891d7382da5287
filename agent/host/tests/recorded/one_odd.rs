//! One odd item among many: the others are still reported, it is reported by name, and it never counts as free.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::disk::{Disk, DiskState, inventory};
use heeler_host::facts::pools;
use heeler_host::{
    Command, File, Glance, Job, JobState, Look, Output, RunError, System, UnitAction, UnitError, UnitState, blkid,
    findmnt, lsblk, zfs, zpool,
};

use crate::machine::{Recorded, SERIAL, output};

/// The recording with this name, with one change.
fn changed(name: &str, from: &str, to: &str) -> Output {
    let whole = output(name);
    assert!(whole.stdout.contains(from), "{name}: {from}");
    Output {
        stdout: whole.stdout.replacen(from, to, 1),
        ..whole
    }
}

fn of<'a>(disks: &'a [Disk], path: &str) -> &'a Disk {
    disks.iter().find(|disk| disk.kernel_path == path).unwrap()
}

#[tokio::test]
async fn an_odd_device_hides_no_other() {
    let blank = output("util-linux-2.41.5/lsblk-blank").stdout;
    let size = blank.lines().find(|line| line.contains("\"size\"")).unwrap();
    for odd in [
        "\"size\": -1,",
        "\"size\": 99999999999999999999999,",
        "\"size\": null,",
        "",
    ] {
        let mut machine = Recorded::new("blank");
        machine.answer(
            &lsblk::command(),
            changed("util-linux-2.41.5/lsblk-blank", size.trim(), odd),
        );
        let disks = inventory(&machine).await.unwrap().disks;
        assert_eq!(disks.len(), 3, "{odd}");
        let told: Vec<_> = disks
            .iter()
            .filter(|disk| disk.state.finding().contains("does not describe"))
            .collect();
        let system = disks
            .iter()
            .filter(|disk| matches!(disk.state, DiskState::System { .. }))
            .count();
        assert_eq!((told.len() <= 1, system), (true, 1), "{disks:?}");
        assert!(told.iter().all(|disk| !disk.kernel_path.is_empty()));
    }
}

#[tokio::test]
async fn an_odd_partition_leaves_its_disk_its_serial() {
    let name = "util-linux-2.41.5/lsblk-gpt-ext4";
    let mut machine = Recorded::new("gpt-ext4");
    let device = machine.device(SERIAL);
    let mut text = output(name);
    let at = text.stdout.find(&format!("\"kname\": \"{device}p1\"")).unwrap();
    let size = at + text.stdout[at..].find("\"size\"").unwrap();
    text.stdout.replace_range(size..size + 6, "\"gone\"");
    machine.answer(&lsblk::command(), text);
    let disks = inventory(&machine).await.unwrap().disks;
    let disk = of(&disks, &device);
    assert_eq!(disk.serial, SERIAL);
    assert!(
        disk.state.finding().contains("does not describe"),
        "{}",
        disk.state.finding()
    );
}

#[tokio::test]
async fn a_mount_without_target_still_marks_its_device() {
    let name = "util-linux-2.41.5/findmnt-ext4-mounted";
    let mut machine = Recorded::new("ext4-mounted");
    let lsblk = output("util-linux-2.41.5/lsblk-ext4-mounted");
    let stdout = lsblk.stdout.replace("\"/mnt\"", "null");
    machine.answer(&lsblk::command(), Output { stdout, ..lsblk });
    machine.answer(
        &findmnt::command(),
        changed(name, "\"target\": \"/mnt\"", "\"place\": 7"),
    );
    let disks = inventory(&machine).await.unwrap().disks;
    let disk = of(&disks, &machine.device(SERIAL));
    assert_eq!(disk.state.finding(), "mounted at an unknown place");
    machine.answer(
        &findmnt::command(),
        Output {
            stdout: "{\"filesystems\":[]}".into(),
            ..Output::default()
        },
    );
    assert!(inventory(&machine).await.is_err(), "nothing is mounted, not even /");
}

#[tokio::test]
async fn an_odd_dataset_is_there_and_unreadable() {
    let name = "zfs-2.3.9/zfs-list-mirror";
    let whole = Recorded::saying(output(name));
    let all = zfs::datasets(&whole).await.unwrap();
    for (from, to) in [
        ("\"type\":\"FILESYSTEM\"", "\"type\":null"),
        ("\"used\":", "\"unused\":"),
    ] {
        let machine = Recorded::saying(changed(name, from, to));
        let read = zfs::datasets(&machine).await.unwrap();
        assert_eq!(read.len(), all.len());
        let odd: Vec<_> = read.iter().filter(|one| one.kind == zfs::UNREADABLE).collect();
        assert_eq!(odd.len(), 1, "{from}");
        assert!(!odd[0].name.is_empty());
    }
}

#[tokio::test]
async fn an_odd_importable_pool_hides_no_other() {
    let good = output("zfs-2.3.9/zpool-import-list-exported");
    let odd = "   pool: \u{fffd}odd\n     id: -5\n  state: ONLINE\n config:\n\n\t\u{fffd}odd  ONLINE\n\t  new-type-0  WEIRD\n";
    for stdout in [
        format!("{odd}\n{}", good.stdout),
        format!("{}\n{odd}", good.stdout),
        format!("  state: ONLINE\n{}", good.stdout),
    ] {
        let pools = zpool::importable(&Recorded::saying(Output { stdout, ..good.clone() }))
            .await
            .unwrap();
        let states: Vec<_> = pools
            .iter()
            .map(|pool| (pool.name.as_str(), pool.state.as_str()))
            .collect();
        assert!(states.contains(&("data", "ONLINE")), "{states:?}");
        assert!(states.iter().any(|(_, state)| *state == "UNREADABLE"), "{states:?}");
    }
}

#[tokio::test]
async fn an_odd_error_count_is_not_overlooked() {
    let name = "zfs-2.3.9/zpool-status-mirror";
    for odd in ["-1", "99999999999999999999999"] {
        let machine = Recorded::saying(changed(name, "\"read_errors\":0", &format!("\"read_errors\":{odd}")));
        let pool = zpool::status(&machine).await.unwrap().remove(0);
        assert!(pool.legs.iter().all(|leg| leg.write_errors == 0));
        let machine = Recorded::saying(changed(name, "\"error_count\":0", &format!("\"error_count\":{odd}")));
        assert_eq!(zpool::status(&machine).await.unwrap()[0].errors, u64::MAX);
        let huge = changed(
            name,
            "\"total_space\":",
            "\"total_space\":18446744073709551615,\"was\":",
        );
        assert_eq!(
            zpool::status(&Recorded::saying(huge)).await.unwrap()[0].size_bytes,
            u64::MAX
        );
    }
}

#[tokio::test]
async fn an_odd_snapshot_hides_no_other() {
    let lines = "data/f@a\t1\t10\t1000\t5\t0\t-\n\
                 data/f@b\t2\t-11\t1001\t5\t0\t-\n\
                 data/f@\u{fffd}c\t3\n\
                 data/f@d\t4\t12\t99999999999999999\t5\t0\t-\n\
                 data/f@e\t5\t13\t1003\t99999999999999999999999\t0\t-\n\
                 data/f@g\t6\t14\t1004\t5\t0\t\n";
    let mut machine = Recorded::saying(Output::default());
    let answer = |text: &str| Output {
        stdout: text.to_owned(),
        ..Output::default()
    };
    machine.answer(&zfs::snapshots_command("data/f"), answer(lines));
    let marks = "data/f@a\theeler:class\thourly\ndata/f@g\theeler:class\n";
    machine.answer(&zfs::marks_command("data/f"), answer(marks));
    let read = zfs::snapshots(&machine, &["data/f"]).await.unwrap().remove(0);
    let read: Vec<_> = read.snapshots.unwrap();
    let names: Vec<_> = read
        .iter()
        .map(|one| (&*one.name, one.is_odd(), one.mark.is_some()))
        .collect();
    assert_eq!(
        names,
        [
            ("a", false, true),
            ("b", true, false),
            ("\u{fffd}c", true, false),
            ("d", true, false),
            ("e", true, false),
            ("g", false, false),
        ]
    );
    machine.answer(&zfs::snapshots_command("data/f"), answer("half a li"));
    assert!(
        zfs::snapshots(&machine, &["data/f"]).await.is_err(),
        "half a list is none"
    );
}

/// A machine where commands about one device, or ZFS's commands, never end.
struct Hanging {
    recorded: Recorded,
    /// A part of the command line, or a device that is read.
    at: String,
}

#[async_trait]
impl System for Hanging {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        if command.to_string().ends_with(&self.at) {
            return std::future::pending().await;
        }
        self.recorded.run(command).await
    }
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>> {
        if device == Path::new(self.at.trim_start_matches("read ")) {
            return std::future::pending().await;
        }
        self.recorded.first_data(device, places).await
    }
    async fn in_time(&self, _: &str, time: Duration, look: Look<'_>) {
        tokio::time::timeout(time, look).await.ok();
    }
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.recorded.read(path).await
    }
    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.recorded.mode(path).await
    }
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.recorded.resolve(path).await
    }
    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.recorded.list(path).await
    }
    async fn write(&self, file: &File) -> io::Result<()> {
        self.recorded.write(file).await
    }
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.recorded.append(path, bytes).await
    }
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.recorded.truncate(path, length).await
    }
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        self.recorded.set_parameter(path, value).await
    }
    async fn remove(&self, path: &Path) -> io::Result<()> {
        self.recorded.remove(path).await
    }
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        self.recorded.read_device(device, offset, length).await
    }
    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError> {
        self.recorded.unit_state(unit).await
    }
    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        self.recorded.unit(unit, action).await
    }
    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        self.recorded.start_job(job).await
    }
    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        self.recorded.forget_job(unit).await
    }
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        self.recorded.job_state(unit).await
    }
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        self.recorded.address_taken(interface, address).await
    }
    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        self.recorded.reboot(trial).await
    }
    fn now_ms(&self) -> u64 {
        0
    }
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_hangs_hides_no_other_and_is_named() {
    let device = Recorded::new("blank").device(SERIAL);
    for at in [blkid::command(&device).to_string(), format!("read {device}")] {
        let machine = Hanging {
            recorded: Recorded::new("blank"),
            at,
        };
        let begun = tokio::time::Instant::now();
        let glance = Glance::at(&machine);
        for _ in 0..3 {
            let disks = inventory(&glance).await.unwrap().disks;
            let told = of(&disks, &device).state.finding();
            assert_eq!(told, "not proven blank: this disk did not answer within 120 s");
            let blank = disks.iter().filter(|disk| disk.state == DiskState::Blank).count();
            assert_eq!((disks.len(), blank), (3, 1), "{disks:?}");
        }
        assert_eq!(begun.elapsed().as_secs(), 120, "one plan waits for it once");
    }
}

#[tokio::test]
async fn pools_are_named_while_zfs_does_not_answer() {
    let mut recorded = Recorded::new("active");
    let state = "/proc/spl/kstat/zfs/data/state";
    recorded.files.insert(state.into(), "SUSPENDED\n".into());
    recorded
        .files
        .insert("/proc/spl/kstat/zfs/arcstats".into(), String::new());
    recorded.late.push("zpool status");
    let found = inventory(&recorded).await.unwrap();
    let facts = pools(&recorded, &found.around).await;
    let names: Vec<_> = facts.unreadable.iter().map(|pool| pool.name.as_str()).collect();
    assert_eq!((facts.read.len(), names), (0, vec!["data"]));
    assert!(facts.unreadable[0].reason.contains("did not finish in 15 s"));
    assert!(
        found
            .disks
            .iter()
            .all(|disk| disk.serial.is_empty() || disk.state != DiskState::Blank)
    );
    recorded.files.clear();
    assert!(
        inventory(&recorded).await.is_err(),
        "nothing is said of pools that have no name"
    );
}
