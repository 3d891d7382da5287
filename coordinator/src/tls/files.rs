use nix::sys::resource::{Resource, getrlimit};

/// Open files kept for the database, listeners, copies, backups and the local socket.
const OWN: usize = 64;

/// Shares of the process's open files. A listener that is full leaves the others their share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Files {
    /// Most open handshakes on one listener; one more waits for a while, then replaces the oldest.
    pub(super) handshakes: usize,
    /// Most connections without a certificate; one more replaces the oldest.
    pub(super) anonymous: usize,
    /// Most connections of operators.
    pub(super) operators: usize,
    /// Most connections of agents.
    pub(super) agents: usize,
}

impl Files {
    /// The shares of a process that may have `limit` open files.
    pub(super) fn of(limit: usize) -> Self {
        let handshakes = (limit / 16).clamp(8, 512);
        let anonymous = (limit / 16).clamp(8, 64);
        let operators = (limit / 16).clamp(8, 256);
        let others = OWN + 3 * handshakes + anonymous + operators;
        Self {
            handshakes,
            anonymous,
            operators,
            agents: limit.saturating_sub(others).clamp(8, 50_000),
        }
    }

    pub(super) fn of_this_process() -> Self {
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(1_024, |(now, _)| now);
        Self::of(usize::try_from(limit).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listeners_together_never_have_all_files() {
        for limit in [256, 1_024, 4_096, 65_536, 1 << 30, usize::MAX] {
            let files = Files::of(limit);
            let all = OWN + 3 * files.handshakes + files.anonymous + files.operators + files.agents;
            assert!(all <= limit, "{limit}: {files:?}");
            assert!(files.agents >= limit.min(100_000) / 4, "{limit}: {files:?}");
        }
    }
}
