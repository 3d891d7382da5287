//! The agent's unit may not have a mount namespace: what ZFS mounts in one, the host never sees.

use std::path::Path;

const UNIT: &str = "packaging/dist/agent/usr/lib/systemd/system/heeler-agent.service";

/// Each of these gives a service a mount namespace, or hides the disks. Source: systemd.exec(5) and
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

/// One line for each such option of the agent's unit.
pub fn broken_in(path: &Path, text: &str) -> Vec<String> {
    if path != Path::new(UNIT) {
        return Vec::new();
    }
    let options = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(option, _)| option.trim());
    options
        .filter(|option| HIDING.contains(option))
        .map(|option| format!("{UNIT}: {option} would hide the disks, or ZFS mounts from the host"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_makes_a_mount_namespace_is_refused_in_the_agents_unit_only() {
        let text = "[Service]\n# ProtectHome=yes in a comment\nNoNewPrivileges=yes\nProtectHome=yes\n";
        assert_eq!(broken_in(Path::new(UNIT), text).len(), 1);
        assert!(broken_in(Path::new("packaging/dist/coordinator/heeler.service"), text).is_empty());
    }
}
