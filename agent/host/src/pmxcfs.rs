//! pmxcfs: Proxmox's settings as files, which `pve-cluster.service` mounts at `/etc/pve`.

use std::net::IpAddr;
use std::path::Path;

use crate::{Command, RunError, System, findmnt, hostname};

/// The unit that runs it.
pub const UNIT: &str = "pve-cluster.service";
/// Where it is mounted.
pub const PATH: &str = "/etc/pve";
/// A file that only pmxcfs itself provides.
const MEMBERS: &str = "/etc/pve/.members";

/// What pmxcfs does on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pmxcfs {
    /// Proxmox is not installed.
    NotInstalled,
    /// Its unit is masked.
    Masked,
    /// The unit is not active. pmxcfs does not start as long as the machine's name has no address but loopback ones, and
    /// as long as files are in the folder that it is mounted at.
    Stopped {
        /// The machine's name.
        name: String,
        /// The addresses of that name.
        addresses: Vec<IpAddr>,
        /// What is in the folder.
        left: Vec<String>,
    },
    /// The unit is active, and the files are not there yet.
    Starting,
    /// The files are there and cannot be written, because the cluster has no quorum.
    ReadOnly,
    /// The files are there and can be written.
    Up,
}

/// Looks at the unit, the mount, and the files. Fails when systemd or `findmnt` does not answer.
pub async fn state(host: &dyn System) -> Result<Pmxcfs, RunError> {
    let unit = host.unit_state(UNIT).await.map_err(|error| RunError::Start {
        command: format!("systemctl show {UNIT}"),
        source: std::io::Error::other(error),
    })?;
    match (unit.load.as_str(), unit.active.as_str()) {
        ("not-found", _) => return Ok(Pmxcfs::NotInstalled),
        ("masked", _) => return Ok(Pmxcfs::Masked),
        (_, "active") => {}
        _ => return stopped(host).await,
    }
    let mounts = findmnt::mounts(host).await?;
    // A pmxcfs that was killed is still mounted: "Transport endpoint is not connected".
    if !mounts.iter().any(|mount| mount.target == PATH) || host.read(Path::new(MEMBERS)).await.is_err() {
        return Ok(Pmxcfs::Starting);
    }
    // Without quorum no file has a write bit, nor has the folder itself (pmxcfs, tree_entry_stat).
    match host.mode(Path::new(PATH)).await {
        Ok(mode) if mode & 0o200 != 0 => Ok(Pmxcfs::Up),
        Ok(_) => Ok(Pmxcfs::ReadOnly),
        Err(_) => Ok(Pmxcfs::Starting),
    }
}

async fn stopped(host: &dyn System) -> Result<Pmxcfs, RunError> {
    let [name, _] = hostname::now_and_next(host).await?;
    let output = host.run(&resolve_command(&name)).await?;
    let mut addresses: Vec<IpAddr> = output.stdout.lines().filter_map(address).collect();
    addresses.dedup();
    let left = host.list(Path::new(PATH)).await.unwrap_or_default();
    Ok(Pmxcfs::Stopped { name, addresses, left })
}

/// `getent ahosts NAME`, which resolves a name as all programs do; it ends with 2 when nobody knows it.
pub fn resolve_command(name: &str) -> Command {
    Command::look("getent").args(["ahosts", name])
}

fn address(line: &str) -> Option<IpAddr> {
    line.split_whitespace().next()?.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_getent_begins_with_an_address() {
        let text = "10.99.0.3       STREAM pve3\n10.99.0.3       DGRAM  \nfe80::1%eth0    RAW    \n\n";
        let found: Vec<String> = text
            .lines()
            .filter_map(address)
            .map(|found| found.to_string())
            .collect();
        assert_eq!(found, ["10.99.0.3", "10.99.0.3", "fe80::1"]);
    }
}
