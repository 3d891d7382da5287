/// ssh options that override the user's configuration, each with the OpenSSH version that introduced it; an older ssh
/// does not get it, and cannot have it in its configuration. `IgnoreUnknown` would not help: ssh takes the first
/// value of an option (ssh_config(5)), so ours would replace the user's.
const OURS: &[((u32, u32), &str)] = &[
    ((0, 0), "LogLevel=DEBUG1"),
    ((0, 0), "ConnectTimeout=10"),
    ((0, 0), "ServerAliveInterval=5"),
    ((0, 0), "ServerAliveCountMax=4"),
    // A connection that no other command shares, and that ends with this one.
    ((0, 0), "ControlMaster=no"),
    ((0, 0), "ControlPath=none"),
    ((5, 6), "ControlPersist=no"),
    ((8, 7), "ForkAfterAuthentication=no"),
    // The session runs our command on our streams and nothing else.
    ((7, 6), "RemoteCommand=none"),
    ((8, 7), "SessionType=default"),
    ((8, 7), "StdinNull=no"),
    ((0, 0), "PermitLocalCommand=no"),
    ((5, 1), "VisualHostKey=no"),
    ((9, 2), "EnableEscapeCommandline=no"),
    // The node gets no access to anything on this machine.
    ((0, 0), "ClearAllForwardings=yes"),
    ((0, 0), "ForwardAgent=no"),
    ((0, 0), "ForwardX11=no"),
    ((0, 0), "Tunnel=no"),
];

/// With a pinned key, only the file with that key decides.
const PINNED: &[((u32, u32), &str)] = &[
    ((0, 0), "GlobalKnownHostsFile=/dev/null"),
    ((0, 0), "HashKnownHosts=no"),
    ((0, 0), "CheckHostIP=no"),
    ((0, 0), "VerifyHostKeyDNS=no"),
    ((0, 0), "NoHostAuthenticationForLocalhost=no"),
    ((6, 8), "UpdateHostKeys=no"),
    ((8, 5), "KnownHostsCommand=none"),
];

/// The options for that version of ssh, each for its own `-o`.
pub fn options(version: (u32, u32), pinned: bool) -> impl Iterator<Item = &'static str> {
    let pinned: &[_] = if pinned { PINNED } else { &[] };
    let all = OURS.iter().chain(pinned);
    all.filter(move |(since, _)| version >= *since)
        .map(|(_, option)| *option)
}

/// The version from the output of `ssh -V`; 7.6 (of 2017) when it cannot be read.
pub fn version(printed: &str) -> (u32, u32) {
    let numbers = printed.split("OpenSSH_").nth(1).and_then(|rest| {
        let rest = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        let (major, rest) = rest.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    numbers.unwrap_or((7, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_goes_only_to_an_ssh_that_knows_it() {
        let of = |version| options(version, true).collect::<Vec<_>>();
        assert!(of((9, 2)).contains(&"SessionType=default"));
        assert!(!of((8, 6)).contains(&"SessionType=default"));
        assert!(of((8, 6)).contains(&"KnownHostsCommand=none"));
        assert!(!of((7, 5)).contains(&"RemoteCommand=none"));
        assert!(of((7, 5)).contains(&"ControlMaster=no"));
        assert!(!options((9, 2), false).any(|option| option.starts_with("VerifyHostKeyDNS")));
    }

    #[test]
    fn the_version_is_read_from_what_ssh_prints() {
        for (printed, expected) in [
            ("OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026\n", (9, 2)),
            ("OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1 1 Jul 2025", (10, 0)),
            ("OpenSSH_9.8p1, LibreSSL 3.3.6", (9, 8)),
            ("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2", (9, 5)),
            ("sh: 0: Illegal option -V", (7, 6)),
        ] {
            assert_eq!(version(printed), expected, "{printed}");
        }
    }
}
