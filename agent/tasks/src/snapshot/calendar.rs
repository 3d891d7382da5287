//! UTC, and the periods of the snapshot classes. Uses Howard Hinnant's days-and-civil algorithms; no leap seconds,
//! like Unix time.

use heeler_proto::Class;

const DAY: u64 = 86_400;
/// Monday, 5 January 1970, Unix seconds.
const FIRST_MONDAY: u64 = 4 * DAY;

/// A date and time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc {
    /// 1970 or later.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Utc {
    /// From Unix seconds.
    pub const fn of(at_s: u64) -> Self {
        let shifted = at_s / DAY + 719_468;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        Self {
            year: shifted / 146_097 * 400 + year_of_era + if month <= 2 { 1 } else { 0 },
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: at_s / 3600 % 24,
            minute: at_s / 60 % 60,
            second: at_s % 60,
        }
    }

    /// As Unix seconds.
    pub const fn seconds(self) -> u64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let from_march = (self.month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + self.day - 1;
        let of_era = year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year;
        let days = year / 400 * 146_097 + of_era - 719_468;
        days * DAY + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// Such as `20261122T130501Z`.
    pub fn stamp(self) -> String {
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// Reads what [`Utc::stamp`] wrote; None for any other text.
    pub fn read(stamp: &str) -> Option<Self> {
        let digits = |from: usize, to: usize| -> Option<u64> {
            let part = stamp.get(from..to)?;
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())?
        };
        let read = Self {
            year: digits(0, 4)?,
            month: digits(4, 6)?,
            day: digits(6, 8)?,
            hour: digits(9, 11)?,
            minute: digits(11, 13)?,
            second: digits(13, 15)?,
        };
        let in_range = read.year >= 1970 && (1..=12).contains(&read.month) && (1..=31).contains(&read.day);
        (in_range && Self::of(read.seconds()) == read && read.stamp() == stamp).then_some(read)
    }

    const fn midnight(year: u64, month: u64, day: u64) -> u64 {
        let (hour, minute, second) = (0, 0, 0);
        Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        }
        .seconds()
    }
}

/// Start of the period of `class` that contains `at_s`, Unix seconds. `minutes` is the period of [`Class::Frequent`].
pub const fn start(class: Class, minutes: u32, at_s: u64) -> u64 {
    let utc = Utc::of(at_s);
    match class {
        Class::Frequent => at_s - at_s % step(minutes),
        Class::Hourly => at_s - at_s % 3600,
        Class::Daily => at_s - at_s % DAY,
        Class::Weekly if at_s < FIRST_MONDAY => 0,
        Class::Weekly => at_s - (at_s - FIRST_MONDAY) % (7 * DAY),
        Class::Monthly => Utc::midnight(utc.year, utc.month, 1),
        Class::Yearly => Utc::midnight(utc.year, 1, 1),
    }
}

/// Start of the next period, Unix seconds.
pub const fn next(class: Class, minutes: u32, at_s: u64) -> u64 {
    let utc = Utc::of(at_s);
    match class {
        Class::Frequent => start(class, minutes, at_s) + step(minutes),
        Class::Hourly => start(class, minutes, at_s) + 3600,
        Class::Daily => start(class, minutes, at_s) + DAY,
        Class::Weekly if at_s < FIRST_MONDAY => FIRST_MONDAY,
        Class::Weekly => start(class, minutes, at_s) + 7 * DAY,
        Class::Monthly if utc.month == 12 => Utc::midnight(utc.year + 1, 1, 1),
        Class::Monthly => Utc::midnight(utc.year, utc.month + 1, 1),
        Class::Yearly => Utc::midnight(utc.year + 1, 1, 1),
    }
}

/// The longest period of the class, in seconds.
pub const fn length_s(class: Class, minutes: u32) -> u64 {
    match class {
        Class::Frequent => step(minutes),
        Class::Hourly => 3600,
        Class::Daily => DAY,
        Class::Weekly => 7 * DAY,
        Class::Monthly => 31 * DAY,
        Class::Yearly => 366 * DAY,
    }
}

const fn step(minutes: u32) -> u64 {
    let minutes = if minutes == 0 { 60 } else { minutes };
    minutes as u64 * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sunday, 1 March 2026, 12:34:56.
    const NOON: u64 = 1_772_368_496;

    #[test]
    fn dates_convert_both_ways() {
        assert_eq!(Utc::of(NOON).stamp(), "20260301T123456Z");
        assert_eq!(Utc::of(1_709_210_096).stamp(), "20240229T123456Z");
        let mut at = 0;
        while at < 200 * 365 * DAY {
            assert_eq!(Utc::of(at).seconds(), at);
            for class in Class::ALL {
                let (begin, end) = (start(class, 15, at), next(class, 15, at));
                assert!(begin <= at && at < end, "{class:?} {at}");
                assert_eq!(start(class, 15, end), end, "{class:?} {at}");
                assert_eq!(start(class, 15, end - 1), begin, "{class:?} {at}");
                assert!(end - begin <= length_s(class, 15), "{class:?} {at}");
            }
            at += 40_009;
        }
    }

    #[test]
    fn only_a_stamp_is_read() {
        for at in [0, NOON, 1_709_210_096, 253_402_300_799] {
            let utc = Utc::of(at);
            assert_eq!(Utc::read(&utc.stamp()), Some(utc));
        }
        for bad in [
            "",
            "20260301T123456",
            "20260301T123456Z.",
            "20260301X123456Z",
            "20260229T123456Z",
            "20260300T123456Z",
            "20260001T123456Z",
            "20260301T243456Z",
            "+0260301T123456Z",
            "19691231T235959Z",
            "é0260301T123456Z",
        ] {
            assert_eq!(Utc::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn periods_begin_at_calendar_boundaries() {
        let begins = |class| Utc::of(start(class, 15, NOON)).stamp();
        assert_eq!(begins(Class::Frequent), "20260301T123000Z");
        assert_eq!(begins(Class::Hourly), "20260301T120000Z");
        assert_eq!(begins(Class::Daily), "20260301T000000Z");
        assert_eq!(begins(Class::Weekly), "20260223T000000Z");
        assert_eq!(begins(Class::Monthly), "20260301T000000Z");
        assert_eq!(begins(Class::Yearly), "20260101T000000Z");
        assert_eq!(Utc::of(next(Class::Weekly, 15, NOON)).stamp(), "20260302T000000Z");
        assert_eq!(Utc::of(next(Class::Monthly, 15, NOON)).stamp(), "20260401T000000Z");
    }
}
