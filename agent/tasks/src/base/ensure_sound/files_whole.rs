use heeler_host::dpkg::{self, Holder, Package};
use heeler_host::{File, RunError, System, initramfs};

use super::damage::Damage;
use super::packages_finished::PackagesFinished;
use super::{UNDER_WAY, content, initramfs_is_due, keep, remove, wait_for};
use crate::engine::{Op, Plan, Step, StepName};

/// The paths that a message names.
const NAMED: usize = 3;
const DAY_MS: u64 = 86_400_000;

/// No file of a package is damaged. A conffile that somebody edited or removed stays so.
pub(super) struct FilesWhole;

#[derive(Default)]
pub(super) struct Observed {
    unfinished: bool,
    damage: Damage,
    /// What [`UNDER_WAY`] has; None when it is not there.
    under_way: Option<String>,
    /// The packages of damaged and missing conffiles, by path.
    owners: Vec<(String, String)>,
    holder: Option<Holder>,
    /// Why apt cannot bring the conffiles back; None when it can, or need not.
    unfetchable: Option<String>,
}

impl Observed {
    /// Whether this repair moved the file aside.
    fn moved(&self, path: &str) -> bool {
        self.under_way
            .iter()
            .flat_map(|text| text.lines())
            .any(|line| line == path)
    }

    /// The conffiles to bring back.
    fn lost(&self) -> Vec<&str> {
        let damaged = self.damage.conffiles.iter().map(|(path, _)| path.as_str());
        let moved = self
            .damage
            .missing
            .iter()
            .map(String::as_str)
            .filter(|path| self.moved(path));
        damaged.chain(moved).collect()
    }

    /// The packages that bring them back.
    fn packages(&self) -> Vec<&str> {
        let lost = self.lost();
        let owners = self.owners.iter().filter(|(path, _)| lost.contains(&path.as_str()));
        let mut packages: Vec<&str> = owners.map(|(_, package)| package.as_str()).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// Conffiles of these packages that somebody removed; they would come back too.
    fn removed(&self, packages: &[&str]) -> Vec<&str> {
        let owned = |path: &str| {
            let mut owners = self.owners.iter().filter(|(owned, _)| owned == path);
            owners.any(|(_, package)| packages.contains(&package.as_str()))
        };
        let missing = self.damage.missing.iter().map(String::as_str);
        missing.filter(|path| !self.moved(path) && owned(path)).collect()
    }
}

impl Step for FilesWhole {
    const NAME: StepName = "FilesWhole";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let under_way = content(host, UNDER_WAY).await?;
        let mut seen = Observed {
            under_way: under_way.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            unfinished: dpkg::packages(host).await?.iter().any(Package::is_unfinished),
            ..Observed::default()
        };
        let fingerprint = state(host).await?;
        let known = seen.under_way.is_none() && host.found_in_order(fingerprint);
        if seen.unfinished || known {
            return Ok(seen);
        }
        let mut differences = dpkg::verify(host, &[]).await?;
        differences.retain(|difference| difference.path != initramfs::CONF);
        seen.damage = Damage::among(host, differences).await;
        if seen.lost().is_empty() {
            if seen.damage.others.is_empty() {
                host.remember_in_order(fingerprint);
            }
            return Ok(seen);
        }
        let missing = seen.damage.missing.iter().map(String::as_str);
        let damaged = seen.damage.conffiles.iter().map(|(path, _)| path.as_str());
        seen.owners = dpkg::owners(host, &damaged.chain(missing).collect::<Vec<_>>()).await?;
        seen.holder = dpkg::lock_holder(host).await?;
        if seen.holder.is_none() {
            seen.unfetchable = dpkg::reinstallable(host, &seen.packages()).await?.err();
        }
        Ok(seen)
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if seen.unfinished {
            return Plan::After(PackagesFinished::NAME);
        }
        if !seen.damage.others.is_empty() {
            return Plan::blocked(
                format!("files of packages are damaged: {}", some(&seen.damage.others)),
                "a card that damaged these may have damaged others that nobody can check",
                "write the card anew, or take another one; disks with pools are not touched by that. Then: heeler node add \
                 NAME --reflashed. If you changed the files yourself: on the node, apt-get install --reinstall the \
                 packages that dpkg -S shows for them; then: heeler apply",
            );
        }
        let lost = seen.lost();
        if lost.is_empty() {
            return Plan::Satisfied;
        }
        if let Some(holder) = &seen.holder {
            return wait_for(holder);
        }
        let packages = seen.packages();
        let names = packages.join(" ");
        let by_hand = format!(
            "on the node: move the damaged file away, then apt-get install --reinstall -o \
             Dpkg::Options::=--force-confmiss {names}; then: heeler apply"
        );
        let found = format!("damaged: {}", some(&lost));
        if let Some(why) = &seen.unfetchable {
            let next = format!("on the node: apt-get update; then: heeler apply. If it stays so, {by_hand}");
            return Plan::blocked(format!("{found}; {why}"), "only the package has their content", next);
        }
        let removed = seen.removed(&packages);
        if !removed.is_empty() {
            return Plan::blocked(
                format!("{found}; of the same packages somebody removed {}", some(&removed)),
                "the repair would bring back what was removed on purpose",
                by_hand,
            );
        }
        Plan::change(Self::ops(seen, &lost, &packages))
    }
}

impl FilesWhole {
    fn ops(seen: &Observed, lost: &[&str], packages: &[&str]) -> Vec<Op> {
        let damaged = &seen.damage.conffiles;
        let mut ops: Vec<Op> = damaged.iter().map(|(path, bytes)| keep(path, bytes)).collect();
        if packages.iter().any(|package| package.starts_with("initramfs-tools")) {
            ops.push(initramfs_is_due());
        }
        let list: String = lost.iter().map(|path| format!("{path}\n")).collect();
        let noted = File::private(UNDER_WAY, list.into_bytes());
        ops.push(Op::Write(noted).explained("note which files are moved aside"));
        ops.extend(damaged.iter().map(|(path, bytes)| remove(path, bytes)));
        ops.push(Op::Job(dpkg::reinstall_command(packages, true)));
        ops
    }
}

/// What `dpkg --verify` depends on. It does not tell when a disk damages a file, so it is good for this day alone.
async fn state(host: &dyn System) -> Result<[u8; 32], RunError> {
    let mut bytes = content(host, dpkg::STATUS).await?.unwrap_or_default();
    bytes.extend((host.now_ms() / DAY_MS).to_le_bytes());
    Ok(heeler_proto::sha256(&bytes))
}

/// The first ones, and the number of the others.
fn some<T: AsRef<str>>(paths: &[T]) -> String {
    let named: Vec<&str> = paths.iter().take(NAMED).map(AsRef::as_ref).collect();
    match paths.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
