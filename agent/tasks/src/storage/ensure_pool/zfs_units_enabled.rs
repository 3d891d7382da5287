use heeler_host::{RunError, System, UnitAction, UnitState};

use super::no_zfs;
use crate::engine::{Op, Plan, Step, StepName};

/// The units that import and mount at boot, and zed, which reports failing disks.
const UNITS: [&str; 5] = [
    "zfs-import-cache.service",
    "zfs-import.target",
    "zfs-mount.service",
    "zfs-zed.service",
    "zfs.target",
];
const ZED: &str = "zfs-zed.service";

/// The pool is imported and mounted at each boot, and zed runs.
pub(super) struct ZfsUnitsEnabled;

impl Step for ZfsUnitsEnabled {
    const NAME: StepName = "ZfsUnitsEnabled";
    type Observed = Vec<(&'static str, UnitState)>;

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        let mut states = Vec::with_capacity(UNITS.len());
        for unit in UNITS {
            let state = host.unit_state(unit).await.map_err(|error| RunError::Start {
                command: format!("a look at {unit}"),
                source: std::io::Error::other(error),
            })?;
            states.push((unit, state));
        }
        Ok(states)
    }

    fn plan(&self, seen: &Self::Observed) -> Plan {
        let mut ops = Vec::new();
        for (unit, state) in seen {
            let op = |action| Op::Unit {
                unit: (*unit).to_owned(),
                action,
            };
            if state.load == "not-found" {
                return no_zfs(&format!("{unit} is not installed"));
            }
            if state.load == "masked" || state.enabled.starts_with("masked") {
                return Plan::blocked(
                    format!("{unit} is masked"),
                    "a masked unit never starts, and without it the pool is missing after a reboot",
                    format!("on the node: systemctl unmask {unit}; then: heeler apply"),
                );
            }
            if state.enabled != "enabled" {
                ops.push(op(UnitAction::Enable));
            }
            if *unit == ZED && state.active != "active" {
                ops.push(op(UnitAction::Start));
            }
        }
        if ops.is_empty() {
            Plan::Satisfied
        } else {
            Plan::change(ops)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(change: impl Fn(&mut UnitState)) -> Plan {
        let seen = UNITS.map(|unit| {
            let mut state = UnitState {
                load: "loaded".into(),
                active: "active".into(),
                enabled: "enabled".into(),
            };
            change(&mut state);
            (unit, state)
        });
        ZfsUnitsEnabled.plan(&seen.into())
    }

    #[test]
    fn every_unit_is_enabled_and_zed_runs() {
        assert_eq!(plan(|_| {}), Plan::Satisfied);
        let Plan::Change { ops, .. } = plan(|state| state.enabled = "disabled".into()) else {
            panic!("a change")
        };
        assert_eq!(ops.len(), UNITS.len());
        let Plan::Change { ops, .. } = plan(|state| state.active = "failed".into()) else {
            panic!("a change")
        };
        assert_eq!(
            ops,
            [Op::Unit {
                unit: ZED.into(),
                action: UnitAction::Start
            }]
        );
    }

    #[test]
    fn a_masked_or_missing_unit_is_for_a_person() {
        assert!(matches!(
            plan(|state| state.load = "not-found".into()),
            Plan::Blocked(_)
        ));
        let Plan::Blocked(blocked) = plan(|state| state.enabled = "masked".into()) else {
            panic!("blocked")
        };
        assert!(blocked.next.contains("systemctl unmask"));
    }
}
