use std::path::Path;
use std::time::Duration;

use heeler_host::zfs::{self, Module};
use heeler_host::{File, RunError, System};

use super::no_zfs;
use crate::engine::{Op, Plan, Step, StepName};

const AT_BOOT: &str = "/etc/modules-load.d/zfs.conf";
const SETTLE: Duration = Duration::from_secs(10);

/// ZFS's module is loaded, now and at each boot. Without it nothing is known about pools.
pub(super) struct ZfsLoaded;

pub(super) struct Observed {
    module: Module,
    at_boot: bool,
}

impl Step for ZfsLoaded {
    const NAME: StepName = "ZfsLoaded";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let file = host.read(Path::new(AT_BOOT)).await.unwrap_or_default();
        Ok(Observed {
            module: zfs::module(host).await?,
            at_boot: String::from_utf8_lossy(&file).lines().any(|line| line.trim() == "zfs"),
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let mut ops = Vec::new();
        if !seen.at_boot {
            ops.push(Op::Write(File::text(AT_BOOT, "zfs\n")));
        }
        match seen.module {
            Module::NotInstalled => return no_zfs("ZFS is not installed"),
            Module::TooOld => return no_zfs("ZFS is older than 2.3"),
            Module::NotLoaded => ops.push(Op::Run(zfs::load_command())),
            Module::Loaded { .. } if ops.is_empty() => return Plan::Satisfied,
            Module::Loaded { .. } => {}
        }
        Plan::Change { ops, settle: SETTLE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(module: Module, at_boot: bool) -> Plan {
        ZfsLoaded.plan(&Observed { module, at_boot })
    }

    fn loaded() -> Module {
        Module::Loaded {
            userland: String::new(),
            kernel: String::new(),
        }
    }

    #[test]
    fn missing_or_old_zfs_blocks() {
        for module in [Module::NotInstalled, Module::TooOld] {
            let Plan::Blocked(blocked) = plan(module, false) else {
                panic!("blocked")
            };
            assert!(blocked.next.contains("apt-get install zfsutils-linux zfs-dkms"));
        }
    }

    #[test]
    fn the_module_is_loaded_now_and_at_boot() {
        let count = |plan| match plan {
            Plan::Change { ops, .. } => ops.len(),
            _ => 0,
        };
        assert_eq!(plan(loaded(), true), Plan::Satisfied);
        assert_eq!(count(plan(loaded(), false)), 1);
        assert_eq!(count(plan(Module::NotLoaded, true)), 1);
        assert_eq!(count(plan(Module::NotLoaded, false)), 2);
    }
}
