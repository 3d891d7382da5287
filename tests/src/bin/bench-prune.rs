//! Cost of an agent on its node: `cargo xtask bench prune`. Coordinator and agent are separate processes as shipped,
//! with real mTLS. zfs and zpool are scripts that print recorded output of the real ones.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts programs and reads clocks: that is what it is for"
)]

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heeler_coordinator::pki::sha256;
use heeler_proto::v1;
use heeler_tests::agent_json;
use heeler_tests::served::{Figures, Served, of_process};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;

const PORT: u16 = 17_543;
const NODE: &str = "k8sctl-pi5l";
const DATASET: &str = "data/pve-files";
const SNAPSHOTS: u64 = 10_000;
/// Time for the look that follows a connection.
const SETTLE: Duration = Duration::from_secs(10);
/// Clock ticks a second in /proc/PID/stat: 100 (proc(5), sysconf(3)).
const TICKS_A_SECOND: f64 = 100.0;
const DAY_S: f64 = 86_400.0;

const POOLS: &str = include_str!("../../../agent/host/fixtures/zfs-2.3.9/zpool-status-mirror.stdout");
const PROPERTIES: &str = include_str!("../../../agent/host/fixtures/zfs-2.3.9/zpool-get-all-mirror.stdout");
const DATASETS: &str = include_str!("../../../agent/host/fixtures/zfs-2.3.9/zfs-list-mirror.stdout");
const VERSION: &str = include_str!("../../../agent/host/fixtures/zfs-2.3.9/zfs-version.stdout");

#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (heeler, agent) = (words.next().unwrap(), words.next().unwrap());
    let seconds: u64 = words.next().unwrap().parse().unwrap();
    let mut figures = Figures::default();
    let mut coordinator = Served::new(heeler.as_ref(), PORT);
    coordinator.start();
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let agent = Agent::start(&coordinator, agent.as_ref(), folder.path()).await;
    tokio::time::sleep(SETTLE).await;

    let before = agent.used();
    let began = Instant::now();
    let looked = coordinator
        .command(&["node", "discover", NODE])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (after, window_s) = (agent.used(), began.elapsed().as_secs_f64());
    assert!(looked.status.success(), "{}", String::from_utf8_lossy(&looked.stderr));
    let cpu = (after.ticks - before.ticks) as f64 / TICKS_A_SECOND / window_s * 100.0;
    let what = format!("idle for {window_s:.0} s with one look at the machine: CPU");
    figures.line(&what, cpu, 0.1, "%");
    let a_day = (after.written_bytes - before.written_bytes) as f64 / window_s * DAY_S / 1e6;
    figures.line("idle: written to the disk", a_day, 1.0, "MB a day");
    figures.line("idle: resident", agent.bytes("VmRSS") / 1e6, 10.0, "MB");

    let (took, said) = coordinator.took(&["--json", "snapshot", "prune", "--dry-run", NODE]);
    let going = said
        .matches("\"prune\":true")
        .count()
        .max(said.matches("\"prune\": true").count());
    assert!(
        going > 9_000,
        "{going} of {SNAPSHOTS} go: {}",
        &said[..said.len().min(500)]
    );
    let what = format!("prune plan over {SNAPSHOTS} snapshots, {going} of which go");
    figures.line(&what, took.as_secs_f64(), 1.0, "s");
    let what = "the same: the most that the agent was resident at any time";
    figures.line(what, agent.bytes("VmHWM") / 1e6, 10.0, "MB");
    figures.exit()
}

/// What a process has used so far.
struct Used {
    ticks: u64,
    written_bytes: u64,
}

struct Agent(Child);

impl Agent {
    /// Adds the agent as first contact does, and waits until it is connected. Its mount namespace has the folder's
    /// programs as /usr/sbin and the folder's root as /, with the real /proc, /sys and /dev.
    async fn start(coordinator: &Served, agent: &Path, folder: &Path) -> Self {
        let root = folder.join("root");
        let key = Command::new(agent)
            .arg("key")
            .arg("--root")
            .arg(&root)
            .output()
            .unwrap();
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(&key.stdout).unwrap();
        let mut operator = coordinator.operator().await;
        let request = v1::CreateTokenRequest {
            node: NODE.into(),
            key_sha256: sha256(&spki).to_vec(),
            host_key: "ssh-ed25519 SHA256:x".into(),
            reflashed: false,
        };
        let token = operator.create_token(request).await.unwrap().into_inner().token;
        let contact = v1::BeginContactRequest { node: NODE.into() };
        let contact = operator.begin_contact(contact).await.unwrap().into_inner();
        let config = agent_json(&contact, NODE).to_string();
        put(&root.join("etc/heeler/agent.json"), &config, 0o600);
        put(&root.join("etc/heeler/token"), &token, 0o600);
        let script = "mount --bind \"$1/programs\" /usr/sbin; \
            for part in proc sys dev; do mount --rbind /$part \"$1/root/$part\"; done; \
            exec \"$2\" run --root \"$1/root\"";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"]);
        command.arg(folder).arg(std::fs::canonicalize(agent).unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Self(command.spawn().unwrap());
        loop {
            let nodes = operator
                .list_nodes(v1::ListNodesRequest {})
                .await
                .unwrap()
                .into_inner()
                .nodes;
            if nodes.iter().any(|node| node.connected) {
                return running;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn bytes(&self, field: &str) -> f64 {
        of_process(self.0.id(), "status", field) as f64
    }

    fn used(&self) -> Used {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        // After the program's name, state is field 1, utime 12 and stime 13 (proc(5)).
        let behind = stat.rsplit_once(") ").unwrap().1;
        let ticks = behind
            .split(' ')
            .skip(11)
            .take(2)
            .map(|word| word.parse::<u64>().unwrap());
        Used {
            ticks: ticks.sum(),
            written_bytes: of_process(self.0.id(), "io", "write_bytes"),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Writes the node's programs and files: a healthy pool with more than a year of hourly snapshots, all of them ours.
fn prepare(folder: &Path) {
    let programs = folder.join("programs");
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (mut rows, mut marks) = (String::new(), String::new());
    for number in 0..SNAPSHOTS {
        let created_s = now_s / 3600 * 3600 - (SNAPSHOTS - number) * 3600;
        let name = format!("{DATASET}@heeler_{created_s}_hourly");
        let (guid, txg) = (17_465_792_935_085_122_023 - number, 10 + number * 700);
        writeln!(rows, "{name}\t{guid}\t{txg}\t{created_s}\t65536\t0\t-").unwrap();
        writeln!(marks, "{name}\theeler:class\thourly").unwrap();
    }
    put(&programs.join("rows"), &rows, 0o644);
    put(&programs.join("marks"), &marks, 0o644);
    put(&programs.join("pools"), POOLS, 0o644);
    put(&programs.join("properties"), PROPERTIES, 0o644);
    put(&programs.join("datasets"), DATASETS, 0o644);
    put(&programs.join("version"), VERSION, 0o644);
    let zfs = "case \"$*\" in *snapshot*userrefs*) exec cat /usr/sbin/rows;; get*) exec cat /usr/sbin/marks;; \
        \"list -j\"*) exec cat /usr/sbin/datasets;; version*) exec cat /usr/sbin/version;; esac";
    program(&programs, "zfs", zfs);
    let zpool = "case \"$1\" in status) exec cat /usr/sbin/pools;; get) exec cat /usr/sbin/properties;; esac";
    program(&programs, "zpool", zpool);
    // An unsynchronised clock: each round judges the snapshots and prunes none.
    program(&programs, "timedatectl", "echo NTPSynchronized=no");
    let root = folder.join("root");
    for part in ["proc", "sys", "dev"] {
        std::fs::create_dir_all(root.join(part)).unwrap();
    }
    let wanted = format!("heeler snapshots 1\n{DATASET}  24 hourly, 14 daily, 8 weekly\n");
    put(&root.join("var/lib/heeler-agent/schedule/snapshots"), &wanted, 0o600);
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    put(&root.join("etc/os-release"), &release, 0o644);
}

fn program(folder: &Path, name: &str, text: &str) {
    put(&folder.join(name), &format!("#!/bin/sh\n{text}\n"), 0o755);
}

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
