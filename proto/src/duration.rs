//! Durations, as a person types them and reads them.

/// Reads a number with a unit, such as `90s`, `30m`, `2h` or `7d`, as milliseconds; at least 1 s. Its error: what to
/// write instead.
pub fn parse(text: &str) -> Result<u64, String> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit_ms = match unit {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| digits)?;
        number.checked_mul(unit_ms).filter(|ms| *ms > 0)
    };
    read().ok_or_else(|| format!("{text:?} is not a duration: write 90s, 30m, 2h or 7d"))
}

/// Milliseconds in one unit, rounded down: "4 s", "12 min", "3 h", "9 d".
pub fn span(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_its_unit() {
        for (text, ms) in [
            ("90s", 90_000),
            ("30m", 1_800_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(parse(text), Ok(ms));
        }
        for wrong in [
            "",
            "h",
            "2",
            "-1h",
            "+1h",
            "2 h",
            "2w",
            "0m",
            "1.5h",
            "99999999999999999999d",
            "9999999999999999d",
            "2µ",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_has_one_unit() {
        let shown = [0, 59_999, 60_000, 3_599_999, 3_600_000, 172_799_999, 172_800_000].map(span);
        assert_eq!(shown, ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 d"]);
    }
}
