use crate::{Command, Output, RunError, System, json};

/// Whether ZFS can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Module {
    /// It can.
    Loaded {
        /// Version of the programs, such as `zfs-2.3.9-1`.
        userland: String,
        /// Version of the module, such as `zfs-kmod-2.3.9-1`.
        kernel: String,
    },
    /// The module is not loaded: nothing is known about pools.
    NotLoaded,
    /// The programs are not installed.
    NotInstalled,
    /// The programs are older than 2.3 and print no JSON.
    TooOld,
}

/// `zfs version -j`.
pub fn version_command() -> Command {
    Command::look("zfs").args(["version", "-j"])
}

/// `modprobe zfs`.
pub fn load_command() -> Command {
    Command::change("modprobe").arg("zfs")
}

/// Runs `zfs version -j`. ZFS's programs load the module when they can, so [`Module::NotLoaded`] means that they
/// failed, for example because there is no module for this kernel. Fails when the program fails in another way, or its
/// output cannot be read.
pub async fn module(host: &dyn System) -> Result<Module, RunError> {
    let command = version_command();
    match host.run(&command).await {
        Ok(output) => read(&command, &output),
        Err(RunError::Missing { .. }) => Ok(Module::NotInstalled),
        Err(other) => Err(other),
    }
}

fn read(command: &Command, output: &Output) -> Result<Module, RunError> {
    if output.ok() {
        let value = json::zfs(command, &output.stdout)?;
        let versions = value
            .get("zfs_version")
            .ok_or_else(|| RunError::unreadable(command, "no zfs_version in it"))?;
        return match (json::text(versions, "userland"), json::text(versions, "kernel")) {
            (Some(userland), Some(kernel)) => Ok(Module::Loaded {
                userland: userland.to_owned(),
                kernel: kernel.to_owned(),
            }),
            _ => Err(RunError::unreadable(command, "it lacks a version")),
        };
    }
    let said = |words: &str| output.stderr.contains(words);
    let unloaded = [
        "modules are not loaded",
        "modules cannot be auto-loaded",
        "Failed to initialize the libzfs library",
        "zfs_version_kernel() failed",
    ];
    if unloaded.into_iter().any(said) {
        Ok(Module::NotLoaded)
    } else if said("invalid option") {
        Ok(Module::TooOld)
    } else {
        Err(RunError::failed(command, output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(code: i32, stdout: &str, stderr: &str) -> Result<Module, RunError> {
        let output = Output {
            code,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        read(&version_command(), &output)
    }

    #[test]
    fn an_unloaded_module_is_told_from_an_old_one() {
        for text in [
            "The ZFS modules are not loaded.\nTry running 'modprobe zfs' as root to load them.\n",
            "Failed to initialize the libzfs library.\n",
            "The ZFS modules cannot be auto-loaded.\nTry running 'modprobe zfs' as root to manually load them.\n",
        ] {
            assert_eq!(asked(1, "", text).unwrap(), Module::NotLoaded);
        }
        assert_eq!(asked(2, "", "invalid option 'j'\nusage:\n").unwrap(), Module::TooOld);
        assert!(asked(1, "", "Permission denied the ZFS utilities must be run as root.").is_err());
    }

    #[test]
    fn both_versions_are_read_and_another_format_is_refused() {
        let json = r#"{"output_version":{"command":"zfs version","vers_major":MAJOR,"vers_minor":1},
            "zfs_version":{"userland":"zfs-2.3.9-1","kernel":"zfs-kmod-2.3.9-1"}}"#;
        let loaded = Module::Loaded {
            userland: "zfs-2.3.9-1".to_owned(),
            kernel: "zfs-kmod-2.3.9-1".to_owned(),
        };
        assert_eq!(asked(0, &json.replace("MAJOR", "0"), "").unwrap(), loaded);
        assert!(asked(0, &json.replace("MAJOR", "1"), "").is_err());
    }
}
