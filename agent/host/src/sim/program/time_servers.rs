use std::path::Path;

use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;

const TIMESYNCD: &str = "systemd-timesyncd.service";
const CHRONY: &str = "chrony.service";

/// The programs that tell which time servers are in use.
pub(super) fn run(state: &State, program: &str, args: &[&str]) -> Option<Output> {
    let active = |unit: &str| state.kernel.active.contains(unit);
    let servers = &state.kernel.time_servers;
    Some(match (program, args) {
        ("timedatectl", ["show-timesync", "--property=SystemNTPServers", "--value"]) => match active(TIMESYNCD) {
            true => printed(format!("{}\n", servers.join(" "))),
            false => complained(1, "Failed to parse bus message: No route to host\n"),
        },
        ("chronyc", ["-N", "-c", "sources", "-a"]) => match active(CHRONY) {
            true => printed(
                servers
                    .iter()
                    .map(|server| format!("^,?,{server},0,6,0,4294967295,0.0,0.0,0.0\n"))
                    .collect::<String>(),
            ),
            false => complained(1, "Could not open connection to daemon\n"),
        },
        _ => return None,
    })
}

impl State {
    /// What the program of `unit` reads at its start: files of one folder, in the order of their names, add to each
    /// other (timesyncd.conf(5), chrony.conf(5)).
    pub(in crate::sim) fn read_time_servers(&mut self, unit: &str) {
        let (folder, before) = match unit {
            CHRONY => ("/etc/chrony/sources.d", "server "),
            _ => ("/etc/systemd/timesyncd.conf.d", "NTP="),
        };
        let files = self.os.files.list(Path::new(folder)).unwrap_or_default();
        let texts = files
            .iter()
            .filter_map(|name| self.os.files.text(&format!("{folder}/{name}")));
        let text: String = texts.collect();
        let listed = text.lines().filter_map(|line| line.strip_prefix(before));
        let servers = listed.flat_map(str::split_whitespace).filter(|word| *word != "iburst");
        self.kernel.time_servers = servers.map(str::to_owned).collect();
    }

    /// What `apt install chrony` does: the packages exclude each other.
    pub(in crate::sim) fn install_chrony(&mut self) {
        self.os.units.remove(TIMESYNCD);
        self.kernel.active.remove(TIMESYNCD);
        self.os.units.insert(CHRONY.to_owned(), "enabled");
        self.started(CHRONY);
    }
}
