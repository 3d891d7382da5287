//! The undo and the agent both decide about the same change, in every order of their calls.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use heeler_host::guard::{self, Armed, End, GuardState, Undoing, Way, Written};
use heeler_host::sim::Machine;
use heeler_host::{Command, File, Job, JobState, Output, RunError, System, UnitAction, UnitError, UnitState};

use crate::{node, now};

const NEW: &str = "/etc/netplan/80-new.yaml";

/// The same machine, where each call first waits once.
struct Slow(Machine);

async fn turn() {
    tokio::task::yield_now().await;
}

#[async_trait]
impl System for Slow {
    async fn run(&self, command: &Command) -> Result<Output, RunError> {
        turn().await;
        self.0.run(command).await
    }
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        turn().await;
        self.0.read(path).await
    }
    async fn mode(&self, path: &Path) -> io::Result<u32> {
        self.0.mode(path).await
    }
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.resolve(path).await
    }
    async fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        turn().await;
        self.0.list(path).await
    }
    async fn write(&self, file: &File) -> io::Result<()> {
        turn().await;
        self.0.write(file).await
    }
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.append(path, bytes).await
    }
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.0.truncate(path, length).await
    }
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()> {
        self.0.set_parameter(path, value).await
    }
    async fn remove(&self, path: &Path) -> io::Result<()> {
        turn().await;
        self.0.remove(path).await
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
        turn().await;
        self.0.unit(unit, action).await
    }
    async fn start_job(&self, job: &Job) -> Result<(), UnitError> {
        self.0.start_job(job).await
    }
    async fn forget_job(&self, unit: &str) -> Result<(), UnitError> {
        self.0.forget_job(unit).await
    }
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError> {
        self.0.job_state(unit).await
    }
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>> {
        self.0.address_taken(interface, address).await
    }
    async fn reboot(&self, trial: bool) -> Result<(), UnitError> {
        self.0.reboot(trial).await
    }
    fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }
    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }
}

/// A machine with a pending change.
fn changed() -> (Machine, Armed) {
    let machine = node().build();
    let way = Way {
        change: "a card".into(),
        address: "10.10.99.50".into(),
        name: "backplane0".into(),
        old_name: "backplane0".into(),
        files: vec![PathBuf::from(NEW)],
        written: Written::Netplan,
        units: Vec::new(),
        router: None,
        at_boot: false,
    };
    now(guard::arm(&machine, &way)).expect("returns").expect("armed");
    machine.put_file(NEW, b"network: {}\n").expect("written");
    match now(guard::state(&machine)).expect("returns").expect("read") {
        GuardState::Armed(armed) => (machine, armed),
        other => panic!("{other:?}"),
    }
}

fn confirm(machine: &Machine, armed: &Armed) -> bool {
    now(guard::confirm(machine, &armed.id))
        .expect("returns")
        .expect("written")
}

/// Makes at most this many calls; returns the result when that is the end.
fn calls<T>(work: &mut Pin<&mut impl Future<Output = T>>, count: usize) -> Option<T> {
    for _ in 0..count {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
    }
    None
}

#[test]
fn a_change_is_either_confirmed_or_undone() {
    const ALL: usize = 60;
    for first in 0..24 {
        for then in 0..16 {
            for confirmed_after in [None, Some(0), Some(3), Some(6), Some(9)] {
                let at = format!("{first} calls of the undo, {then} of the agent, confirmed after {confirmed_after:?}");
                let (machine, armed) = changed();
                let slow = Slow(machine.clone());
                let late = |calls| confirmed_after == Some(calls) && confirm(&machine, &armed);
                let before = confirmed_after.is_none() && confirm(&machine, &armed);
                let mut undo = pin!(guard::undo(&slow));
                let mut undone = None;
                for so_far in 0..first {
                    late(so_far);
                    undone = undone.or_else(|| calls(&mut undo, 1));
                    if undone.is_some() {
                        break;
                    }
                }
                let mut settle = pin!(guard::settle(&slow, &armed.id));
                let mut end = calls(&mut settle, then);
                if undone.is_none() {
                    undone = calls(&mut undo, ALL);
                }
                let undone = undone.expect(&at).expect(&at);
                end = end.or_else(|| calls(&mut settle, ALL));
                let end = match end.expect(&at).expect(&at) {
                    End::Open => now(guard::settle(&machine, &armed.id)).expect(&at).expect(&at),
                    end => end,
                };
                let stays = machine.file(NEW).is_some();
                assert_eq!(stays, end == End::Confirmed, "{at}: {end:?}, {undone:?}");
                assert_eq!(stays, !matches!(undone, Undoing::Done(_)), "{at}: {undone:?}");
                assert!(stays || !before, "{at}: it was confirmed before the undo began");
            }
        }
    }
}

#[test]
fn a_confirmed_change_survives_a_power_cut() {
    let undone = |cut: Option<u64>| {
        let (machine, armed) = changed();
        assert!(confirm(&machine, &armed));
        if let Some(at) = cut {
            machine.cut_power_at(machine.points() + at);
        }
        let from = machine.points();
        let done = now(guard::undo(&machine));
        (machine.points() - from, machine, done)
    };
    let (points, ..) = undone(None);
    assert!(points > 4, "there is something to cut: {points}");
    for at in 0..points {
        let (_, machine, done) = undone(Some(at));
        if done.is_none() {
            machine.boot();
            now(guard::undo(&machine)).expect("returns").expect("undone");
        }
        assert!(machine.file(NEW).is_some(), "put back, cut at {at}");
        let state = now(guard::state(&machine)).expect("returns").expect("read");
        assert_eq!(state, GuardState::Idle, "cut at {at}");
    }
}

#[test]
fn an_interrupted_undo_is_finished_despite_a_confirmation() {
    let (machine, armed) = changed();
    let slow = Slow(machine.clone());
    {
        let mut undo = pin!(guard::undo(&slow));
        for _ in 0..100 {
            assert!(calls(&mut undo, 1).is_none(), "it ends without touching the file");
            if machine.file(NEW).is_none() {
                break;
            }
        }
    }
    confirm(&machine, &armed);
    let done = now(guard::undo(&machine)).expect("returns").expect("undone");
    assert!(matches!(done, Undoing::Done(_)), "{done:?}");
    assert_eq!(machine.file(NEW), None);
}
