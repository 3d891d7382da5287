use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Invalid, PoolName, Spec, dataset_name};

/// A class of snapshots: in each of its periods (UTC) at most one is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Every [`Keep::frequent_minutes`].
    Frequent,
    /// Each hour.
    Hourly,
    /// Each day.
    Daily,
    /// Each week, from Monday.
    Weekly,
    /// Each month.
    Monthly,
    /// Each year.
    Yearly,
}

impl Class {
    /// All classes, from the shortest period to the longest.
    pub const ALL: [Self; 6] = [
        Self::Frequent,
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// The class in a snapshot's name and property.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Frequent => "frequent",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }
}

/// How many snapshots of each class are kept. Of a class with 0 none are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// One count for each of [`Class::ALL`], in that order.
    counts: [u32; 6],
    /// The period of [`Class::Frequent`] in minutes: a divisor of 60, 1 to 30; 0 when none are kept.
    frequent_minutes: u32,
}

impl Keep {
    /// The largest count of a class.
    pub const MOST: u32 = 10_000;

    /// Takes one count for each of [`Class::ALL`]. Fails when a count exceeds [`Self::MOST`], or when frequent ones are
    /// kept and their minutes are not a divisor of 60 from 1 to 30.
    pub fn new(counts: [u32; 6], frequent_minutes: u32) -> Result<Self, Invalid> {
        if let Some(count) = counts.iter().find(|count| **count > Self::MOST) {
            return Err(Invalid::new("keep", format!("{count} is more than {}", Self::MOST)));
        }
        let divides = matches!(frequent_minutes, 1..=30) && 60 % frequent_minutes == 0;
        if counts[0] > 0 && !divides {
            return Err(Invalid::new(
                "keep.frequent_minutes",
                format!("{frequent_minutes} is not 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30"),
            ));
        }
        Ok(Self {
            counts,
            frequent_minutes: if counts[0] > 0 { frequent_minutes } else { 0 },
        })
    }

    /// The default: 24 hourly, 14 daily, 8 weekly.
    pub const fn usual() -> Self {
        Self {
            counts: [0, 24, 14, 8, 0, 0],
            frequent_minutes: 0,
        }
    }

    /// How many snapshots of the class are kept.
    pub const fn count(&self, class: Class) -> u32 {
        self.counts[class as usize]
    }

    /// The classes with a count above 0, the shortest period first.
    pub fn classes(&self) -> impl Iterator<Item = Class> + use<> {
        let keep = *self;
        Class::ALL.into_iter().filter(move |class| keep.count(*class) > 0)
    }

    /// The period of [`Class::Frequent`] in minutes; 0 when none are kept.
    pub const fn frequent_minutes(&self) -> u32 {
        self.frequent_minutes
    }
}

/// "24 hourly, 14 daily"; "nothing" when all counts are 0.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for class in self.classes() {
            let gap = if first { "" } else { ", " };
            write!(f, "{gap}{} {}", self.count(class), class.word())?;
            if class == Class::Frequent {
                write!(f, " ({} min)", self.frequent_minutes)?;
            }
            first = false;
        }
        if first { f.write_str("nothing") } else { Ok(()) }
    }
}

/// The counts of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotPolicy {
    /// Full name, such as `data/pve-files`.
    pub dataset: String,
    /// The counts to keep.
    pub keep: Keep,
}

/// Task: the node takes and prunes snapshots on its own schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepSnapshots {
    /// Sorted by dataset; each dataset occurs once.
    pub policies: Vec<SnapshotPolicy>,
}

impl KeepSnapshots {
    /// The counts of `dataset`; None when no policy names it.
    pub fn of(&self, dataset: &str) -> Option<&Keep> {
        let found = self.policies.iter().find(|policy| policy.dataset == dataset);
        found.map(|policy| &policy.keep)
    }
}

/// How often a pool is scrubbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScrubEvery {
    /// On one day of each month.
    Month,
    /// On one day of each week.
    Week,
    /// Heeler does not scrub it.
    Never,
}

/// Task: the node scrubs its pool on its own schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepScrubs {
    /// The pool to scrub.
    pub pool: PoolName,
    /// The interval of its scrubs.
    pub every: ScrubEvery,
    /// Day of the month (1 to 28) or of the week (1: Monday, to 7); unused for [`ScrubEvery::Never`].
    pub day: u32,
    /// Hour of the day in UTC, 0 to 23; unused for [`ScrubEvery::Never`].
    pub hour: u32,
}

impl Spec for KeepSnapshots {
    fn check(&self) -> Result<(), Invalid> {
        for policy in &self.policies {
            dataset_name(&policy.dataset)?;
            Keep::new(policy.keep.counts, policy.keep.frequent_minutes)?;
        }
        let mut pairs = self.policies.windows(2);
        match pairs.find(|pair| pair[0].dataset >= pair[1].dataset) {
            Some(pair) => Err(Invalid::new(
                "policies",
                format!("{} is given twice, or not in order", pair[1].dataset),
            )),
            None => Ok(()),
        }
    }
}

impl Spec for KeepScrubs {
    fn check(&self) -> Result<(), Invalid> {
        let last = match self.every {
            ScrubEvery::Month => 28,
            ScrubEvery::Week => 7,
            ScrubEvery::Never => return Ok(()),
        };
        match (1..=last).contains(&self.day) && self.hour < 24 {
            true => Ok(()),
            false => Err(Invalid::new("day", format!("day {}, hour {}", self.day, self.hour))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_must_divide_an_hour() {
        assert_eq!(Keep::usual().to_string(), "24 hourly, 14 daily, 8 weekly");
        let frequent = |minutes| Keep::new([4, 0, 0, 0, 0, 1], minutes);
        assert_eq!(frequent(15).unwrap().to_string(), "4 frequent (15 min), 1 yearly");
        assert_eq!(Keep::default().to_string(), "nothing");
        for minutes in [0, 7, 45, 60] {
            assert!(frequent(minutes).is_err(), "{minutes}");
        }
        assert!(Keep::new([0, Keep::MOST + 1, 0, 0, 0, 0], 0).is_err());
    }

    #[test]
    fn each_dataset_has_one_policy() {
        let policies = |names: &[&str]| KeepSnapshots {
            policies: names
                .iter()
                .map(|name| SnapshotPolicy {
                    dataset: (*name).to_owned(),
                    keep: Keep::usual(),
                })
                .collect(),
        };
        assert_eq!(policies(&["data/a", "data/b"]).check(), Ok(()));
        for bad in [
            &["data/a", "data/a"][..],
            &["data/b", "data/a"],
            &["data"],
            &["data/a@b"],
            &["-r/x"],
        ] {
            assert!(policies(bad).check().is_err(), "{bad:?}");
        }
    }
}
