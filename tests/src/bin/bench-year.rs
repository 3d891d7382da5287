//! A year of an agent whose coordinator is away, in about a minute: `cargo xtask bench prune`. The agent is real; its
//! machine and the time are simulated.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use heeler_agent::{Agent, Config, Notify};
use heeler_host::System as _;
use heeler_host::sim::{Machine, Pace};
use heeler_host::zpool::{self, NewPool};
use heeler_host::{Content, File, zfs};
use heeler_proto::v1;
use heeler_tests::agent_json;
use heeler_tests::served::{Figures, of_process};
use rcgen::{CertificateParams, KeyPair};

const DAY: Duration = Duration::from_secs(24 * 3600);
const MONTH: usize = 30;
/// Within the first quarter the queue of events reaches its bound; then they are summed up.
const QUARTER: usize = 91;
const YEAR: usize = 4 * QUARTER;
/// Smallest write of a disk, in bytes.
const BLOCK: u64 = 4096;
const SNAPSHOTS: &str = "/var/lib/heeler-agent/schedule/snapshots";
const SCRUBS: &str = "/var/lib/heeler-agent/schedule/scrubs";

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> ExitCode {
    let machine = machine().await;
    let agent = Agent::new(config(), Arc::new(machine.clone()), Notify::default());
    let agent = agent.await.unwrap();
    tokio::select! {
        () = agent.run(std::future::pending()) => ExitCode::FAILURE,
        figures = year(&machine) => figures.exit(),
    }
}

async fn year(machine: &Machine) -> Figures {
    let (mut figures, mut written, mut resident) = (Figures::default(), 0, Vec::new());
    for _ in 0..YEAR {
        tokio::time::sleep(DAY).await;
        written += machine
            .log()
            .iter()
            .map(|entry| blocks(machine, &entry.what))
            .sum::<u64>();
        machine.clear_log();
        resident.push(of_process(std::process::id(), "status", "VmRSS") as f64 / 1e6);
    }
    let listing = zfs::snapshots(machine, &["data/pve-files"]).await.unwrap().pop();
    let left = listing.unwrap().snapshots.unwrap();
    // One snapshot may serve several classes.
    for (class, wanted) in [("hourly", 24), ("daily", 14), ("weekly", 8), ("monthly", 6)] {
        let mark = |one: &zfs::Snapshot| one.mark.as_ref().is_some_and(|mark| mark.contains(class));
        let there = left.iter().filter(|one| mark(one)).count();
        assert!(there >= wanted && left.len() < 80, "{there} {class} of {}", left.len());
    }
    let a_day = (written * BLOCK) as f64 / YEAR as f64 / 1e6;
    figures.line(
        "a year without the coordinator: written to the disk",
        a_day,
        1.0,
        "MB a day",
    );
    // Memory varies from day to day with the allocator, so months are compared.
    let mean = |days: &[f64]| days.iter().sum::<f64>() / days.len() as f64;
    let (month, second, last) = (
        mean(&resident[..MONTH]),
        mean(&resident[QUARTER..2 * QUARTER]),
        mean(&resident[3 * QUARTER..]),
    );
    let what = format!(
        "the same: resident in the last quarter, beyond the {second:.1} MB of the second ({month:.1} in the first month)"
    );
    figures.line(&what, last - second, 0.5, "MB");
    figures
}

/// Blocks that the disk writes for this log entry.
fn blocks(machine: &Machine, what: &str) -> u64 {
    match what.split_once(' ') {
        Some(("write", path)) => machine
            .file(path)
            .map_or(1, |bytes| (bytes.len() as u64).div_ceil(BLOCK).max(1)),
        Some(("append" | "truncate" | "remove", _)) => 1,
        _ => 0,
    }
}

async fn machine() -> Machine {
    let pace = Pace::Live {
        program: Duration::ZERO,
        haste: 1,
    };
    let machine = Machine::builder("a").blank("A").blank("B").pace(pace).build();
    let disk = |serial: &str| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}");
    let create = NewPool::new("data", "heeler:c/a", vec![disk("A"), disk("B")]).command();
    assert!(machine.run(&create).await.unwrap().ok());
    let made = machine.by_hand("zfs", &["create", "-o", "mountpoint=/data/pve-files", "data/pve-files"]);
    assert!(made.ok(), "{}", made.stderr);
    let guid = zpool::status(&machine).await.unwrap()[0].guid;
    let keep = "data/pve-files  24 hourly, 14 daily, 8 weekly, 6 monthly";
    for (path, text) in [
        (SNAPSHOTS, format!("heeler snapshots 1\ndata  guid {guid}\n{keep}\n")),
        (
            SCRUBS,
            "heeler scrubs 1\ndata  day 1 of each month, 03:00 UTC\n".to_owned(),
        ),
    ] {
        let file = File {
            path: path.into(),
            content: Content::Plain(text.into()),
            mode: 0o600,
        };
        machine.write(&file).await.unwrap();
    }
    machine
}

/// A node that was never enrolled, and has no token.
fn config() -> Config {
    let key = KeyPair::generate().unwrap();
    let contact = v1::BeginContactReply {
        addresses: vec!["10.10.80.1:7443".into()],
        enrolment_port: 7444,
        ca_certificate: CertificateParams::default().self_signed(&key).unwrap().pem(),
        operators: vec![v1::OperatorKey {
            name: "me".into(),
            public_key_pem: key.public_key_pem(),
        }],
        ..v1::BeginContactReply::default()
    };
    Config::parse(agent_json(&contact, "a").to_string().as_bytes()).unwrap()
}
