//! One node's power. A thread owns its qemu, starts it again after a reboot, and leaves it off after a shutdown.

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

use crate::accel::Accel;
use crate::control::NodeStatus;
use crate::firmware;
use crate::machine::{self, Network, Node};
use crate::qmp::Qmp;

const POLL: Duration = Duration::from_millis(20);
const TO_QMP: Duration = Duration::from_secs(20);
const UNPLUG: Duration = Duration::from_secs(30);

/// A node with its power button.
#[derive(Debug, Clone)]
pub struct Power {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug)]
struct State {
    node: Node,
    disks: Vec<Option<String>>,
    wanted: bool,
    starts: u32,
    problem: Option<String>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    qemu: Child,
    qmp: Qmp,
}

impl Power {
    /// A node that is off, with its thread.
    pub fn new(node: Node, accel: Accel) -> Self {
        let disks = node.serials().into_iter().map(Some).collect();
        let state = State {
            node,
            disks,
            wanted: false,
            starts: 0,
            problem: None,
            running: None,
        };
        let power = Self {
            shared: Arc::new((Mutex::new(state), Condvar::new())),
        };
        let owner = power.clone();
        thread::spawn(move || owner.own(accel));
        power
    }

    /// The node's description.
    pub fn node(&self) -> Node {
        self.lock().node.clone()
    }

    /// The node's state.
    pub fn status(&self) -> NodeStatus {
        let state = self.lock();
        NodeStatus {
            name: state.node.name.clone(),
            address: state.node.address(),
            running: state.running.is_some(),
            starts: state.starts,
            disks: state.disks.clone(),
        }
    }

    /// Switches on; returns once qemu runs. Fails when it cannot be started.
    pub fn start(&self) -> Result<()> {
        let mut state = self.lock();
        if state.running.is_some() {
            return Ok(());
        }
        (state.wanted, state.problem) = (true, None);
        self.shared.1.notify_all();
        let waiting = |state: &mut State| state.running.is_none() && state.problem.is_none();
        let (state, _) = self
            .shared
            .1
            .wait_timeout_while(state, TO_QMP * 2, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.problem {
            Some(problem) => Err(anyhow!("{} does not start: {problem}", state.node.name)),
            None if state.running.is_none() => Err(anyhow!("{} has not started", state.node.name)),
            None => Ok(()),
        }
    }

    /// Kills qemu: writes that are still in the guest are lost. Fails when it cannot be killed.
    pub fn cut(&self) -> Result<()> {
        let mut state = self.lock();
        state.wanted = false;
        if let Some(mut running) = state.running.take() {
            running.qemu.kill()?;
            running.qemu.wait()?;
        }
        Ok(())
    }

    /// Presses reset. Fails when the node is off.
    pub fn reset(&self) -> Result<()> {
        self.lock().qmp()?.execute("system_reset", &json!({})).map(drop)
    }

    /// Puts a disk into the lowest free slot. Fails when it is in the node already, or qemu refuses.
    pub fn attach(&self, serial: &str) -> Result<()> {
        let mut state = self.lock();
        if state.disks.iter().flatten().any(|there| there == serial) {
            bail!("{serial} is in {} already", state.node.name);
        }
        let slot = state
            .disks
            .iter()
            .position(Option::is_none)
            .unwrap_or(state.disks.len());
        if let Some(running) = &mut state.running {
            running.qmp.execute("blockdev-add", &machine::disk_backend(serial))?;
            let device = json!({
                "driver": "nvme", "id": machine::disk_id(serial), "drive": format!("blk-{serial}"),
                "serial": serial, "addr": machine::disk_address(slot),
            });
            running.qmp.execute("device_add", &device)?;
        }
        if slot == state.disks.len() {
            state.disks.push(None);
        }
        state.disks[slot] = Some(serial.to_owned());
        Ok(())
    }

    /// Takes a disk out; returns when the guest has released it. Fails when it is not in the node, or the guest does
    /// not release it.
    pub fn detach(&self, serial: &str) -> Result<()> {
        let mut state = self.lock();
        let slot = state.disks.iter().position(|there| there.as_deref() == Some(serial));
        let slot = slot.with_context(|| format!("no disk {serial} in {}", state.node.name))?;
        if let Some(running) = &mut state.running {
            let id = machine::disk_id(serial);
            running.qmp.execute("device_del", &json!({"id": id}))?;
            running
                .qmp
                .wait_for("DEVICE_DELETED", UNPLUG, |data| data["device"] == id.as_str())?;
            running
                .qmp
                .execute("blockdev-del", &json!({"node-name": format!("blk-{serial}")}))?;
        }
        state.disks[slot] = None;
        Ok(())
    }

    /// Takes a USB network card out, or plugs it into that port; returns when the guest has released it. Fails when the
    /// node is off, or qemu refuses.
    pub fn card(&self, network: Network, port: Option<u8>) -> Result<()> {
        let mut state = self.lock();
        let (tap, mac) = (state.node.tap(network), state.node.backplane_mac());
        let id = format!("nic-{tap}");
        let qmp = state.qmp()?;
        match port {
            None => {
                qmp.execute("device_del", &json!({"id": id}))?;
                qmp.wait_for("DEVICE_DELETED", UNPLUG, |data| data["device"] == id.as_str())?;
            }
            Some(port) => {
                let device = json!({
                    "driver": "usb-net", "id": id, "bus": "xhci.0", "port": port.to_string(), "netdev": tap, "mac": mac,
                });
                qmp.execute("device_add", &device)?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self, accel: Accel) {
        loop {
            let state = self.lock();
            let mut state = self
                .shared
                .1
                .wait_while(state, |state| !state.wanted)
                .unwrap_or_else(PoisonError::into_inner);
            match state.power_on(accel) {
                Ok(running) => {
                    state.running = Some(running);
                    state.starts += 1;
                }
                Err(problem) => (state.wanted, state.problem) = (false, Some(format!("{problem:#}"))),
            }
            self.shared.1.notify_all();
            drop(state);
            while self.lock().still_runs() {
                thread::sleep(POLL);
            }
        }
    }
}

impl State {
    fn qmp(&mut self) -> Result<&mut Qmp> {
        let name = &self.node.name;
        self.running
            .as_mut()
            .map(|running| &mut running.qmp)
            .with_context(|| format!("{name} is off; start it first"))
    }

    fn power_on(&self, accel: Accel) -> Result<Running> {
        let here = machine::folder(&self.node.name);
        let boot = firmware::power_on(&machine::card(&self.node.name), &here)?;
        let socket = here.join("qmp.sock");
        if socket.exists() {
            fs::remove_file(&socket)?;
        }
        let log = here.join("qemu.log");
        let mut command = machine::command(&self.node, accel, &boot, &self.disks);
        command
            .stdin(std::process::Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let mut qemu = command.spawn().context("cannot start qemu")?;
        match connect(&mut qemu, &socket, &log) {
            Ok(qmp) => Ok(Running { qemu, qmp }),
            Err(error) => {
                qemu.kill()?;
                qemu.wait()?;
                Err(error)
            }
        }
    }

    /// Whether qemu still runs. When it has ended, a reset starts it again and a shutdown does not.
    fn still_runs(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        if matches!(running.qemu.try_wait(), Ok(None)) {
            return true;
        }
        let reason = self.running.take().and_then(|running| running.qmp.last_words());
        self.wanted = reason.is_some_and(|reason| reason.ends_with("reset"));
        false
    }
}

fn connect(qemu: &mut Child, socket: &Path, log: &Path) -> Result<Qmp> {
    let until = Instant::now() + TO_QMP;
    loop {
        match Qmp::connect(socket) {
            Ok(qmp) => return Ok(qmp),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => {}
        }
        if let Some(status) = qemu.try_wait()? {
            bail!(
                "qemu ended ({status}): {}",
                fs::read_to_string(log).unwrap_or_default().trim()
            );
        }
        thread::sleep(POLL);
    }
}
