mod copies;
mod faults;
mod foreign;
mod time;

use std::sync::Arc;
use std::time::Duration;

use heeler_host::System;
use heeler_host::sim::{Loss, Machine};
use heeler_host::zfs::{Snapshot, snapshots};
use heeler_host::zpool::{self, NewPool};
use heeler_proto::{Keep, KeepSnapshots, SnapshotPolicy};
use heeler_tasks::engine::Event;
use heeler_tasks::snapshot::round::Run;
use heeler_tasks::snapshot::schedule::{self, Snapshots};

use super::memory;
use super::scheduler::{Scheduler, Turn};

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
pub const FILES: &str = "data/pve-files";
pub const MORE: &str = "data/more";

/// A machine with a pool, two datasets and a schedule.
pub struct Bench {
    pub machine: Machine,
    pub scheduler: Scheduler,
}

impl Bench {
    /// Keeps six hourly and three daily snapshots of both datasets.
    pub async fn new() -> Self {
        Self::keeping(Keep::new([0, 6, 3, 0, 0, 0], 0).unwrap()).await
    }

    pub async fn keeping(keep: Keep) -> Self {
        let machine = Machine::builder("a").blank("A").blank("B").build();
        let disk = |serial: &str| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}");
        let create = NewPool::new("data", "heeler:c/a", vec![disk("A"), disk("B")]).command();
        let args: Vec<&str> = create.args.iter().map(String::as_str).collect();
        assert_eq!(machine.by_hand("zpool", &args).stderr, "");
        for dataset in [FILES, MORE] {
            let mountpoint = format!("mountpoint=/{dataset}");
            assert_eq!(
                machine.by_hand("zfs", &["create", "-o", &mountpoint, dataset]).stderr,
                ""
            );
        }
        let policy = |dataset: &str| SnapshotPolicy {
            dataset: dataset.into(),
            keep,
        };
        let task = KeepSnapshots {
            policies: vec![policy(MORE), policy(FILES)],
        };
        let pools = vec![("data".to_owned(), zpool::status(&machine).await.unwrap()[0].guid)];
        let wanted = Snapshots { task, pools };
        machine.write(&schedule::snapshots_file(&wanted)).await.unwrap();
        let scheduler = Scheduler::open(Arc::new(machine.clone())).await;
        Self { machine, scheduler }
    }

    pub async fn turn(&mut self) -> Turn {
        let turn = self.scheduler.turn().await;
        self.scheduler.remember().await.unwrap();
        turn
    }

    /// Writes another schedule with these lines, for the accepted pool.
    pub fn schedule(&self, lines: &str) {
        let text = self.machine.file(schedule::SNAPSHOTS).unwrap();
        let text = String::from_utf8(text).unwrap();
        let guid = text.lines().find(|line| line.contains("  guid ")).unwrap();
        let text = format!("heeler snapshots 1\n{guid}\n{lines}");
        self.machine.put_file(schedule::SNAPSHOTS, text.as_bytes()).unwrap();
    }

    /// Runs turns as often as the schedule asks for.
    pub async fn live(&mut self, time: Duration) -> Vec<Run> {
        let end_ms = self.machine.now_ms() + u64::try_from(time.as_millis()).unwrap();
        let mut runs = Vec::new();
        while self.machine.now_ms() < end_ms {
            let turn = self.turn().await;
            runs.extend(self::runs(turn.events));
            self.machine.pass(turn.wake);
        }
        runs
    }

    /// Restarts the agent.
    pub async fn restart(&mut self) {
        self.scheduler = Scheduler::open(Arc::new(self.machine.clone())).await;
    }

    pub async fn snapshots(&self, dataset: &str) -> Vec<Snapshot> {
        let listing = snapshots(&self.machine, &[dataset]).await.unwrap().pop().unwrap();
        listing.snapshots.unwrap()
    }

    pub async fn names(&self, dataset: &str) -> Vec<String> {
        let snapshots = self.snapshots(dataset).await;
        snapshots.iter().map(|one| one.name.to_string()).collect()
    }

    pub fn type_zfs(&self, args: &[&str]) {
        let done = self.machine.by_hand("zfs", args);
        assert!(done.ok(), "{args:?}: {}", done.stderr);
    }

    /// A turn that is interrupted at a point, and the machine after it. False when the turn ended before.
    pub async fn cut_off(&mut self, point: u64, loss: Loss) -> bool {
        self.machine.lose_at(self.machine.points() + point, loss);
        let machine = self.machine.clone();
        let cut = tokio::select! {
            biased;
            _ = machine.lost() => true,
            _ = self.turn() => machine.loss().is_some(),
        };
        match loss {
            Loss::Power | Loss::Reboot => machine.boot(),
            Loss::Agent | Loss::AgentAndItsWork => machine.restart_agent(),
        }
        self.restart().await;
        cut
    }
}

pub fn runs(events: Vec<Event>) -> Vec<Run> {
    let run = |event| match event {
        Event::Snapshots(run) => Some(run),
        _ => None,
    };
    events.into_iter().filter_map(run).collect()
}

pub fn problems(runs: &[Run]) -> String {
    runs.iter()
        .flat_map(|run| run.problems.clone())
        .collect::<Vec<_>>()
        .join("; ")
}
