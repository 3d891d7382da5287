use std::time::Duration;

use heeler_host::apt::{self, Change, Refusal, Room, Start};
use heeler_host::dpkg::{self, Complaint, Holder, Package};
use heeler_host::{File, RunError, System, debconf, firmware, stat};
use heeler_proto::EnsurePackages;

use super::danger::danger;
use super::set::{self, is};
use super::{plan_file, why};
use crate::base::ensure_repositories::{RepositoryFetched, SOURCE};
use crate::engine::{Blocked, Key, Op, Plan, Step, StepName};

/// Free room that an installation leaves on the card, in bytes.
const RESERVE: u64 = 1 << 30;
const ANSWERS: &str = "/var/lib/heeler-agent/packages/answers";
/// Postfix would ask; unasked, it would take mail from the network.
const MAIL: &str = "postfix postfix/main_mailer_type select Local only\n";

/// Every package that the node needs is installed and configured, as dpkg says.
pub(super) struct PackagesInstalled {
    pub(super) task: EnsurePackages,
}

pub(super) struct Observed {
    wanted: Vec<String>,
    /// Whether the node knows the repository.
    source: bool,
    packages: Vec<Package>,
    complaints: Vec<Complaint>,
    holder: Option<Holder>,
    /// What apt would do, or why it would not; None when nothing is missing, or it cannot be asked now.
    simulated: Option<Result<Vec<Change>, Refusal>>,
    room: Room,
    /// Of the root file system, in bytes.
    free: u64,
}

impl Observed {
    fn unfinished(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_unfinished())
    }

    fn start(&self) -> Start {
        match self.unfinished().next() {
            Some(_) => Start::Interrupted,
            None => Start::Whole,
        }
    }

    /// What is not there at all, and what is there in part. dpkg alone finishes the others.
    fn asked(&self) -> Vec<&str> {
        let there = |name: &str| {
            let mut of = self.packages.iter().filter(|package| is(package, name));
            of.any(|package| package.is_installed() || package.is_unfinished())
        };
        let absent = self.wanted.iter().map(String::as_str).filter(|name| !there(name));
        let partial = self.packages.iter().filter(|package| package.needs_its_files());
        absent.chain(partial.map(|package| package.name.as_str())).collect()
    }
}

impl Step for PackagesInstalled {
    const NAME: StepName = "PackagesInstalled";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let release = firmware::running(host).await?;
        let mut seen = Observed {
            wanted: set::wanted(&self.task, &release),
            source: heeler_host::whole_text(host, SOURCE).await?.is_some(),
            packages: dpkg::packages(host).await?,
            complaints: Vec::new(),
            holder: None,
            simulated: None,
            room: Room::default(),
            free: 0,
        };
        let whole = seen.unfinished().next().is_none();
        if whole && seen.asked().is_empty() {
            seen.complaints = dpkg::audit(host).await?;
            return Ok(seen);
        }
        if !seen.source {
            return Ok(seen);
        }
        seen.holder = dpkg::lock_holder(host).await?;
        if seen.holder.is_some() {
            return Ok(seen);
        }
        let asked: Vec<&str> = seen.asked();
        let simulated = apt::simulate(host, &asked, seen.start()).await?;
        if simulated.as_ref().is_ok_and(|changes| !changes.is_empty()) {
            seen.room = apt::room(host, &asked, seen.start()).await?;
            seen.free = stat::free_bytes(host, "/").await?;
        }
        seen.simulated = Some(simulated);
        Ok(seen)
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if let Some(holder) = &seen.holder {
            return Plan::Retry {
                after: Duration::from_secs(30),
                why: format!("{holder} is installing or removing packages; wait for its end, then: heeler apply"),
            };
        }
        let Some(simulated) = &seen.simulated else {
            return match seen.complaints.first() {
                Some(complaint) => unsound(complaint),
                None if seen.asked().is_empty() && seen.start() == Start::Whole => Plan::Satisfied,
                None => Plan::After(RepositoryFetched::NAME),
            };
        };
        if let Some(package) = seen.unfinished().find(|package| !package.wanted) {
            return Plan::blocked(
                format!("the removal of the package {} was interrupted", package.name),
                "Heeler installs none that somebody wants removed",
                format!("on the node: apt-get remove {}; then: heeler apply", package.name),
            );
        }
        let changes = match simulated {
            Ok(changes) => changes,
            Err(refusal) => return Plan::Blocked(refused(seen, refusal)),
        };
        if changes.is_empty() {
            return Plan::change(vec![settle(), Op::Job(dpkg::configure_command(false))]);
        }
        let zfs = seen.packages.iter().filter(|package| package.is_installed());
        let zfs = zfs.map(|package| (package.name.clone(), package.version.clone()));
        if let Some(blocked) = danger(changes, &zfs.collect::<Vec<_>>()) {
            return Plan::Blocked(blocked.at(Key::Proxmox, ""));
        }
        if let Some(full) = full(seen) {
            return full;
        }
        Plan::change(ops(seen, changes))
    }

    fn explain(&self, printed: &str) -> Option<Blocked> {
        why::explain(printed)
    }
}

fn ops(seen: &Observed, changes: &[Change]) -> Vec<Op> {
    let mut ops = Vec::new();
    if seen.start() == Start::Interrupted {
        ops.push(settle());
    }
    if changes
        .iter()
        .any(|change| change.name == "postfix" && change.from.is_none())
    {
        ops.push(Op::Write(File::text(ANSWERS, MAIL)).explained("note that the node sends no mail of others"));
        ops.push(Op::Run(debconf::answer_command(ANSWERS)).explained("answer what postfix asks"));
    }
    let plan = File::text(plan_file::PATH, plan_file::text(changes));
    ops.push(Op::Write(plan).explained("note exactly what is installed and removed"));
    let install = Op::Job(apt::install_command(changes, seen.start()));
    ops.push(install.explained(plan_file::summary(changes, seen.room)));
    ops
}

fn settle() -> Op {
    Op::Run(dpkg::settle_command()).explained("take what an interrupted dpkg has done into its database")
}

fn unsound(complaint: &Complaint) -> Plan {
    Plan::blocked(
        format!("dpkg --audit: {}: {}", complaint.text, complaint.packages.join(", ")),
        "what is installed beside a damaged package may not work",
        "write repair = true below [system] in heeler.toml; then: heeler apply",
    )
}

fn full(seen: &Observed) -> Option<Plan> {
    let needs = seen
        .room
        .fetched
        .saturating_add(seen.room.installed)
        .saturating_add(RESERVE);
    let mb = |bytes: u64| bytes.div_ceil(1_000_000);
    (needs > seen.free).then(|| {
        Plan::blocked(
            format!(
                "the card has {} MB free, and {} MB are needed",
                mb(seen.free),
                mb(needs)
            ),
            "a card that is full in the middle of an installation leaves half of it",
            "on the node: sudo apt-get clean removes downloaded packages only, and df -h / shows the room; \
             or take a larger card; then: heeler apply",
        )
    })
}

fn refused(seen: &Observed, refusal: &Refusal) -> Blocked {
    let list = |names: &[String]| names.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(" ");
    let blocked = match refusal {
        Refusal { held, .. } if !held.is_empty() => Blocked::new(
            format!("the packages {} are held, and would have to change", list(held)),
            "somebody held them on purpose (apt-mark hold)",
            format!("when they may change, on the node: sudo apt-mark unhold {}; then: heeler apply", list(held)),
        ),
        Refusal { downgraded, .. } if !downgraded.is_empty() => Blocked::new(
            format!("{} would get a lower version", list(downgraded)),
            "older programs may not read what newer ones have written",
            format!("on the node: apt-cache policy {} shows where they come from; then: heeler apply", list(downgraded)),
        ),
        Refusal { complaint, .. } => Blocked::new(
            format!("apt would not install Proxmox: {complaint}"),
            format!("it was asked for {}", seen.asked().join(" ")),
            match seen.asked().iter().find(|name| complaint.contains(&format!("package {name}")) && name.starts_with("linux-headers-")) {
                Some(_) => "the running kernel is older than any that the sources still have: on the node, sudo apt-get install \
                            the newest linux-image and linux-headers of its kind, and restart it; then: heeler apply"
                    .to_owned(),
                None => "on the node: sudo apt-get update, and apt-get -s --no-install-recommends install with these names says more; \
                         then: heeler apply"
                    .to_owned(),
            },
        ),
    };
    blocked.at(Key::Proxmox, "")
}
