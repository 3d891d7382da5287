//! A guest starts and stops. The switch `qemu-fails` is what qemu says when it does not start; with the switch
//! `guest-agent` a guest answers, and shuts down when it is asked.

use super::conf::Conf;
use super::drive::Drive;
use super::{disks, set, state};
use crate::call::{Call, Fault};
use crate::task;

pub fn run(call: &mut Call, verb: &str, id: &str) -> task::Ended {
    task::run(call, &format!("qm{verb}"), id, |call| match verb {
        "start" => start(call, id),
        "stop" => {
            exists(call, id)?;
            state::stop(call, id);
            Ok(())
        }
        "shutdown" => shut_down(call, id),
        "reboot" => {
            ask_to_end(call, id)?;
            start(call, id)
        }
        _ => {
            exists(call, id)?;
            needs_running(call, id)?;
            match verb {
                "suspend" => state::pause(call, id),
                "resume" => state::resume(call, id),
                _ => {}
            }
            Ok(())
        }
    })
}

fn exists(call: &Call, id: &str) -> Result<Conf, Fault> {
    let missing = format!("unable to find configuration file for VM {id} on node '{}'", call.node);
    Conf::load(call, id).map_err(|_| Fault::died(missing))
}

fn needs_running(call: &Call, id: &str) -> Result<(), Fault> {
    let stopped = || Fault::new(2, format!("VM {id} is not running"));
    if state::is_running(call, id) {
        Ok(())
    } else {
        Err(stopped())
    }
}

fn start(call: &mut Call, id: &str) -> Result<(), Fault> {
    let mut conf = Conf::load(call, id).map_err(|fault| Fault::died(fault.text))?;
    set::needs_no_lock(&conf)?;
    if state::is_running(call, id) {
        return Err(Fault::died(format!("VM {id} already running")));
    }
    let changed = !conf.pending.is_empty();
    let pending = std::mem::take(&mut conf.pending);
    conf.now.extend(pending);
    if changed {
        conf.save(call, id)?;
    }
    fits_host(call, &conf)?;
    if let Some(said) = call.switch("qemu-fails") {
        let arch = if disks::is_arm(&conf) { "aarch64" } else { "x86_64" };
        let program = if arch == host(call) {
            "kvm".to_owned()
        } else {
            format!("qemu-system-{arch}")
        };
        call.out += &format!("{program}: {said}\n");
        return Err(Fault::died("start failed: QEMU exited with code 1"));
    }
    state::start(call, id);
    Ok(())
}

/// The architecture of this machine; the switch `architecture` names a recorded one.
fn host(call: &Call) -> String {
    call.switch("architecture")
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Processor, KVM and bridges, in the order in which the real program looks.
fn fits_host(call: &Call, conf: &Conf) -> Result<(), Fault> {
    let arch = if disks::is_arm(conf) { "aarch64" } else { "x86_64" };
    let is_native = arch == host(call);
    if !is_native && conf.get("cpu") == Some("host") {
        let problem = "CPU model 'host' does not exist for configured vCPU architecture";
        return Err(Fault::died(format!("{problem} '{arch}'")));
    }
    if is_native && conf.number("kvm", 1) == 1 && !call.place("/dev/kvm").exists() {
        let advice = "Either disable in VM configuration or enable in BIOS.";
        return Err(Fault::died(format!(
            "KVM virtualisation configured, but not available. {advice}"
        )));
    }
    for (_, value) in conf.now.iter().filter(|(name, _)| name.starts_with("net")) {
        let card = Drive::parse(value);
        let missing = |bridge: &&String| !call.place(&format!("/sys/class/net/{bridge}")).exists();
        if let Some(bridge) = card.options.get("bridge").filter(missing) {
            return Err(Fault::died(format!("bridge '{bridge}' does not exist")));
        }
    }
    Ok(())
}

/// The command line of qemu is no double's business; what stands against it is.
pub fn showcmd(call: &Call, id: &str) -> Result<(), Fault> {
    let conf = Conf::load(call, id)?;
    fits_host(call, &conf)?;
    Err(Fault::died("double of qm showcmd: not built yet"))
}

/// A guest that is not there is told twice, one that is stopped is no failure.
fn shut_down(call: &mut Call, id: &str) -> Result<(), Fault> {
    exists(call, id).map_err(|fault| Fault::died(format!("{0}\n\n{0}", fault.text)))?;
    if !state::is_running(call, id) {
        call.late += &format!("VM {id} not running\n\n");
        return Ok(());
    }
    ask_to_end(call, id)
}

fn ask_to_end(call: &mut Call, id: &str) -> Result<(), Fault> {
    let conf = exists(call, id)?;
    needs_running(call, id)?;
    if call.switch("guest-agent").is_some() {
        state::stop(call, id);
        return Ok(());
    }
    if conf
        .get("agent")
        .is_some_and(|agent| agent.starts_with("enabled=1") || agent.starts_with('1'))
    {
        call.out +=
            &format!("QEMU Guest Agent is not running - VM {id} qga command 'guest-ping' failed - got timeout\n");
    }
    call.wait(3);
    Err(Fault::died("VM quit/powerdown failed - got timeout"))
}

pub fn ask_guest(call: &Call, id: &str) -> Result<(), Fault> {
    Conf::load(call, id)?;
    needs_running(call, id)?;
    if call.switch("guest-agent").is_some() {
        return Ok(());
    }
    call.wait(3);
    Err(Fault::died("QEMU guest agent is not running"))
}
