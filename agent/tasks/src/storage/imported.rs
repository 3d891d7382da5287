use heeler_host::disk::Surroundings;
use heeler_host::facts::{PoolFact, PoolFacts, pools};
use heeler_host::udev::ById;
use heeler_host::zfs::{Module, module};
use heeler_host::{RunError, System, lsblk};

/// The imported pools that can be read, each leg with the serial of its disk.
///
/// # Errors
/// When a program fails. Empty when ZFS is not there or not loaded.
pub async fn imported(host: &dyn System) -> Result<Vec<PoolFact>, RunError> {
    Ok(all_imported(host).await?.read)
}

/// The imported pools, also those that cannot be read. No disk is judged for it, so that it costs few programs.
///
/// # Errors
/// When a program fails. Empty when ZFS is not there or not loaded.
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
