use crate::ask::text;
use crate::{RunError, System};

/// The machine and its operating system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardware {
    /// Host name, as the running kernel has it.
    pub hostname: String,
    /// Content of `/etc/machine-id`.
    pub machine_id: String,
    /// Serial of the board, from the device tree or DMI; empty when there is none.
    pub serial: String,
    /// Such as `Raspberry Pi 5 Model B Rev 1.0`; empty when unknown.
    pub model: String,
    /// As `uname -m` prints it: aarch64, x86_64.
    pub architecture: String,
    /// PRETTY_NAME in `/etc/os-release`.
    pub os: String,
    /// Release of the running kernel, as `uname -r` prints it.
    pub kernel: String,
    /// The kernel's random id of this boot.
    pub boot_id: String,
    /// RAM that the kernel can use, in bytes: MemTotal.
    pub memory_bytes: u64,
}

/// Reads `/proc`, `/etc`, and the device tree or DMI. Fails when a file exists and cannot be read.
pub async fn hardware(host: &dyn System) -> Result<Hardware, RunError> {
    let kernel = |name: &str| format!("/proc/sys/kernel/{name}");
    Ok(Hardware {
        hostname: one(host, &[&kernel("hostname")]).await?,
        machine_id: one(host, &["/etc/machine-id"]).await?,
        serial: one(
            host,
            &[
                "/proc/device-tree/serial-number",
                "/sys/class/dmi/id/product_serial",
                "/sys/class/dmi/id/product_uuid",
            ],
        )
        .await?,
        model: one(host, &["/proc/device-tree/model", "/sys/class/dmi/id/product_name"]).await?,
        architecture: one(host, &[&kernel("arch")]).await?,
        os: os(&one(host, &["/etc/os-release"]).await?),
        kernel: one(host, &[&kernel("osrelease")]).await?,
        boot_id: one(host, &[&kernel("random/boot_id")]).await?,
        memory_bytes: memory(&one(host, &["/proc/meminfo"]).await?),
    })
}

/// The text of the first of these files that exists and is not empty.
async fn one(host: &dyn System, paths: &[&str]) -> Result<String, RunError> {
    for path in paths {
        if let Some(found) = text(host, path).await?.filter(|found| !found.is_empty()) {
            return Ok(found);
        }
    }
    Ok(String::new())
}

fn os(release: &str) -> String {
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or_default().trim_matches('"').to_owned()
}

fn memory(meminfo: &str) -> u64 {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: Option<u64> = total.and_then(|total| total.trim().strip_suffix("kB")?.trim().parse().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_the_name_of_the_system_are_read() {
        assert_eq!(memory("MemTotal:        8062908 kB\nMemFree: 1 kB\n"), 8_062_908 * 1024);
        assert_eq!(memory("garbage"), 0);
        let release = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n";
        assert_eq!(os(release), "Debian GNU/Linux 13 (trixie)");
    }
}
