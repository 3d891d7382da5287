use heeler_host::apt::{self, Trouble};

use crate::engine::Blocked;

/// What a person can do about a failed installation.
pub(super) fn explain(printed: &str) -> Option<Blocked> {
    if let Some((package, said)) = script(printed) {
        return Some(Blocked::new(
            format!("{package} could not be configured: {said}"),
            "its own script failed; the package is unpacked, and stays half configured until that works",
            format!(
                "on the node: journalctl -u 'heeler-PackagesInstalled-*' shows what the script printed; correct the cause; then: \
                 heeler apply, which configures {package} again. To do it by hand: sudo dpkg --configure -a"
            ),
        ));
    }
    let (said, trouble) = apt::trouble(printed)?;
    let again = "nothing was installed; then: heeler apply";
    let (why, next) = match trouble {
        Trouble::Damaged => (
            "a package is not what the signed list says: the mirror is being updated, or damaged",
            format!("wait an hour, or use another mirror; {again}"),
        ),
        Trouble::Full => (
            "the node's root file system is full",
            "on the node: df -h / and sudo apt-get clean, which removes downloaded packages only; then: heeler apply"
                .to_owned(),
        ),
        Trouble::Locked => (
            "another program uses apt on the node",
            "wait until it ends; then: heeler apply".to_owned(),
        ),
        Trouble::Gone => (
            "the sources no longer have the version that the plan showed",
            "on the node: sudo apt-get update; then: heeler apply, and look at the new plan".to_owned(),
        ),
        _ => (
            "the node does not get a package from its source",
            format!("look at the node's network, and on the node: sudo apt-get update; {again}"),
        ),
    };
    Some(Blocked::new(format!("apt-get install: {said}"), why, next))
}

/// The first package whose script failed, and what dpkg says about it: others fail because they depend on it.
///
/// `dpkg: error processing package PACKAGE (--configure):`, and in the next line ` installed PACKAGE package
/// post-installation script subprocess returned error exit status 1`.
fn script(printed: &str) -> Option<(String, String)> {
    // Between the two, apt may write of its progress.
    let said = || printed.lines().filter(|line| !line.starts_with("pm"));
    let pairs = said().zip(said().skip(1));
    let mut errors = pairs.filter_map(|(line, next)| {
        let rest = line.trim().strip_prefix("dpkg: error processing package ")?;
        Some((rest.split(' ').next()?.to_owned(), next.trim().to_owned()))
    });
    errors.find(|(_, said)| said.contains("script"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_failures_are_explained() {
        macro_rules! recorded {
            ($($name:literal $found:literal $next:literal,)*) => {
                $(for (stdout, stderr) in [
                    (
                        include_str!(concat!("../../../../host/fixtures/apt-2.6.1/", $name, ".stdout")),
                        include_str!(concat!("../../../../host/fixtures/apt-2.6.1/", $name, ".stderr")),
                    ),
                    (
                        include_str!(concat!("../../../../host/fixtures/apt-3.0.4/", $name, ".stdout")),
                        include_str!(concat!("../../../../host/fixtures/apt-3.0.4/", $name, ".stderr")),
                    ),
                ] {
                    let blocked = explain(&format!("{stdout}{stderr}")).unwrap();
                    assert!(blocked.found.contains($found), "{}: {}", $name, blocked.found);
                    assert!(blocked.next.contains($next), "{}: {}", $name, blocked.next);
                })*
            };
        }
        recorded! {
            "apt-get-install-script-fails" "breaks could not be configured: installed breaks package post" "--configure -a",
            "apt-get-install-damaged" "Hash Sum mismatch" "another mirror",
            "apt-get-install-gone" "File not found" "apt-get update",
            "apt-get-install-no-version" "Version '9.9' for 'pve-manager' was not found" "the new plan",
        }
        assert_eq!(explain("Setting up corosync (3.1.9) ...\n"), None);
    }
}
