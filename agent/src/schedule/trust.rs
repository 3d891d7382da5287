use std::path::Path;

use heeler_host::{System, timedatectl};
use serde::{Deserialize, Serialize};

/// A clock that moves by more than this beyond the passing of time has jumped.
const JUMP_MS: u64 = 60 * 60 * 1000;
/// After a machine was off longer than this, its clock may be wrong.
const LONG_OFF_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// A clock that has jumped is trusted again after it has run evenly, and followed a time server, for this long.
const PROBATION_MS: u64 = 24 * 60 * 60 * 1000;

const PROVEN: &str = "nothing is pruned until it runs without a jump for a day";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// The machine's clock, Unix milliseconds.
    pub wall_ms: u64,
    /// Milliseconds since boot, including sleep (`/proc/uptime`); cannot be set.
    pub up_ms: u64,
    pub boot_id: String,
}

/// Whether the clock is trusted for pruning by age.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// The clocks when it last followed a time server.
    seen: Option<Clocks>,
    /// Since when the clock is not trusted, and why.
    doubt: Option<(Clocks, String)>,
}

impl Trust {
    /// Of a clock without any memory: it may have jumped.
    pub fn unproven() -> Self {
        let never = Clocks {
            wall_ms: 0,
            up_ms: 0,
            boot_id: String::new(),
        };
        let why = format!("the agent has no record of the clock: {PROVEN}");
        Self {
            seen: None,
            doubt: Some((never, why)),
        }
    }

    /// Judges the clocks now. Returns why nothing may be pruned; None when it may.
    pub fn judge(&mut self, synchronised: bool, now: Option<Clocks>) -> Option<String> {
        let Some(now) = now else {
            return Some("this machine does not report its uptime".to_owned());
        };
        if !synchronised {
            return Some("the clock does not follow a time server (timedatectl)".to_owned());
        }
        let jumped = self.seen.as_ref().and_then(|seen| jump(seen, &now));
        self.seen = Some(now.clone());
        if let Some(why) = jumped {
            self.doubt = Some((now, why));
        } else if let Some((since, _)) = &mut self.doubt {
            if since.boot_id != now.boot_id {
                *since = now;
            } else if now.up_ms.saturating_sub(since.up_ms) >= PROBATION_MS {
                self.doubt = None;
            }
        }
        self.doubt.as_ref().map(|(_, why)| why.clone())
    }
}

/// How the clock jumped between two moments, as a message.
fn jump(seen: &Clocks, now: &Clocks) -> Option<String> {
    let hours = |ms: u64| format!("{} h", ms / 3_600_000);
    if seen.boot_id == now.boot_id {
        let expected = seen.wall_ms.saturating_add(now.up_ms.saturating_sub(seen.up_ms));
        let off = now.wall_ms.abs_diff(expected);
        return (off > JUMP_MS).then(|| format!("the clock has jumped by {}: {PROVEN}", hours(off)));
    }
    if now.wall_ms.saturating_add(JUMP_MS) < seen.wall_ms {
        let back = hours(seen.wall_ms - now.wall_ms);
        return Some(format!(
            "the clock is {back} behind what it said before the reboot: {PROVEN}"
        ));
    }
    let off = now.wall_ms.saturating_sub(seen.wall_ms);
    (off > LONG_OFF_MS).then(|| format!("by the clock, the machine was off for {}: {PROVEN}", hours(off)))
}

/// Reads the clocks; None when the kernel does not show them.
pub async fn clocks(host: &dyn System) -> Option<Clocks> {
    let text = async |path: &str| {
        let bytes = host.read(Path::new(path)).await.ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    let uptime = text("/proc/uptime").await?;
    let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
    Some(Clocks {
        wall_ms: host.now_ms(),
        up_ms: (seconds * 1000.0) as u64,
        boot_id: text("/proc/sys/kernel/random/boot_id").await?,
    })
}

/// Whether the clock follows a time server; false when unknown.
pub async fn synchronised(host: &dyn System) -> bool {
    timedatectl::synchronised(host).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;
    const NOON: u64 = 1_772_366_400_000;

    fn at(wall_ms: u64, up_ms: u64, boot: &str) -> Option<Clocks> {
        let boot_id = boot.to_owned();
        Some(Clocks {
            wall_ms,
            up_ms,
            boot_id,
        })
    }

    #[test]
    fn only_a_synchronised_clock_is_trusted() {
        let mut trust = Trust::default();
        for hour in 0..100 {
            assert_eq!(trust.judge(true, at(NOON + hour * HOUR, hour * HOUR, "a")), None);
        }
        assert!(trust.judge(false, at(NOON + 100 * HOUR, 100 * HOUR, "a")).is_some());
        assert!(trust.judge(true, None).is_some());
        assert_eq!(trust.judge(true, at(NOON + 101 * HOUR, 101 * HOUR, "a")), None);
    }

    #[test]
    fn a_jump_of_a_year_is_untrusted_for_a_day() {
        for jumped in [NOON + 365 * DAY, NOON - 365 * DAY] {
            let mut trust = Trust::default();
            assert_eq!(trust.judge(true, at(NOON, 0, "a")), None);
            for hour in 1..25 {
                let doubt = trust.judge(true, at(jumped + hour * HOUR, hour * HOUR, "a"));
                assert!(doubt.is_some_and(|why| why.contains("jumped")), "{hour}");
            }
            assert_eq!(trust.judge(true, at(jumped + 25 * HOUR, 25 * HOUR, "a")), None);
        }
    }

    #[test]
    fn after_a_reboot_only_a_few_days_may_have_passed() {
        let after = |wall_ms| {
            let mut trust = Trust::default();
            assert_eq!(trust.judge(true, at(NOON, DAY, "a")), None);
            trust.judge(true, at(wall_ms, 60_000, "b"))
        };
        assert_eq!(after(NOON + 7 * DAY), None);
        assert!(after(NOON - 2 * HOUR).is_some());
        assert!(after(NOON + 365 * DAY).is_some());
    }

    #[test]
    fn an_unknown_clock_is_untrusted_for_a_day() {
        let mut trust = Trust::unproven();
        assert!(trust.judge(true, at(NOON, 30 * DAY, "a")).is_some());
        assert!(
            trust
                .judge(true, at(NOON + 23 * HOUR, 30 * DAY + 23 * HOUR, "a"))
                .is_some()
        );
        assert_eq!(trust.judge(true, at(NOON + DAY, 31 * DAY, "a")), None);
    }

    #[test]
    fn a_clock_corrected_from_1970_has_not_jumped() {
        let mut trust = Trust::default();
        assert_eq!(trust.judge(true, at(NOON, DAY, "a")), None);
        assert!(trust.judge(false, at(60_000, 60_000, "b")).is_some());
        assert_eq!(trust.judge(true, at(NOON + HOUR, 120_000, "b")), None);
    }
}
