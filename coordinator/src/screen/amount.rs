use heeler_proto::duration::span;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Time since `then_ms` in one unit: "4 s", "12 min", "3 h", "9 d"; "never" for 0.
pub fn ago(then_ms: u64, now_ms: u64) -> String {
    match then_ms {
        0 => "never".into(),
        _ => span(now_ms.saturating_sub(then_ms)),
    }
}

/// Time left until `until_ms`, rounded up to a minute, in minutes up to 2 hours: "2 h", "119 min", "30 s".
pub fn left(now_ms: u64, until_ms: u64) -> String {
    let left_ms = until_ms.saturating_sub(now_ms);
    match left_ms.div_ceil(60_000) {
        0 | 1 if left_ms < 60_000 => span(left_ms),
        minutes @ 0..120 => format!("{minutes} min"),
        minutes => span(minutes * 60_000),
    }
}

/// Local time of day.
pub fn clock(at_ms: u64, zone: &TimeZone) -> String {
    format(at_ms, zone, "%H:%M:%S")
}

pub fn date(at_ms: u64, zone: &TimeZone) -> String {
    format(at_ms, zone, "%Y-%m-%d %H:%M")
}

fn format(at_ms: u64, zone: &TimeZone, how: &str) -> String {
    let at = i64::try_from(at_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "?".into(), |at| at.to_zoned(zone.clone()).strftime(how).to_string())
}

/// Decimal size, as disks are sold: "128GB".
pub fn decimal(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{bytes}B"),
        1_000_000..1_000_000_000 => format!("{}MB", bytes / 1_000_000),
        1_000_000_000..1_000_000_000_000 => format!("{}GB", bytes / 1_000_000_000),
        _ => {
            let tenths = bytes / 100_000_000_000;
            match tenths % 10 {
                0 => format!("{}TB", tenths / 10),
                tenth => format!("{}.{tenth}TB", tenths / 10),
            }
        }
    }
}

/// Binary size, as file systems count: "119 GiB".
pub fn gibibytes(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{bytes} B"),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        1_073_741_824..10_995_116_277_760 => format!("{} GiB", bytes >> 30),
        _ => format!("{} TiB", bytes >> 40),
    }
}

/// A number with its noun: "1 change", "2 changes".
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_one_short_unit() {
        let now = 400 * 86_400_000;
        let past = |seconds: u64| ago(now - seconds * 1000, now);
        let said = [0, 59, 60, 3_599, 3_600, 172_799, 172_800].map(past);
        assert_eq!(said, ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
        assert_eq!((ago(0, now), ago(now + 5, now)), ("never".into(), "0 s".into()));
    }

    #[test]
    fn the_time_left_is_rounded_up() {
        let hours = 7_200_000;
        let said = [0, 1_000, 61_000, 7_170_000].map(|past| left(past, hours));
        assert_eq!(said, ["2 h", "2 h", "119 min", "30 s"]);
    }

    #[test]
    fn sizes_are_as_sold_and_as_usable() {
        assert_eq!(
            [128_035_676_160, 2_000_398_934_016, 1_500_000_000_000, 1 << 20].map(decimal),
            ["128GB", "2TB", "1.5TB", "1MB"]
        );
        assert_eq!(
            [128_035_676_160, 1 << 20, 20 << 40].map(gibibytes),
            ["119 GiB", "1 MiB", "20 TiB"]
        );
    }

    #[test]
    fn a_time_is_shown_in_the_zone_of_the_reader() {
        let zone = TimeZone::fixed(jiff::tz::offset(10));
        assert_eq!(clock(1_700_000_000_000, &zone), "08:13:20");
        assert_eq!(date(1_700_000_000_000, &zone), "2023-11-15 08:13");
        assert_eq!(date(u64::MAX, &zone), "?");
    }
}
