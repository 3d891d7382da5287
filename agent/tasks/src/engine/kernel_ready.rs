//! No boot of a kernel that has no ZFS, or another one than the node's programs, while the node uses ZFS.

use heeler_host::zfs::{self, Module};
use heeler_host::{RunError, System, firmware};

use super::Blocked;

/// Why the node must not be rebooted now; None when it may. `trial`: the firmware then reads tryboot.txt once. Fails when
/// the kernel that boots next cannot be told.
pub(super) async fn refusal(host: &dyn System, trial: bool) -> Result<Option<Blocked>, RunError> {
    if host.mode("/sys/module/zfs/version".as_ref()).await.is_err() {
        return Ok(None);
    }
    let release = firmware::next(host, trial).await?;
    let output = host.run(&firmware::zfs_command(&release)).await?;
    if !output.ok() {
        return Ok(Some(Blocked::new(
            format!("the next boot starts the kernel {release}, and ZFS has no module for it"),
            "after it the node would have no pool",
            format!(
                "on the node: dkms status; while it builds, wait, else sudo apt install linux-headers-{release} and sudo dkms \
                 autoinstall -k {release}; then: heeler apply"
            ),
        )));
    }
    let Module::Loaded { userland, .. } = zfs::module(host).await? else {
        return Ok(None);
    };
    let module = output.stdout.trim();
    Ok((upstream(&userland) != upstream(module)).then(|| {
        Blocked::new(
            format!("ZFS's programs are {userland}, and its module for the kernel {release} is {module}"),
            "programs and module of two versions may not import the pool",
            format!(
                "on the node: apt-cache policy zfsutils-linux zfs-dkms; bring both to one version, and sudo dkms autoinstall -k \
                 {release}; then: heeler apply"
            ),
        )
    }))
}

/// `2.3.9` of `zfs-2.3.9-1` and of `2.3.9-0+deb13u1`: the rest is about packaging.
fn upstream(version: &str) -> &str {
    let version = version.strip_prefix("zfs-").unwrap_or(version);
    version.split('-').next().unwrap_or_default()
}
