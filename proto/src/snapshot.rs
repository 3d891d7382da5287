use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Invalid, PoolName, v1};

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
    #[must_use]
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
pub struct Keep {
    /// One count for each of [`Class::ALL`], in that order.
    counts: [u32; 6],
    /// The period of [`Class::Frequent`] in minutes: a divisor of 60, 1 to 30; 0 when none are kept.
    frequent_minutes: u32,
}

impl Keep {
    /// The largest count of a class.
    pub const MOST: u32 = 10_000;

    /// Takes one count for each of [`Class::ALL`].
    ///
    /// # Errors
    /// When a count exceeds [`Self::MOST`], or when frequent ones are kept and their minutes are not a divisor of 60
    /// from 1 to 30.
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
    #[must_use]
    pub const fn usual() -> Self {
        Self {
            counts: [0, 24, 14, 8, 0, 0],
            frequent_minutes: 0,
        }
    }

    /// How many snapshots of the class are kept.
    #[must_use]
    pub const fn count(&self, class: Class) -> u32 {
        self.counts[class as usize]
    }

    /// The classes with a count above 0, the shortest period first.
    pub fn classes(&self) -> impl Iterator<Item = Class> + use<> {
        let keep = *self;
        Class::ALL.into_iter().filter(move |class| keep.count(*class) > 0)
    }

    /// The period of [`Class::Frequent`] in minutes; 0 when none are kept.
    #[must_use]
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
pub struct SnapshotPolicy {
    /// Full name, such as `data/pve-files`.
    pub dataset: String,
    /// The counts to keep.
    pub keep: Keep,
}

/// Task: the node takes and prunes snapshots on its own schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeepSnapshots {
    /// Sorted by dataset; each dataset occurs once.
    pub policies: Vec<SnapshotPolicy>,
}

impl KeepSnapshots {
    /// The counts of `dataset`; None when no policy names it.
    #[must_use]
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

fn dataset(text: &str) -> Result<String, Invalid> {
    let wire = v1::Dataset {
        name: text.to_owned(),
        mountpoint: "none".to_owned(),
    };
    crate::Dataset::try_from(wire).map(|dataset| dataset.name)
}

impl TryFrom<v1::Keep> for Keep {
    type Error = Invalid;
    fn try_from(wire: v1::Keep) -> Result<Self, Invalid> {
        let counts = [
            wire.frequent,
            wire.hourly,
            wire.daily,
            wire.weekly,
            wire.monthly,
            wire.yearly,
        ];
        Self::new(counts, wire.frequent_minutes)
    }
}

impl From<Keep> for v1::Keep {
    fn from(keep: Keep) -> Self {
        let [frequent, hourly, daily, weekly, monthly, yearly] = keep.counts;
        Self {
            frequent,
            frequent_minutes: keep.frequent_minutes,
            hourly,
            daily,
            weekly,
            monthly,
            yearly,
        }
    }
}

impl TryFrom<v1::KeepSnapshots> for KeepSnapshots {
    type Error = Invalid;
    fn try_from(wire: v1::KeepSnapshots) -> Result<Self, Invalid> {
        let one = |policy: v1::SnapshotPolicy| {
            Ok(SnapshotPolicy {
                dataset: dataset(&policy.dataset)?,
                keep: policy.keep.unwrap_or_default().try_into()?,
            })
        };
        let mut policies: Vec<SnapshotPolicy> = wire.policies.into_iter().map(one).collect::<Result<_, Invalid>>()?;
        policies.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        match policies.windows(2).find(|pair| pair[0].dataset == pair[1].dataset) {
            Some(pair) => Err(Invalid::new(
                "keep_snapshots.policies",
                format!("{} is given twice", pair[0].dataset),
            )),
            None => Ok(Self { policies }),
        }
    }
}

impl From<KeepSnapshots> for v1::KeepSnapshots {
    fn from(task: KeepSnapshots) -> Self {
        let one = |policy: SnapshotPolicy| v1::SnapshotPolicy {
            dataset: policy.dataset,
            keep: Some(policy.keep.into()),
        };
        Self {
            policies: task.policies.into_iter().map(one).collect(),
        }
    }
}

impl TryFrom<v1::KeepScrubs> for KeepScrubs {
    type Error = Invalid;
    fn try_from(wire: v1::KeepScrubs) -> Result<Self, Invalid> {
        let (every, last) = match wire.every() {
            v1::ScrubEvery::Month => (ScrubEvery::Month, 28),
            v1::ScrubEvery::Week => (ScrubEvery::Week, 7),
            v1::ScrubEvery::Never => (ScrubEvery::Never, u32::MAX),
            v1::ScrubEvery::Unspecified => return Err(Invalid::missing("keep_scrubs.every")),
        };
        let fits = (1..=last).contains(&wire.day) && wire.hour < 24;
        if every != ScrubEvery::Never && !fits {
            return Err(Invalid::new(
                "keep_scrubs.day",
                format!("day {}, hour {}", wire.day, wire.hour),
            ));
        }
        Ok(Self {
            pool: PoolName::new(&wire.pool)?,
            every,
            day: wire.day,
            hour: wire.hour,
        })
    }
}

impl From<KeepScrubs> for v1::KeepScrubs {
    fn from(task: KeepScrubs) -> Self {
        let every = match task.every {
            ScrubEvery::Month => v1::ScrubEvery::Month,
            ScrubEvery::Week => v1::ScrubEvery::Week,
            ScrubEvery::Never => v1::ScrubEvery::Never,
        };
        Self {
            pool: task.pool.into(),
            every: every.into(),
            day: task.day,
            hour: task.hour,
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
    fn both_requests_survive_encoding_and_name_datasets_once() {
        let policy = |dataset: &str| v1::SnapshotPolicy {
            dataset: dataset.into(),
            keep: Some(Keep::usual().into()),
        };
        let wire = |names: &[&str]| v1::KeepSnapshots {
            policies: names.iter().map(|name| policy(name)).collect(),
        };
        let task = KeepSnapshots::try_from(wire(&["data/b", "data/a"])).unwrap();
        assert_eq!(v1::KeepSnapshots::from(task), wire(&["data/a", "data/b"]));
        for bad in [&["data/a", "data/a"][..], &["data"], &["data/a@b"], &["-r/x"]] {
            assert!(KeepSnapshots::try_from(wire(bad)).is_err(), "{bad:?}");
        }
        let scrubs = |every: v1::ScrubEvery, day, hour| v1::KeepScrubs {
            pool: "data".into(),
            every: every.into(),
            day,
            hour,
        };
        let month = scrubs(v1::ScrubEvery::Month, 28, 23);
        assert_eq!(
            v1::KeepScrubs::from(KeepScrubs::try_from(month.clone()).unwrap()),
            month
        );
        assert!(KeepScrubs::try_from(scrubs(v1::ScrubEvery::Month, 29, 0)).is_err());
        assert!(KeepScrubs::try_from(scrubs(v1::ScrubEvery::Week, 8, 0)).is_err());
        assert!(KeepScrubs::try_from(scrubs(v1::ScrubEvery::Unspecified, 1, 0)).is_err());
    }
}
