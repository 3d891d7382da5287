//! What an idle agent costs its node: resident memory and wake-ups.

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::run;

/// Wait after the session opens, in seconds: the agent looks at its machine then.
const SETTLE_S: u64 = 15;

/// Most resident memory of an idle agent: 6 MB.
const GATE_BYTES: u64 = 6_000_000;

/// An idle agent wakes up at most once in this many seconds.
const QUIET_S: u64 = 10;

/// The lab's nodes are x86-64. Static like the shipped agent, but with glibc: not every machine has the musl target.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const STATIC: &str = "-Ctarget-feature=+crt-static -Cforce-unwind-tables=no";

/// Installs a release build of the agent on a node of the running lab, and measures it for `seconds` once it is
/// connected and has looked at its machine. Fails when memory or wake-ups exceed their limit.
pub fn run(node: &str, seconds: u64) -> Result<()> {
    install(node)?;
    let script = format!(
        "until journalctl -u heeler-agent --since -1min | grep -q 'session open'; do sleep 1; done; sleep {SETTLE_S}; \
         pid=$(systemctl show --value --property MainPID heeler-agent); \
         cat /proc/$pid/status; sleep {seconds}; cat /proc/$pid/status"
    );
    let said = run::output(on(node).arg(script).stdin(Stdio::null()))?;
    let cost = Cost::read(&said).with_context(|| format!("no agent runs on {node}"))?;
    let most = seconds / QUIET_S;
    println!(
        "heeler-agent on {node}: {} bytes resident, gate {GATE_BYTES}",
        cost.resident_bytes
    );
    println!("{} wake-ups in {seconds} s, gate {most}", cost.wakeups);
    ensure!(
        cost.resident_bytes <= GATE_BYTES,
        "the agent is {} bytes over its gate",
        cost.resident_bytes - GATE_BYTES
    );
    ensure!(cost.wakeups <= most, "the agent does not stay idle");
    Ok(())
}

fn install(node: &str) -> Result<()> {
    let mut build = run::cargo();
    build.args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "heeler-agent",
        "--profile",
        "agent",
    ]);
    build
        .args(["--target", TARGET])
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", STATIC);
    run::run(&mut build)?;
    let agent = run::target_dir().join(TARGET).join("agent/heeler-agent");
    let agent = File::open(&agent).with_context(|| format!("no {}", agent.display()))?;
    let place = "install -m 755 /dev/stdin /usr/local/sbin/heeler-agent && systemctl restart heeler-agent";
    run::run(on(node).arg(place).stdin(agent))
}

/// An ssh command on the node, as root with the lab's own key.
fn on(node: &str) -> Command {
    let config = run::target_dir().join("lab/ssh/lab.config");
    let mut command = run::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "heeler-lab",
        "--",
        "exec",
        "/usr/bin/ssh",
        "-F",
    ]);
    command.arg(config).arg(node);
    command
}

#[derive(Debug, PartialEq)]
struct Cost {
    resident_bytes: u64,
    wakeups: u64,
}

impl Cost {
    /// Reads two copies of /proc/PID/status (proc(5)) that follow each other; None when a field is missing.
    fn read(said: &str) -> Option<Self> {
        let resident_kib = field(said, "VmRSS:").last()?;
        let switches: Vec<u64> = field(said, "voluntary_ctxt_switches:").collect();
        let [before, after] = switches.as_slice() else {
            return None;
        };
        Some(Self {
            resident_bytes: resident_kib * 1024,
            wakeups: after.checked_sub(*before)?,
        })
    }
}

fn field(said: &str, name: &str) -> impl Iterator<Item = u64> {
    let values = said.lines().filter_map(move |line| line.strip_prefix(name));
    values.filter_map(|value| value.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str =
        "Name:\theeler-agent\nVmRSS:\t    4096 kB\nvoluntary_ctxt_switches:\t100\nnonvoluntary_ctxt_switches:\t7\n";

    #[test]
    fn memory_and_switches_are_read_from_proc() {
        let later = STATUS.replace("4096", "5000").replace("\t100", "\t103");
        let cost = Cost::read(&format!("{STATUS}{later}"));
        assert_eq!(
            cost,
            Some(Cost {
                resident_bytes: 5000 * 1024,
                wakeups: 3
            })
        );
    }

    #[test]
    fn an_ended_or_restarted_agent_is_not_measured() {
        assert_eq!(Cost::read(STATUS), None);
        assert_eq!(Cost::read(&format!("{STATUS}{}", STATUS.replace("\t100", "\t3"))), None);
        assert_eq!(Cost::read(""), None);
    }
}
