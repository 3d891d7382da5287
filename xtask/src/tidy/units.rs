//! Options that every systemd service of ours must set, and those that the agent's must not. In a separate mount
//! namespace, the mounts that ZFS makes would not reach the host.

use std::ffi::OsStr;
use std::path::Path;

const UNIT: &str = "packaging/dist/agent/usr/lib/systemd/system/heeler-agent.service";

/// Options that give a service a mount namespace or hide the disks. Source: systemd.exec(5) and
/// systemd.resource-control(5), systemd 257.
const HIDING: [&str; 38] = [
    "BindLogSockets",
    "BindPaths",
    "BindReadOnlyPaths",
    "DeviceAllow",
    "DevicePolicy",
    "DynamicUser",
    "ExecPaths",
    "ExtensionDirectories",
    "ExtensionImages",
    "InaccessiblePaths",
    "JoinsNamespaceOf",
    "LogNamespace",
    "MountAPIVFS",
    "MountFlags",
    "MountImages",
    "NetworkNamespacePath",
    "NoExecPaths",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivatePIDs",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RootDirectory",
    "TemporaryFileSystem",
];

/// Hardening that every service of ours can have. An option without a value may differ between services.
const BASE: [&str; 10] = [
    "CapabilityBoundingSet=",
    "LimitCORE=0",
    "LockPersonality=yes",
    "NoNewPrivileges=yes",
    "RestrictAddressFamilies=",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=",
];

/// One line for each option that a service lacks or must not have.
pub fn broken_in(path: &Path, text: &str) -> Vec<String> {
    if path.extension() != Some(OsStr::new("service")) || !path.starts_with("packaging") {
        return Vec::new();
    }
    let set: Vec<&str> = text.lines().map(str::trim).collect();
    let lacks = |wanted: &&str| match wanted.ends_with('=') {
        true => !set.iter().any(|line| line.starts_with(wanted)),
        false => !set.contains(wanted),
    };
    let lacking = BASE.into_iter().filter(lacks);
    let lacking = lacking.map(|option| format!("{}: {option} is missing", path.display()));
    let options = set.iter().filter_map(|line| line.split_once('='));
    let hiding = options.filter(|(option, _)| path == Path::new(UNIT) && HIDING.contains(option));
    let hiding =
        hiding.map(|(option, _)| format!("{UNIT}: {option} would hide the disks, or ZFS mounts from the host"));
    lacking.chain(hiding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_namespace_is_refused_in_the_agents_unit_only() {
        let text = format!("[Service]\n{}\n# ProtectHome=yes\nProtectHome=yes\n", BASE.join("\n"));
        assert_eq!(broken_in(Path::new(UNIT), &text).len(), 1);
        assert!(broken_in(Path::new("packaging/dist/coordinator/heeler.service"), &text).is_empty());
    }

    #[test]
    fn a_service_that_lacks_a_base_option_is_refused() {
        for option in BASE {
            let others: Vec<&str> = BASE.into_iter().filter(|other| *other != option).collect();
            let text = others.join("\n");
            let broken = broken_in(Path::new("packaging/dist/agent/heeler-guard.service"), &text);
            assert_eq!(broken.len(), 1, "{option}: {broken:?}");
        }
        assert!(broken_in(Path::new("packaging/dist/agent/heeler-guard.timer"), "").is_empty());
        assert!(broken_in(Path::new("tests/lab/proxmox/pve-cluster.service"), "").is_empty());
    }
}
