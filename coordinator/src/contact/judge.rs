use super::check::Check;
use super::probe::Probe;

/// Free bytes that the agent and its state need on the node.
const FREE_BYTES: u64 = 64 << 20;
/// Largest difference of the node's clock in seconds; certificates are dated an hour back.
const CLOCK_SECONDS: u64 = 300;
/// A root file system that covers less of its disk, in percent, has not grown yet.
const GROWN_PERCENT: u64 = 80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It can be added now.
    Ready,
    /// Its first boot is not over: wait for this reason, unless the check is skipped.
    NotYet(Check, String),
    /// It cannot be added: the reasons, each with what helps.
    Unfit(Vec<String>),
}

/// Decides before anything is changed. `now_s`: this machine's clock, Unix seconds. `skip`: checks to leave out.
pub fn judge(probe: &Probe, now_s: u64, skip: &[Check]) -> Judgement {
    let looked_at = |check: &Check| !skip.contains(check);
    let may_be_skipped = [
        (Check::System, system(probe)),
        (Check::CloudInit, cloud_init(probe)),
        (Check::Space, space(probe)),
        (Check::Clock, clock(probe, now_s)),
    ];
    let may_be_skipped = may_be_skipped
        .into_iter()
        .filter(|(check, _)| looked_at(check))
        .filter_map(|(check, reason)| Some(format!("{}. {}", reason?, all_the_same(check))));
    let unfit: Vec<String> = [kernel(probe), init(probe), sudo(probe)]
        .into_iter()
        .flatten()
        .chain(may_be_skipped)
        .collect();
    if !unfit.is_empty() {
        return Judgement::Unfit(unfit);
    }
    let waits = [
        (Check::CloudInit, cloud_init_runs(probe)),
        (Check::Boot, starts(probe)),
        (Check::RootSize, small(probe)),
    ];
    let first = waits
        .into_iter()
        .filter(|(check, _)| looked_at(check))
        .find_map(|(check, why)| Some((check, why?)));
    first.map_or(Judgement::Ready, |(check, why)| Judgement::NotYet(check, why))
}

/// The sentence that says how to skip a check.
pub fn all_the_same(check: Check) -> String {
    format!("If this is intended, add --skip-check {check}")
}

fn sudo(probe: &Probe) -> Option<String> {
    (!probe.is_root() && probe.lacks("sudo"))
        .then(|| "it has no sudo: log in as root with --ssh root@HOST, or install sudo on the node".to_owned())
}

fn cloud_init(probe: &Probe) -> Option<String> {
    probe.text("cloudinit").starts_with("error").then(|| {
        "cloud-init ended with an error: see `cloud-init status --long` on the node, fix it or flash its SD card again"
            .to_owned()
    })
}

fn cloud_init_runs(probe: &Probe) -> Option<String> {
    let runs = matches!(probe.text("cloudinit"), "running" | "not started" | "not run");
    runs.then(|| "cloud-init is still running".to_owned())
}

fn starts(probe: &Probe) -> Option<String> {
    match probe.text("running") {
        "starting" | "initializing" => Some("systemd is still starting".to_owned()),
        "stopping" => Some("it is shutting down".to_owned()),
        _ => None,
    }
}

fn kernel(probe: &Probe) -> Option<String> {
    let machine = probe.text("machine");
    (!matches!(machine, "aarch64" | "x86_64")).then(|| {
        format!("its kernel is {machine}: flash the 64-bit Raspberry Pi OS (aarch64), or use a 64-bit x86 machine")
    })
}

fn system(probe: &Probe) -> Option<String> {
    let userland = probe.text("userland");
    if userland != "64" {
        return Some(format!(
            "its programs are {userland}-bit: flash the 64-bit Raspberry Pi OS"
        ));
    }
    let known = matches!(probe.text("os"), "debian" | "raspbian");
    (!known || probe.text("version") != "13").then(|| {
        format!(
            "it runs {}: Heeler needs Debian 13 or Raspberry Pi OS 13 (trixie)",
            or_unknown(probe.text("pretty"))
        )
    })
}

fn init(probe: &Probe) -> Option<String> {
    let name = probe.text("init");
    (name != "systemd").then(|| format!("process 1 is {}: Heeler needs systemd", or_unknown(name)))
}

fn space(probe: &Probe) -> Option<String> {
    let free = probe.number("free").unwrap_or(0);
    (free < FREE_BYTES).then(|| {
        format!(
            "/usr/local has {} MiB free and {} are needed: make room on the node",
            free >> 20,
            FREE_BYTES >> 20
        )
    })
}

fn clock(probe: &Probe, now_s: u64) -> Option<String> {
    let Some(time) = probe.number("time") else {
        return Some("its clock cannot be read".into());
    };
    let apart = time.abs_diff(now_s);
    (apart > CLOCK_SECONDS).then(|| {
        let way = if time < now_s { "behind" } else { "ahead of" };
        let synced = if probe.text("synced") == "yes" {
            "it is synchronised: is this machine's clock right?"
        } else {
            "see `timedatectl` on the node: it is not synchronised"
        };
        format!("its clock is {apart} s {way} this machine's: {synced}")
    })
}

fn small(probe: &Probe) -> Option<String> {
    let (root, disk) = (probe.number("root")?, probe.number("rootdisk")?);
    (root < disk / 100 * GROWN_PERCENT).then(|| {
        format!(
            "the root file system ({} MiB) has not grown to its disk ({} MiB)",
            root >> 20,
            disk >> 20
        )
    })
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "something unknown" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PI: &str = "uid=1000\nmachine=aarch64\nuserland=64\nos=debian\nversion=13\npretty=Debian GNU/Linux 13 (trixie)\n\
        init=systemd\nrunning=running\ncloudinit=done\nroot=30000000000\nrootdisk=31000000000\nfree=20000000000\n\
        time=1700000000\nsynced=yes\nsudo=/usr/bin/sudo\nend=probe\n";

    fn skipping(name: &str, value: &str, skip: &[Check]) -> Judgement {
        let lines = PI.lines().map(|line| match line.split_once('=') {
            Some((key, _)) if key == name => format!("{name}={value}"),
            _ => line.to_owned(),
        });
        let lines: Vec<String> = lines.collect();
        let probe = Probe::parse(lines.iter().map(String::as_str)).unwrap();
        judge(&probe, 1_700_000_010, skip)
    }

    fn with(name: &str, value: &str) -> Judgement {
        skipping(name, value, &[])
    }

    fn unfit(name: &str, value: &str) -> String {
        match with(name, value) {
            Judgement::Unfit(reasons) => reasons.join("; "),
            other => panic!("{name}={value}: {other:?}"),
        }
    }

    #[test]
    fn a_fresh_pi_is_ready() {
        assert_eq!(with("uid", "1000"), Judgement::Ready);
        assert_eq!(with("running", "degraded"), Judgement::Ready);
    }

    #[test]
    fn unsupported_systems_are_refused_with_advice() {
        assert!(unfit("machine", "armv7l").contains("64-bit Raspberry Pi OS"));
        assert!(unfit("userland", "32").contains("programs are 32-bit"));
        assert!(unfit("version", "12").contains("trixie"));
        assert!(unfit("os", "fedora").contains("Debian 13"));
        assert!(unfit("init", "runit").contains("systemd"));
        assert!(unfit("free", "1048576").contains("1 MiB free"));
        assert!(unfit("time", "0").contains("behind"));
        assert!(unfit("time", "1800000000").contains("ahead"));
        assert!(unfit("cloudinit", "error").contains("cloud-init"));
    }

    #[test]
    fn a_first_boot_is_waited_for() {
        for (name, value) in [
            ("cloudinit", "running"),
            ("cloudinit", "not started"),
            ("running", "starting"),
            ("running", "stopping"),
            ("root", "2000000000"),
        ] {
            assert!(matches!(with(name, value), Judgement::NotYet(..)), "{name}");
        }
    }

    #[test]
    fn every_check_names_the_way_past_it_and_it_works() {
        for (name, value, check) in [
            ("version", "12", Check::System),
            ("os", "devuan", Check::System),
            ("userland", "32", Check::System),
            ("running", "starting", Check::Boot),
            ("cloudinit", "error", Check::CloudInit),
            ("cloudinit", "running", Check::CloudInit),
            ("root", "2000000000", Check::RootSize),
            ("free", "1048576", Check::Space),
            ("time", "0", Check::Clock),
            ("time", "", Check::Clock),
        ] {
            match with(name, value) {
                Judgement::Unfit(reasons) => {
                    assert!(
                        reasons.concat().contains(&format!("--skip-check {check}")),
                        "{reasons:?}"
                    );
                }
                Judgement::NotYet(named, _) => assert_eq!(named, check),
                Judgement::Ready => panic!("{name}={value} is not looked at"),
            }
            assert_eq!(skipping(name, value, &[check]), Judgement::Ready, "{name}={value}");
        }
    }

    #[test]
    fn degraded_or_disabled_cloud_init_is_accepted() {
        for value in ["done", "degraded done", "degraded", "disabled", ""] {
            assert_eq!(with("cloudinit", value), Judgement::Ready, "{value}");
        }
    }

    #[test]
    fn a_login_without_sudo_is_refused_unless_it_is_root() {
        assert!(unfit("sudo", "").contains("--ssh root@HOST"));
        let root = PI.replace("uid=1000", "uid=0").replace("sudo=/usr/bin/sudo", "sudo=");
        let probe = Probe::parse(root.lines()).unwrap();
        assert_eq!(judge(&probe, 1_700_000_010, &[]), Judgement::Ready);
    }

    #[test]
    fn an_incomplete_probe_is_refused() {
        assert_eq!(Probe::parse(PI.lines().filter(|line| *line != "end=probe")), None);
    }
}
