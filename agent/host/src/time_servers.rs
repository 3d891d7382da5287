//! The time servers that the machine's clock follows, through systemd-timesyncd or chrony.

use crate::ask::ask;
use crate::{Command, File, RunError, System};

/// The program that follows time servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follower {
    /// systemd-timesyncd, as on Raspberry Pi OS.
    Timesyncd,
    /// chrony, which Proxmox brings. Debian's package of it removes systemd-timesyncd.
    Chrony,
}

impl Follower {
    /// The one that is installed; None when neither is, or it is masked.
    pub async fn find(host: &dyn System) -> Result<Option<Self>, RunError> {
        for follower in [Self::Chrony, Self::Timesyncd] {
            let unit = follower.unit();
            let state = host.unit_state(unit).await;
            let state = state.map_err(|error| RunError::unreadable(&command(follower), error.to_string()))?;
            if state.load == "loaded" {
                return Ok(Some(follower));
            }
        }
        Ok(None)
    }

    /// Its unit.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Timesyncd => "systemd-timesyncd.service",
            Self::Chrony => "chrony.service",
        }
    }

    /// A file of Heeler's own that adds `servers` (timesyncd.conf(5), chrony.conf(5)).
    pub fn file<'a>(self, servers: impl Iterator<Item = &'a str>) -> File {
        match self {
            Self::Timesyncd => {
                let list: Vec<&str> = servers.collect();
                let text = format!("[Time]\nNTP={}\n", list.join(" "));
                File::text("/etc/systemd/timesyncd.conf.d/heeler.conf", text)
            }
            Self::Chrony => {
                let lines: String = servers.map(|server| format!("server {server} iburst\n")).collect();
                File::text("/etc/chrony/sources.d/heeler.sources", lines)
            }
        }
    }

    /// The servers that it uses now, as they were written; none when it does not answer.
    pub async fn servers(self, host: &dyn System) -> Result<Vec<String>, RunError> {
        let output = match ask(host, &command(self)).await {
            Ok(output) => output.stdout,
            Err(RunError::Failed { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(match self {
            Self::Timesyncd => output.split_whitespace().map(str::to_owned).collect(),
            Self::Chrony => output
                .lines()
                .filter_map(|line| Some(line.split(',').nth(2)?.to_owned()))
                .collect(),
        })
    }
}

/// The command that prints the servers in use. Those that a DHCP server names are not among timesyncd's.
pub fn command(follower: Follower) -> Command {
    match follower {
        Follower::Timesyncd => {
            Command::look("timedatectl").args(["show-timesync", "--property=SystemNTPServers", "--value"])
        }
        // -N: names as they were written; -a: also those that have no address yet.
        Follower::Chrony => Command::look("chronyc").args(["-N", "-c", "sources", "-a"]),
    }
}
