//! How much memory ZFS may take for its cache.

use std::path::Path;

use crate::ask::text;
use crate::{RunError, System};

/// The running module's cap, in bytes; 0 is its own default. Written with [`System::set_parameter`].
pub const PARAMETER: &str = "/sys/module/zfs/parameters/zfs_arc_max";

/// Counters of the cache.
pub const STATS: &str = "/proc/spl/kstat/zfs/arcstats";

/// What holds now, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arc {
    /// The parameter; 0 is the module's own default.
    pub parameter_bytes: u64,
    /// The cap in force.
    pub max_bytes: u64,
    /// Bytes in use.
    pub size_bytes: u64,
}

/// None when the module is not loaded.
///
/// # Errors
/// When the files are there and not as expected.
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
