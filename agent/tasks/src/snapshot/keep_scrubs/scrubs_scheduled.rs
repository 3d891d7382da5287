use heeler_host::{RunError, System, zfs, zpool};
use heeler_proto::{KeepScrubs, ScrubEvery};

use super::scrubbed_once::OFF;
use crate::engine::{Op, Plan, Step, StepName};
use crate::snapshot::schedule;

/// The schedule of scrubs is on disk as wanted.
pub(super) struct ScrubsScheduled {
    pub(super) wanted: KeepScrubs,
}

pub(super) enum Observed {
    Same,
    Differs {
        /// Whether Debian's scrubs are off because of Heeler's schedule, which ends now.
        off: bool,
    },
}

impl Step for ScrubsScheduled {
    const NAME: StepName = "ScrubsScheduled";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let text = heeler_host::whole_text(host, schedule::SCRUBS).await?;
        let before = text.and_then(|text| schedule::scrubs(&text).ok());
        if before.as_ref() == Some(&self.wanted) {
            return Ok(Observed::Same);
        }
        let ends = self.wanted.every == ScrubEvery::Never && before.is_some();
        let off = ends && {
            let property = zfs::property(host, zpool::DEBIAN, self.wanted.pool.as_str()).await?;
            property.is_some_and(|property| property.value == OFF && property.source == "local")
        };
        Ok(Observed::Differs { off })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let Observed::Differs { off } = seen else {
            return Plan::Satisfied;
        };
        let give_back = off.then(|| {
            let pool = self.wanted.pool.as_str();
            let on = Op::Run(zfs::inherit_command(zpool::DEBIAN, pool));
            on.explained(format!("switch Debian's monthly scrub of {pool} on again"))
        });
        let write = Op::Write(schedule::scrubs_file(&self.wanted));
        Plan::change(give_back.into_iter().chain([write]).collect())
    }
}

#[cfg(test)]
mod tests {
    use heeler_host::sim::Machine;
    use heeler_host::zpool::NewPool;
    use heeler_proto::PoolName;

    use super::*;

    fn task(every: ScrubEvery, day: u32) -> KeepScrubs {
        let pool = PoolName::new("data").unwrap();
        let hour = if day == 0 { 0 } else { 2 };
        KeepScrubs { pool, every, day, hour }
    }

    #[tokio::test]
    async fn debians_scrub_returns_when_ours_ends() {
        let never = ScrubsScheduled {
            wanted: task(ScrubEvery::Never, 0),
        };
        for (before, property, expected) in [
            (Some(ScrubEvery::Month), OFF, 2),
            (Some(ScrubEvery::Month), "enable", 1),
            (Some(ScrubEvery::Never), OFF, 0),
            (None, OFF, 1),
        ] {
            let machine = Machine::builder("a").blank("A").blank("B").build();
            let disk = |serial: &str| format!("/dev/disk/by-id/nvme-SAMSUNG_MZ9LQ128HBHQ-00000_{serial}");
            let create = NewPool::new("data", "heeler:c/a", vec![disk("A"), disk("B")]).command();
            assert!(machine.run(&create).await.unwrap().ok());
            let set = zfs::set_command(zpool::DEBIAN, property, "data");
            assert!(machine.run(&set).await.unwrap().ok());
            if let Some(every) = before {
                let day = u32::from(every != ScrubEvery::Never);
                machine.write(&schedule::scrubs_file(&task(every, day))).await.unwrap();
            }
            let seen = never.observe(&machine).await.unwrap();
            let ops = match never.plan(&seen) {
                Plan::Change { ops, .. } => ops,
                _ => Vec::new(),
            };
            assert_eq!(ops.len(), expected, "{before:?} {property}");
            if let [on, Op::Write(_)] = ops.as_slice()
                && let Op::Run(command) = on.plain()
            {
                assert_eq!(command.args, ["inherit", zpool::DEBIAN, "data"]);
                assert!(machine.run(command).await.unwrap().ok());
                let property = zfs::property(&machine, zpool::DEBIAN, "data").await.unwrap().unwrap();
                assert_eq!(property.value, "-", "as if nobody had set it");
            }
        }
    }
}
