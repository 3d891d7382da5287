use std::path::Path;

use heeler_host::{RunError, System, hostid};
use heeler_proto::HostId;

use crate::engine::{Op, Plan, Step, StepName};
use crate::storage::{imported, words};

/// Overrides `/etc/hostid` unless it is 0 (spl(4)).
const OVERRIDE: &str = "/sys/module/spl/parameters/spl_hostid";

/// `/etc/hostid` is the host id on record for the node, so that after a re-flash its pool can be imported without
/// force.
pub(super) struct HostIdSet {
    pub(super) hostid: HostId,
}

pub(super) struct Observed {
    file: Option<u32>,
    /// 0 when the module is not loaded.
    overridden: u32,
    /// Names of imported pools; read only when the host id has to change.
    imported: Vec<String>,
}

impl Step for HostIdSet {
    const NAME: StepName = "HostIdSet";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let file = hostid::read(host).await?;
        let parameter = host.read(Path::new(OVERRIDE)).await.unwrap_or_default();
        let overridden = String::from_utf8_lossy(&parameter).trim().parse().unwrap_or(0);
        let fits = file == Some(self.hostid.0) && (overridden == 0 || overridden == self.hostid.0);
        let pools = if fits { Vec::new() } else { imported(host).await? };
        Ok(Observed {
            file,
            overridden,
            imported: pools.into_iter().map(|pool| pool.name).collect(),
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let wanted = self.hostid.0;
        if seen.overridden != 0 && seen.overridden != wanted {
            return Plan::blocked(
                format!("the ZFS module was loaded with spl_hostid={:08x}", seen.overridden),
                format!(
                    "the host id on record for this node is {}, and the module does not look at /etc/hostid",
                    self.hostid
                ),
                "remove spl_hostid from /etc/modprobe.d and the kernel's command line, then reboot the node",
            );
        }
        match (seen.file, seen.imported.as_slice()) {
            (Some(found), _) if found == wanted => Plan::Satisfied,
            (_, []) => Plan::change(vec![Op::Write(hostid::file(wanted))]),
            (found, pools) => {
                let typed: Vec<String> = pools.iter().map(|name| words::word(name)).collect();
                let (pools, typed) = (pools.join(", "), typed.join(" "));
                let found = found.map_or_else(|| "no host id".to_owned(), |id| format!("host id {id:08x}"));
                Plan::blocked(
                    format!("{found} while {pools} is imported"),
                    format!(
                        "the host id on record for this node is {}; changed under an imported pool, the next import would be refused",
                        self.hostid
                    ),
                    format!("stop what uses it, then on the node: zpool export {typed}; then: heeler apply"),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Blocked;

    fn plan(file: Option<u32>, overridden: u32, imported: &[&str]) -> Plan {
        let step = HostIdSet {
            hostid: HostId(0x00ba_b10c),
        };
        step.plan(&Observed {
            file,
            overridden,
            imported: imported.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    #[test]
    fn the_recorded_host_id_is_written_lowest_byte_first() {
        let Plan::Change { ops, .. } = plan(Some(1), 0, &[]) else {
            panic!("a change")
        };
        let [Op::Write(file)] = ops.as_slice() else {
            panic!("one file")
        };
        assert_eq!(file.content.bytes(), &[0x0c, 0xb1, 0xba, 0x00]);
        assert_eq!(plan(Some(0x00ba_b10c), 0, &["data"]), Plan::Satisfied);
    }

    #[test]
    fn a_host_id_is_never_changed_under_an_imported_pool() {
        for file in [None, Some(1)] {
            let Plan::Blocked(Blocked { next, .. }) = plan(file, 0, &["data"]) else {
                panic!("{file:?}")
            };
            assert!(next.contains("zpool export data"), "{next}");
        }
    }

    #[test]
    fn several_pools_are_exported_by_one_command() {
        let Plan::Blocked(Blocked { next, .. }) = plan(None, 0, &["data", "tank", "old tank"]) else {
            panic!("blocked")
        };
        assert!(next.contains("zpool export data tank 'old tank';"), "{next}");
    }

    #[test]
    fn a_foreign_module_option_is_reported() {
        assert!(matches!(plan(Some(0x00ba_b10c), 7, &[]), Plan::Blocked(_)));
        assert_eq!(plan(Some(0x00ba_b10c), 0x00ba_b10c, &[]), Plan::Satisfied);
    }
}
