use crate::ask::names;
use crate::{RunError, System};

/// Where apt keeps what it fetched of its sources.
pub const LISTS: &str = "/var/lib/apt/lists";

/// A list of the packages of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its path.
    pub path: String,
    /// The component that it is of.
    pub component: String,
}

/// The lists of packages that apt has of a repository's suite. Each was complete and signed when apt fetched it.
pub async fn lists(host: &dyn System, uri: &str, suite: &str) -> Result<Vec<List>, RunError> {
    let begin = begin(uri, suite);
    let names = names(host, LISTS).await?.unwrap_or_default();
    let list = |name: String| {
        let (component, rest) = name.strip_prefix(&begin)?.split_once("_binary-")?;
        let component = component.to_owned();
        // Perhaps compressed: `_Packages.lz4`.
        let (_, kind) = rest.split_once('_')?;
        let path = format!("{LISTS}/{name}");
        (kind.split('.').next() == Some("Packages")).then_some(List { path, component })
    };
    Ok(names.into_iter().filter_map(list).collect())
}

/// What the names of the files of this suite begin with (`URItoFileName` of apt-pkg/contrib/strutl.cc).
pub(crate) fn begin(uri: &str, suite: &str) -> String {
    let bare = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let quoted = bare.replace('_', "%5f").replace('~', "%7e");
    format!("{}_dists_{suite}_", quoted.trim_end_matches('/').replace('/', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_apt_names_them() {
        for (uri, name) in [
            ("http://127.0.0.1:18099/prox", "127.0.0.1:18099_prox_dists_trixie_"),
            (
                "http://download.proxmox.com/debian/pve/",
                "download.proxmox.com_debian_pve_dists_trixie_",
            ),
            ("https://mirror/a_b~c+d", "mirror_a%5fb%7ec+d_dists_trixie_"),
        ] {
            assert_eq!(begin(uri, "trixie"), name);
        }
    }
}
