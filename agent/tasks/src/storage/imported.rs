use heeler_host::disk::Surroundings;
use heeler_host::facts::{PoolFact, PoolFacts, pools};
use heeler_host::udev::ById;
use heeler_host::zfs::{Module, module};
use heeler_host::{RunError, System, lsblk};

/// The imported pools whose status can be read, with the serial of each leg's disk. Empty when ZFS is not installed or
/// not loaded. Fails when a program fails.
pub async fn imported(host: &dyn System) -> Result<Vec<PoolFact>, RunError> {
    Ok(all_imported(host).await?.read)
}

/// All imported pools, readable or not. Empty when ZFS is not installed or not loaded. Disks are not checked, so it
/// runs few programs. Fails when a program fails.
pub(super) async fn all_imported(host: &dyn System) -> Result<PoolFacts, RunError> {
    let module = module(host).await?;
    let Module::Loaded { .. } = module else {
        return Ok(PoolFacts::default());
    };
    let mut around = Surroundings {
        devices: lsblk::devices(host).await?,
        mounts: Vec::new(),
        by_id: ById::default(),
        module,
        imported: None,
        unreadable: Vec::new(),
        places: Vec::new(),
        importable: None,
        unlisted: false,
    };
    around.look_at_pools(host).await?;
    Ok(pools(host, &around).await)
}
