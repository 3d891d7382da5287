use super::probe::Probe;

/// Free space that the agent and its state need on the node.
const FREE_BYTES: u64 = 64 << 20;
/// How far the node's clock may be from ours: certificates are dated an hour back.
const CLOCK_SECONDS: u64 = 300;
/// A root file system that covers less of its disk than this was not grown yet.
const GROWN_PERCENT: u64 = 80;

/// What first contact thinks of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing speaks against it.
    Ready,
    /// It is still at its first boot: wait, for this reason.
    NotYet(String),
    /// It cannot be taken on: each reason with what helps.
    Unfit(Vec<String>),
}

/// Decides before anything is touched. `now_s` is our own clock, Unix seconds.
#[must_use]
pub fn judge(probe: &Probe, now_s: u64) -> Judgement {
    let unfit: Vec<String> = [system(probe), init(probe), space(probe), clock(probe, now_s)]
        .into_iter()
        .flatten()
        .collect();
    if !unfit.is_empty() {
        return Judgement::Unfit(unfit);
    }
    match (probe.text("cloudinit"), probe.text("running")) {
        ("running" | "not started" | "not run", _) => Judgement::NotYet("cloud-init is still running".into()),
        ("error", _) => Judgement::Unfit(vec![
            "cloud-init ended with an error: see `cloud-init status --long` on the node, mend it or flash the node again".into(),
        ]),
        (_, "starting" | "initializing") => Judgement::NotYet("systemd is still starting".into()),
        _ => grown(probe),
    }
}

fn system(probe: &Probe) -> Option<String> {
    let (machine, userland) = (probe.text("machine"), probe.text("userland"));
    if !matches!(machine, "aarch64" | "x86_64") {
        return Some(format!(
            "its kernel is {machine}: flash the 64-bit Raspberry Pi OS (aarch64), or use a 64-bit x86 machine"
        ));
    }
    if userland != "64" {
        return Some(format!(
            "its kernel is 64-bit and its programs are {userland}-bit: flash the 64-bit Raspberry Pi OS"
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

fn grown(probe: &Probe) -> Judgement {
    match (probe.number("root"), probe.number("rootdisk")) {
        (Some(root), Some(disk)) if root < disk / 100 * GROWN_PERCENT => Judgement::NotYet(format!(
            "the root file system ({} MiB) has not grown to its disk ({} MiB)",
            root >> 20,
            disk >> 20
        )),
        _ => Judgement::Ready,
    }
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "something unknown" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PI: &str = "uid=1000\nmachine=aarch64\nuserland=64\nos=debian\nversion=13\npretty=Debian GNU/Linux 13 (trixie)\n\
        init=systemd\nrunning=running\ncloudinit=done\nroot=30000000000\nrootdisk=31000000000\nfree=20000000000\n\
        time=1700000000\nsynced=yes\nend=probe\n";

    fn with(name: &str, value: &str) -> Judgement {
        let text: String = PI
            .lines()
            .map(|line| match line.split_once('=') {
                Some((key, _)) if key == name => format!("{name}={value}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        judge(&Probe::parse(&text).unwrap(), 1_700_000_010)
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
    fn systems_that_heeler_does_not_drive_are_refused_with_the_way_out() {
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
            ("running", "starting"),
            ("root", "2000000000"),
        ] {
            assert!(matches!(with(name, value), Judgement::NotYet(_)), "{name}");
        }
    }

    #[test]
    fn a_probe_that_was_cut_off_is_no_probe() {
        assert_eq!(Probe::parse(PI.trim_end().strip_suffix("end=probe").unwrap()), None);
    }
}
