//! Decides which snapshots stay and which are pruned, and why. Pure.
//!
//! A snapshot is pruned only when all of this holds: it has Heeler's mark itself and a name of Heeler's; it has no
//! hold and no clone; it is neither the dataset's newest, nor Heeler's newest, nor the newest that a copy also has;
//! and for each of its classes as many newer ones exist as are kept, and it is older than that many periods. Newer
//! means created later, whatever the clock said.

use std::fmt;

use heeler_host::zfs::Snapshot;
use heeler_proto::{Class, Keep};

use super::round::NAMED;
use super::{Classes, calendar};

/// The decision about a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneDecision {
    /// It stays.
    Keep(Why),
    /// It is pruned in the next round.
    Prune(Beyond),
}

/// Why a snapshot stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Heeler did not take it.
    NotOurs,
    /// A person requested it.
    Manual,
    /// Its mark has a word that this version does not know.
    Unknown,
    /// A person renamed it.
    Renamed,
    /// ZFS reports it incompletely.
    Odd,
    /// It has this many holds.
    Held(u32),
    /// It has this many clones.
    Cloned(usize),
    /// Its dataset has no policy.
    NoPolicy,
    /// It is the newest of its dataset.
    Newest,
    /// It is Heeler's newest of its dataset.
    NewestOfOurs,
    /// It is the newest that a copy elsewhere also has.
    Common,
    /// Its creation time is in the future: the clock was or is wrong.
    Future,
    /// It is one of those to keep.
    Wanted {
        /// The class that keeps it.
        class: Class,
        /// Its place among the snapshots of the class, 1 for the newest.
        place: usize,
        /// How many of the class are kept.
        of: u32,
    },
    /// Enough newer ones exist, but it is not old enough.
    Young {
        /// The class that keeps it.
        class: Class,
        /// When it will be old enough, Unix seconds.
        until_s: u64,
    },
}

/// Why a snapshot is pruned: as many newer ones of its longest class exist as are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beyond {
    /// Its longest class.
    pub class: Class,
    /// How many of the class are kept.
    pub of: u32,
}

impl PruneDecision {
    /// Whether the snapshot is pruned.
    pub const fn prunes(&self) -> bool {
        matches!(self, Self::Prune(_))
    }
}

impl fmt::Display for PruneDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        match self {
            Self::Keep(why) => match why {
                Why::NotOurs => f.write_str("not made by heeler"),
                Why::Manual => f.write_str("made by heeler snapshot create"),
                Why::Unknown => f.write_str("marked by a later heeler"),
                Why::Renamed => f.write_str("renamed by a person"),
                Why::Odd => f.write_str("what ZFS says of it cannot be read: never pruned"),
                Why::Held(tags) => write!(f, "held by {}", plural(*tags as usize, "tag")),
                Why::Cloned(clones) => write!(f, "{} on it", plural(*clones, "clone")),
                Why::NoPolicy => f.write_str("no policy: nothing is pruned"),
                Why::Newest => f.write_str("the newest"),
                Why::NewestOfOurs => f.write_str("the newest of Heeler's"),
                Why::Common => f.write_str("the newest that a replica also has"),
                Why::Future => f.write_str("from the future: the clock was wrong"),
                Why::Wanted { class, place, of } => write!(f, "{} {place} of {of}", class.word()),
                Why::Young { class, until_s } => {
                    let stamp = calendar::Utc::of(*until_s).stamp();
                    write!(f, "{}, not old enough until {stamp}", class.word())
                }
            },
            Self::Prune(Beyond { class, of: 0 }) => write!(f, "no {} are kept", class.word()),
            Self::Prune(Beyond { class, of }) => write!(f, "{of} newer {} are there", class.word()),
        }
    }
}

/// A decision for each snapshot of one dataset. `snapshots` is in order of creation; `keep` is the dataset's policy;
/// `common` has the guid of the newest snapshot that each copy also has.
pub fn decisions(snapshots: &[Snapshot], keep: Option<&Keep>, common: &[u64], now_s: u64) -> Vec<PruneDecision> {
    judge(snapshots, keep, common, |keep, class, created_s| {
        let minutes = keep.frequent_minutes();
        let old_enough = u64::from(keep.count(class)) * calendar::length_s(class, minutes);
        let until_s = created_s.saturating_add(old_enough);
        (created_s > now_s)
            .then_some(Why::Future)
            .or((until_s >= now_s && keep.count(class) > 0).then_some(Why::Young { class, until_s }))
    })
}

/// The effect of lower counts on the present snapshots.
#[derive(Debug, Default)]
pub struct Lowered<'a> {
    /// Snapshots that lose the place that kept them longest: they are pruned once they are old enough.
    pub victims: Vec<&'a Snapshot>,
    /// Whether any snapshot is kept for a shorter time, victim or not.
    pub any: bool,
}

/// The effect of `after` on snapshots that `before` keeps. Only places and periods count: the result depends neither
/// on the time of the call nor on what else keeps a snapshot for now, such as being the newest. Without `before`,
/// only snapshots without a place in `after` count.
pub fn lowered<'a>(snapshots: &'a [Snapshot], before: Option<&Keep>, after: &Keep) -> Lowered<'a> {
    let mut places = [0_u32; 6];
    let mut lowered = Lowered::default();
    for snapshot in snapshots.iter().rev() {
        let Some(classes) = scheduled(snapshot) else { continue };
        classes.iter().for_each(|class| places[class as usize] += 1);
        if classes.is_manual() || snapshot.holds > 0 || !snapshot.clones.is_empty() {
            continue;
        }
        let longest = |keep: &Keep| {
            let left = |class| {
                let newer_to_come = keep
                    .count(class)
                    .saturating_add(1)
                    .saturating_sub(places[class as usize]);
                u64::from(newer_to_come) * calendar::length_s(class, keep.frequent_minutes())
            };
            classes.iter().map(|class| (left(class), class)).max()
        };
        let (Some((left, _)), before_left) = (longest(after), before.and_then(longest)) else {
            continue;
        };
        let (shorter, in_place) = match (before, before_left) {
            (Some(before), Some((before_left, class))) => {
                let length = |keep: &Keep| calendar::length_s(class, keep.frequent_minutes());
                let placed = places[class as usize] <= after.count(class);
                (left < before_left, placed && length(after) >= length(before))
            }
            _ => (left == 0, false),
        };
        lowered.any |= shorter;
        if shorter && !in_place {
            lowered.victims.push(snapshot);
        }
    }
    lowered.victims.reverse();
    lowered
}

/// The classes of a snapshot that the schedule took and that still has its name; None for others.
fn scheduled(snapshot: &Snapshot) -> Option<Classes> {
    let classes = Classes::read(snapshot.mark.as_deref()?);
    let serves = !snapshot.is_odd()
        && snapshot.name.starts_with(NAMED)
        && !classes.is_unknown()
        && classes.iter().next().is_some();
    serves.then_some(classes)
}

/// `young` may keep a snapshot that has no place left.
fn judge(
    snapshots: &[Snapshot],
    keep: Option<&Keep>,
    common: &[u64],
    young: impl Fn(&Keep, Class, u64) -> Option<Why>,
) -> Vec<PruneDecision> {
    let mut places = [0_usize; 6];
    let (mut newest, mut newest_of_ours) = (true, true);
    let mut decisions: Vec<PruneDecision> = Vec::with_capacity(snapshots.len());
    for snapshot in snapshots.iter().rev() {
        let classes = snapshot.mark.as_deref().map(Classes::read);
        let first = std::mem::replace(&mut newest, false);
        let renamed = !snapshot.name.starts_with(NAMED);
        let scheduled = scheduled(snapshot);
        let first_of_ours = scheduled.is_some() && std::mem::replace(&mut newest_of_ours, false);
        for class in scheduled.iter().flat_map(|classes| classes.iter()) {
            places[class as usize] += 1;
        }
        let wanted = |keep: &Keep, class: Class| {
            let (place, of) = (places[class as usize], keep.count(class));
            match place <= of as usize {
                true => Some(Why::Wanted { class, place, of }),
                false => young(keep, class, snapshot.created_s),
            }
        };
        let decision = match (classes, keep) {
            _ if snapshot.is_odd() => PruneDecision::Keep(Why::Odd),
            (None, _) => PruneDecision::Keep(Why::NotOurs),
            (Some(classes), _) if classes.is_unknown() => PruneDecision::Keep(Why::Unknown),
            (Some(classes), _) if classes.is_manual() => PruneDecision::Keep(Why::Manual),
            _ if renamed => PruneDecision::Keep(Why::Renamed),
            _ if snapshot.holds > 0 => PruneDecision::Keep(Why::Held(snapshot.holds)),
            _ if !snapshot.clones.is_empty() => PruneDecision::Keep(Why::Cloned(snapshot.clones.len())),
            (_, None) => PruneDecision::Keep(Why::NoPolicy),
            _ if first => PruneDecision::Keep(Why::Newest),
            _ if first_of_ours => PruneDecision::Keep(Why::NewestOfOurs),
            _ if common.contains(&snapshot.guid) => PruneDecision::Keep(Why::Common),
            (Some(classes), Some(keep)) => {
                let why = classes.iter().find_map(|class| wanted(keep, class));
                match (why, classes.iter().last()) {
                    (Some(why), _) => PruneDecision::Keep(why),
                    (None, Some(class)) => PruneDecision::Prune(Beyond {
                        class,
                        of: keep.count(class),
                    }),
                    (None, None) => PruneDecision::Keep(Why::Unknown),
                }
            }
        };
        decisions.push(decision);
    }
    decisions.reverse();
    decisions
}

#[cfg(test)]
pub(super) mod tests;
