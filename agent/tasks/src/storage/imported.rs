use heeler_host::disk::Surroundings;
use heeler_host::facts::{PoolFact, pools};
use heeler_host::zfs::{Module, module};
use heeler_host::{RunError, System, lsblk, udev, zpool};

/// The imported pools, each leg with the serial of its disk. No disk is judged for it, so that it costs four programs.
///
/// # Errors
/// When a program fails. Empty when ZFS is not there or not loaded.
pub async fn imported(host: &dyn System) -> Result<Vec<PoolFact>, RunError> {
    let module = module(host).await?;
    let Module::Loaded { .. } = module else {
        return Ok(Vec::new());
    };
    let around = Surroundings {
        devices: lsblk::devices(host).await?,
        mounts: Vec::new(),
        by_id: udev::by_id(host).await?,
        module,
        imported: Some(zpool::status(host).await?),
        importable: None,
    };
    pools(host, &around).await
}
