use std::path::Path;

use heeler_host::{Command, File, RunError, System, arc, facts};

use crate::engine::{Key, Op, Plan, Step, StepName};

const MIB: u64 = 1 << 20;
/// How far the applied default may differ from the present one: MemTotal differs by some KiB between boots, and by
/// some MiB between kernels.
const NEAR_BYTES: u64 = 32 * MIB;
/// modprobe reads it last, and the last value of an option wins.
const AT_BOOT: &str = "/etc/modprobe.d/zz-heeler-zfs.conf";
const MIN_PARAMETER: &str = "/sys/module/zfs/parameters/zfs_arc_min";
/// Exists when ZFS is in the initramfs, which then has a copy of the options.
const IN_INITRAMFS: &str = "/usr/share/initramfs-tools/hooks/zfs";

/// ZFS's cache (ARC) has a limit, which leaves memory to the virtual machines.
pub(super) struct ArcCapped {
    /// In bytes. None: a tenth of the RAM, rounded down to 16 MiB, at most 1 GiB.
    pub(super) wanted_bytes: Option<u64>,
}

pub(super) struct Observed {
    memory_bytes: u64,
    at_boot: String,
    /// None when the module is not loaded.
    live: Option<arc::Arc>,
    in_initramfs: bool,
}

impl Step for ArcCapped {
    const NAME: StepName = "ArcCapped";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let at_boot = host.read(Path::new(AT_BOOT)).await.unwrap_or_default();
        Ok(Observed {
            memory_bytes: facts::hardware(host).await?.memory_bytes,
            at_boot: String::from_utf8_lossy(&at_boot).into_owned(),
            live: arc::read(host).await?,
            in_initramfs: host.mode(Path::new(IN_INITRAMFS)).await.is_ok(),
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let Some(live) = seen.live else {
            return Plan::After("ZfsLoaded");
        };
        let cap = self.wanted_bytes.unwrap_or_else(|| by_default(seen)).max(64 * MIB);
        // The module ignores a limit that is not below the memory (arc_tuning_update of OpenZFS).
        if self.wanted_bytes.is_some() && cap >= seen.memory_bytes {
            return Plan::blocked(
                format!(
                    "arc_max of {} MiB is not less than the memory of {} MiB",
                    cap / MIB,
                    seen.memory_bytes / MIB
                ),
                "ZFS ignores such a limit, and its cache could take the memory of the guests",
                "",
            )
            .edit(Key::ArcMax, "", "write a smaller arc_max for this node");
        }
        // The module ignores a limit that is not above its minimum, which is RAM/32 by default (zfs(4), zfs_arc_min).
        // RAM differs slightly between boots, so there is a margin, and a lowered minimum stays as long as the limit.
        let lowered = applied(&seen.at_boot).is_some_and(|(min, max)| min && max == cap);
        let floor = (lowered || cap <= (seen.memory_bytes / 32 + 4 * MIB).max(32 * MIB)).then_some(32 * MIB);
        let text = match floor {
            Some(floor) => format!("options zfs zfs_arc_min={floor} zfs_arc_max={cap}\n"),
            None => format!("options zfs zfs_arc_max={cap}\n"),
        };
        let (kept, holds) = (
            seen.at_boot == text,
            live.parameter_bytes == cap && live.max_bytes == cap,
        );
        if kept && holds {
            return Plan::Satisfied;
        }
        let mut ops = Vec::new();
        if !kept {
            ops.push(Op::Write(File::text(AT_BOOT, text)));
        }
        if seen.in_initramfs {
            let update = Command::change("update-initramfs")
                .arg("-u")
                .timeout(std::time::Duration::from_secs(900));
            ops.push(Op::Run(update));
        }
        // The parameters are set last: after an interruption the step does not hold, and does all of this again.
        let parameters = floor
            .map(|floor| (MIN_PARAMETER, floor))
            .into_iter()
            .chain([(arc::PARAMETER, cap)]);
        ops.extend(parameters.map(|(path, value)| Op::Parameter {
            path: path.into(),
            value: value.to_string(),
        }));
        Plan::change(ops)
    }
}

/// A tenth of the RAM in whole 16 MiB, at most 1 GiB; or the applied limit, when it is near that.
fn by_default(seen: &Observed) -> u64 {
    let tenth = (seen.memory_bytes / 10).min(1024 * MIB);
    match applied(&seen.at_boot) {
        Some((_, cap)) if cap.abs_diff(tenth) <= NEAR_BYTES => cap,
        _ => tenth - tenth % (16 * MIB),
    }
}

/// Whether the file lowers the minimum, and its limit in bytes.
fn applied(at_boot: &str) -> Option<(bool, u64)> {
    let (before, cap) = at_boot.split_once("zfs_arc_max=")?;
    Some((before.contains("zfs_arc_min="), cap.trim_end().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn seen(memory_bytes: u64, cap: u64) -> Observed {
        Observed {
            memory_bytes,
            at_boot: format!("options zfs zfs_arc_max={cap}\n"),
            live: Some(arc::Arc {
                parameter_bytes: cap,
                max_bytes: cap,
                size_bytes: 0,
            }),
            in_initramfs: false,
        }
    }

    fn plan(wanted_bytes: Option<u64>, seen: &Observed) -> Plan {
        ArcCapped { wanted_bytes }.plan(seen)
    }

    #[test]
    fn a_tenth_of_the_ram_and_at_most_a_gibibyte() {
        assert_eq!(plan(None, &seen(8 * GIB, 8 * GIB / 10)), Plan::Satisfied);
        assert_eq!(plan(None, &seen(16 * GIB, GIB)), Plan::Satisfied);
        assert_eq!(plan(None, &seen(GIB / 2, 64 * MIB)), Plan::Satisfied);
        assert_eq!(
            written(&plan(None, &seen(8 * GIB, 1))),
            "options zfs zfs_arc_max=855638016\n"
        );
        assert_eq!(plan(Some(2 * GIB), &seen(8 * GIB, 2 * GIB)), Plan::Satisfied);
    }

    fn written(plan: &Plan) -> String {
        let Plan::Change { ops, .. } = plan else {
            panic!("{plan:?}")
        };
        let file = ops.iter().find_map(|op| match op {
            Op::Write(file) => Some(file.content.bytes().clone()),
            _ => None,
        });
        String::from_utf8(file.unwrap()).unwrap()
    }

    #[test]
    fn an_applied_default_survives_a_boot_with_other_memory() {
        for (before, after) in [
            (1_014_272_000, 1_013_874_688),
            (160 * MIB * 10, 160 * MIB * 10 - 1),
            (32 * GIB, 32 * GIB - (20 << 20)),
            (32 * GIB - (20 << 20), 32 * GIB + 4096),
        ] {
            let mut here = seen(before, 1);
            here.at_boot = written(&plan(None, &here));
            let cap = applied(&here.at_boot).unwrap().1;
            here.live = seen(before, cap).live;
            assert_eq!(plan(None, &here), Plan::Satisfied, "{before}");
            here.memory_bytes = after;
            assert_eq!(plan(None, &here), Plan::Satisfied, "{before} {after}");
        }
    }

    #[test]
    fn a_cache_as_large_as_the_memory_is_refused() {
        let here = seen(8 * GIB, GIB);
        assert!(matches!(plan(Some(8 * GIB), &here), Plan::Blocked(_)));
        assert!(matches!(plan(Some(8 * GIB - MIB), &here), Plan::Change { .. }));
    }

    #[test]
    fn a_default_far_from_todays_memory_is_derived_again() {
        let more = seen(8 * GIB, GIB / 10);
        assert!(matches!(plan(None, &more), Plan::Change { .. }));
    }

    #[test]
    fn a_cap_below_the_modules_minimum_lowers_that_too() {
        let Plan::Change { ops, .. } = plan(None, &seen(64 * GIB, 0)) else {
            panic!("a change")
        };
        let [
            Op::Write(file),
            Op::Parameter { path, .. },
            Op::Parameter { path: last, .. },
        ] = ops.as_slice()
        else {
            panic!("{ops:?}")
        };
        assert!(String::from_utf8_lossy(file.content.bytes()).contains("zfs_arc_min=33554432 zfs_arc_max=1073741824"));
        assert_eq!(
            (path.to_str(), last.to_str()),
            (Some(MIN_PARAMETER), Some(arc::PARAMETER))
        );
    }

    #[test]
    fn the_initramfs_is_rebuilt_only_when_it_contains_zfs() {
        let runs = |plan| match plan {
            Plan::Change { ops, .. } => ops.iter().filter(|op| matches!(op, Op::Run(_))).count(),
            _ => 0,
        };
        let mut here = seen(8 * GIB, 1);
        assert_eq!(runs(plan(None, &here)), 0);
        here.in_initramfs = true;
        assert_eq!(runs(plan(None, &here)), 1);
        assert_eq!(
            runs(plan(
                None,
                &Observed {
                    in_initramfs: true,
                    ..seen(16 * GIB, GIB)
                }
            )),
            0
        );
    }

    #[test]
    fn an_unloaded_module_leaves_the_cap_for_later() {
        let unloaded = Observed {
            live: None,
            ..seen(GIB, 0)
        };
        assert_eq!(plan(None, &unloaded), Plan::After("ZfsLoaded"));
    }
}
