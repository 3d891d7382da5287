use heeler_host::zfs::{self, Module, Property};
use heeler_host::{RunError, System, UnitAction, zpool};
use heeler_proto::PoolName;

use crate::engine::{Op, Plan, Step, StepName};

/// Debian's scrubs are off: the monthly one from cron, and ZFS's timers.
pub(super) struct ScrubbedOnce {
    pub(super) pool: PoolName,
}

pub(super) enum Observed {
    NotLoaded,
    NoPool,
    Looked {
        /// Debian's property [`zpool::DEBIAN`] of the pool.
        property: Property,
        /// Timers that would scrub the pool.
        timers: Vec<String>,
    },
}

pub(super) const OFF: &str = "disable";

impl Step for ScrubbedOnce {
    const NAME: StepName = "ScrubbedOnce";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let Module::Loaded { .. } = zfs::module(host).await? else {
            return Ok(Observed::NotLoaded);
        };
        let Some(property) = zfs::property(host, zpool::DEBIAN, self.pool.as_str()).await? else {
            return Ok(Observed::NoPool);
        };
        let mut timers = Vec::new();
        for every in ["monthly", "weekly"] {
            let timer = format!("zfs-scrub-{every}@{}.timer", self.pool);
            // A timer whose state systemd does not report counts as absent.
            let state = host.unit_state(&timer).await.unwrap_or_default();
            if state.enabled == "enabled" || state.active == "active" {
                timers.push(timer);
            }
        }
        Ok(Observed::Looked { property, timers })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let (property, timers) = match seen {
            Observed::NotLoaded => return Plan::After("ZfsLoaded"),
            Observed::NoPool => return Plan::After("PoolExists"),
            Observed::Looked { property, timers } => (property, timers),
        };
        let mut ops = Vec::new();
        if property.value != OFF {
            let off = Op::Run(zfs::set_command(zpool::DEBIAN, OFF, self.pool.as_str()));
            ops.push(off.explained(format!("switch Debian's monthly scrub of {} off", self.pool)));
        }
        for timer in timers {
            for action in [UnitAction::Disable, UnitAction::Stop] {
                let unit = timer.clone();
                ops.push(Op::Unit { unit, action });
            }
        }
        if ops.is_empty() {
            Plan::Satisfied
        } else {
            Plan::change(ops)
        }
    }
}
