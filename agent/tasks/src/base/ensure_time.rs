//! The node's clock follows the time servers of heeler.toml.

use std::time::Duration;

use heeler_host::time_servers::Follower;
use heeler_host::{Content, RunError, System, UnitAction, timedatectl};
use heeler_proto::{EnsureTime, TimeServer};

use crate::engine::{AnyStep, Key, Op, Plan, Step, StepName};
use crate::task::{Past, Work};

/// A time server that answers is followed within seconds; timesyncd asks a silent one again after 30 s.
const SETTLE: Duration = Duration::from_secs(60);

impl Work for EnsureTime {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![Box::new(ClockFollows { task: self.clone() })]
    }
}

struct ClockFollows {
    task: EnsureTime,
}

struct Observed {
    follower: Follower,
    /// Whether it runs, and will run after a boot.
    active: bool,
    enabled: bool,
    written: bool,
    used: Vec<String>,
    synchronised: bool,
}

impl Step for ClockFollows {
    const NAME: StepName = "ClockFollows";
    type Observed = Option<Observed>;

    async fn observe(&self, host: &dyn System) -> Result<Option<Observed>, RunError> {
        let Some(follower) = Follower::find(host).await? else {
            return Ok(None);
        };
        let file = follower.file(self.servers());
        let written = heeler_host::content(host, &file.path).await;
        let written = written.map_err(|source| RunError::file(&file.path, source))?;
        let unit = host.unit_state(follower.unit()).await.unwrap_or_default();
        Ok(Some(Observed {
            follower,
            active: unit.active == "active",
            enabled: unit.enabled == "enabled",
            written: matches!(&file.content, Content::Plain(wanted) if Some(wanted) == written.as_ref()),
            used: follower.servers(host).await?,
            synchronised: timedatectl::synchronised(host).await?,
        }))
    }

    fn plan(&self, seen: &Option<Observed>) -> Plan {
        let Some(seen) = seen else {
            return Plan::blocked(
                "neither systemd-timesyncd nor chrony is installed",
                "nothing can follow a time server",
                "on the node: apt install systemd-timesyncd; then: heeler apply",
            );
        };
        let unit = seen.follower.unit();
        let on = |action| Op::Unit {
            unit: unit.to_owned(),
            action,
        };
        let mut ops = Vec::new();
        if !seen.written {
            ops.push(Op::Write(seen.follower.file(self.servers())));
        }
        if !seen.enabled {
            ops.push(on(UnitAction::Enable));
        }
        let used = self.servers().all(|server| seen.used.iter().any(|used| used == server));
        if !(seen.written && seen.active && used) {
            ops.push(on(UnitAction::Restart));
        }
        if !ops.is_empty() {
            return Plan::Change { ops, settle: SETTLE };
        }
        if seen.synchronised {
            return Plan::Satisfied;
        }
        let servers: Vec<&str> = self.servers().collect();
        Plan::blocked(
            format!("the clock follows none of {} yet", servers.join(", ")),
            "a certificate that a wrong clock refuses, and a cluster whose clocks differ, do not work",
            "on the node, see whether a time server answers: timedatectl timesync-status, or chronyc sources; then: heeler apply",
        )
        .at(Key::System, "time_servers")
    }
}

impl ClockFollows {
    fn servers(&self) -> impl Iterator<Item = &str> {
        self.task.servers.iter().map(TimeServer::as_str)
    }
}
