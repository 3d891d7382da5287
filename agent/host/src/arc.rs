//! The size of ZFS's cache in RAM (ARC).

use std::path::Path;

use crate::ask::text;
use crate::{RunError, System};

/// Module parameter `zfs_arc_max` in bytes (zfs(4)); 0 is ZFS's default. Written with [`System::set_parameter`].
pub const PARAMETER: &str = "/sys/module/zfs/parameters/zfs_arc_max";

/// ARC counters, one `name type data` a line.
pub const STATS: &str = "/proc/spl/kstat/zfs/arcstats";

/// The limit and size of the ARC, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arc {
    /// The parameter `zfs_arc_max`; 0 is ZFS's default.
    pub parameter_bytes: u64,
    /// The limit in force: `c_max` of [`STATS`].
    pub max_bytes: u64,
    /// The present size: `size` of [`STATS`].
    pub size_bytes: u64,
}

/// Reads limit and size. None when the module is not loaded. Fails when a file cannot be read, or has no such number.
pub async fn read(host: &dyn System) -> Result<Option<Arc>, RunError> {
    let (Some(parameter), Some(stats)) = (text(host, PARAMETER).await?, text(host, STATS).await?) else {
        return Ok(None);
    };
    let wrong = |path: &str| {
        RunError::file(
            Path::new(path),
            std::io::Error::new(std::io::ErrorKind::InvalidData, "not as expected"),
        )
    };
    let field = |name: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(1));
        line.and_then(|value| value.parse().ok()).ok_or_else(|| wrong(STATS))
    };
    Ok(Some(Arc {
        parameter_bytes: parameter.parse().map_err(|_| wrong(PARAMETER))?,
        max_bytes: field("c_max ")?,
        size_bytes: field("size ")?,
    }))
}
