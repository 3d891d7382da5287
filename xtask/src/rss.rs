//! What an idle agent costs its node: resident memory, and how often it wakes up.

use anyhow::{Context, Result, ensure};

use crate::run;

/// 6 MB.
const GATE_BYTES: u64 = 6_000_000;

/// An idle agent wakes up at most once in so many seconds.
const QUIET_S: u64 = 10;

/// Watches the agent on a node of the running lab for `seconds`, with its stream and D-Bus open.
pub fn run(node: &str, seconds: u64) -> Result<()> {
    let script = format!(
        "pid=$(systemctl show --value --property MainPID heeler-agent); \
         cat /proc/$pid/status; sleep {seconds}; cat /proc/$pid/status"
    );
    let said =
        run::output(run::cargo().args(["run", "--quiet", "--package", "heeler-lab", "--", "ssh", node, &script]))?;
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

#[derive(Debug, PartialEq)]
struct Cost {
    resident_bytes: u64,
    wakeups: u64,
}

impl Cost {
    /// Out of two copies of /proc/PID/status, one after the other; `None` when a field is missing.
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
    fn the_last_size_and_the_difference_of_the_voluntary_switches_count() {
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
    fn an_agent_that_ended_or_started_anew_is_not_measured() {
        assert_eq!(Cost::read(STATUS), None);
        assert_eq!(Cost::read(&format!("{STATUS}{}", STATUS.replace("\t100", "\t3"))), None);
        assert_eq!(Cost::read(""), None);
    }
}
