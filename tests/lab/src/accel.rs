//! Whether this machine can run guests with KVM.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cache;
use crate::firmware::Boot;
use crate::run::program;

/// How qemu runs a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    /// With KVM.
    Kvm,
    /// By emulation, about twenty times slower.
    Tcg,
}

const PROBE: Duration = Duration::from_secs(8);

impl Accel {
    /// Options for qemu's command line. In emulation a second processor costs more than it brings, and ZFS benchmarks
    /// every vector instruction set when it is loaded, so an old CPU model loads faster.
    pub fn arguments(self) -> [&'static str; 6] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host", "-smp", "2"],
            Self::Tcg => ["-accel", "tcg", "-cpu", "Westmere", "-smp", "1"],
        }
    }

    /// What the lab's firmware adds to the kernel's command line, as a Pi's firmware adds its own. In emulation a
    /// device may need minutes to appear, and systemd gives up after 90 s; and the timer of a loaded machine ticks
    /// too late for the kernel's check. qemu 7.2 sometimes loses the doorbell of an NVMe queue; the kernel would wait
    /// 60 s before it tries again.
    pub fn patience(self) -> &'static str {
        match self {
            Self::Kvm => "",
            Self::Tcg => {
                " no_timer_check nvme_core.io_timeout=4 systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900"
            }
        }
    }

    /// `$HEELER_LAB_ACCEL` (`kvm` or `tcg`) when set. Otherwise starts the node's kernel without a root file system.
    /// With KVM it panics within two seconds; where /dev/kvm exists but does not work, it never starts. The result is
    /// kept until this machine reboots. Fails when the cache cannot be written.
    pub fn of_this_machine(boot: &Boot) -> Result<Self> {
        match std::env::var("HEELER_LAB_ACCEL").as_deref() {
            Ok("kvm") => return Ok(Self::Kvm),
            Ok("tcg") => return Ok(Self::Tcg),
            _ => {}
        }
        if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
            return Ok(Self::Tcg);
        }
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let folder = cache::folder()?;
        let _lock = cache::lock(&folder, "kvm")?;
        let known = folder.join("kvm");
        let remembered = fs::read_to_string(&known).unwrap_or_default();
        if let Some(answer) = remembered.strip_prefix(boot_id.trim()) {
            return Ok(if answer == " works" { Self::Kvm } else { Self::Tcg });
        }
        let works = kernel_panics(&boot.kernel)?;
        fs::write(
            &known,
            format!("{} {}", boot_id.trim(), if works { "works" } else { "does not" }),
        )?;
        Ok(if works { Self::Kvm } else { Self::Tcg })
    }
}

fn kernel_panics(kernel: &Path) -> Result<bool> {
    let mut probe = program(
        "qemu-system-x86_64",
        [
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-m",
            "256",
        ],
    );
    probe
        .args(Accel::Kvm.arguments())
        .arg("-kernel")
        .arg(kernel)
        .args(["-append", "panic=-1 quiet"]);
    let mut guest = probe
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start qemu")?;
    let ended = ends_well_within(&mut guest, PROBE);
    // It may have ended already.
    let _ = guest.kill();
    guest.wait()?;
    ended
}

fn ends_well_within(guest: &mut Child, limit: Duration) -> Result<bool> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = guest.try_wait()? {
            return Ok(status.success());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}
