//! Which snapshots stay and which go, each with its reason. Pure.
//!
//! A snapshot goes only when all of this holds: it carries Heeler's mark itself, and a name of Heeler's; nobody holds it and nothing is cloned
//! from it; it is neither the dataset's newest, nor the newest of ours, nor the newest that a copy has in common; and
//! for each class that it serves there are as many newer ones as are kept, and it is older than that many periods.
//! Newer means made later, whatever the clock said.

use std::fmt;

use heeler_host::zfs::Snapshot;
use heeler_proto::{Class, Keep};

use super::round::NAMED;
use super::{Classes, calendar};

/// What becomes of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneDecision {
    /// It stays.
    Keep(Why),
    /// It goes with the next round.
    Prune(Beyond),
}

/// Why a snapshot stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Heeler did not make it.
    NotOurs,
    /// A person asked Heeler for it.
    Manual,
    /// Its mark says something that this version does not know.
    Unknown,
    /// A person has given it another name: they want it.
    Renamed,
    /// What ZFS says of it cannot be read.
    Odd,
    /// This many tags hold it.
    Held(u32),
    /// This many datasets live on it.
    Cloned(usize),
    /// No policy names its dataset.
    NoPolicy,
    /// Nothing of the dataset is newer.
    Newest,
    /// Nothing of ours is newer.
    NewestOfOurs,
    /// The newest that a copy elsewhere has too.
    Common,
    /// It is from the future: the clock was, or is, wrong.
    Future,
    /// One of those that are wanted.
    Wanted {
        /// Of which class.
        class: Class,
        /// 1 for the newest.
        place: usize,
        /// How many are kept.
        of: u32,
    },
    /// There are enough newer ones, and it is not old enough.
    Young {
        /// Of which class.
        class: Class,
        /// When it will be, Unix seconds.
        until_s: u64,
    },
}

/// Why a snapshot goes: of the longest class that it serves there are this many newer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beyond {
    /// Of which class.
    pub class: Class,
    /// How many are kept.
    pub of: u32,
}

impl PruneDecision {
    /// Whether it goes.
    #[must_use]
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
                Why::NewestOfOurs => f.write_str("the newest of ours"),
                Why::Common => f.write_str("the newest that a copy has too"),
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

/// One decision for each snapshot of one dataset, in their order, which must be that of their making. `keep` is its
/// policy; `common` holds the guids of the newest snapshot that each copy has too.
#[must_use]
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

/// What other counts mean for the snapshots that are there.
#[derive(Debug, Default)]
pub struct Lowered<'a> {
    /// Those that lose the place that kept them longest: they go as soon as they are old enough.
    pub victims: Vec<&'a Snapshot>,
    /// Whether any stays for a shorter time, a victim or not.
    pub any: bool,
}

/// What `after` takes from snapshots that `before` kept: by places and lengths of periods alone, so that it does not depend
/// on the minute in which somebody asks, nor on what else keeps a snapshot for the moment, as being the newest does.
/// Without a policy before, only those count that the new one has no place for.
#[must_use]
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

/// The classes of one that the schedule took, and that still has its name.
fn scheduled(snapshot: &Snapshot) -> Option<Classes> {
    let classes = Classes::read(snapshot.mark.as_deref()?);
    let serves = !snapshot.is_odd()
        && snapshot.name.starts_with(NAMED)
        && !classes.is_unknown()
        && classes.iter().next().is_some();
    serves.then_some(classes)
}

/// `young` may keep a snapshot that its class's count does not.
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
