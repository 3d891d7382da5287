//! Known locales and time zones, independent of the coordinator's machine.

use heeler_proto::TimeZone;
use jiff::tz::TimeZoneDatabase;

use super::reader::Unfit;
use crate::known::nearest;

const LOCALES: &str = include_str!("locales.txt");

/// Checks a UTF-8 locale of glibc: `en_AU.UTF-8`.
pub(super) fn locale(text: &str) -> Result<String, Unfit> {
    if matches!(text, "C" | "POSIX") {
        return Ok(text.to_owned());
    }
    let (name, codeset) = match text.split_once('.') {
        // A modifier follows the codeset: sr_RS.UTF-8@latin.
        Some((name, rest)) => match rest.split_once('@') {
            Some((codeset, modifier)) => (format!("{name}@{modifier}"), codeset),
            None => (name.to_owned(), rest),
        },
        None => (text.to_owned(), "UTF-8"),
    };
    let utf8 = codeset.eq_ignore_ascii_case("utf-8") || codeset.eq_ignore_ascii_case("utf8");
    let known = || LOCALES.lines().skip(1).flat_map(str::split_whitespace);
    if known().any(|known| known == name) && utf8 {
        return Ok(text.to_owned());
    }
    let hint = match known().find(|known| *known == name).or_else(|| nearest(&name, known())) {
        Some(near) => format!("did you mean \"{near}.UTF-8\"?"),
        None => "a language, a country and UTF-8, such as \"en_AU.UTF-8\"".into(),
    };
    Err(Unfit::new(format!("there is no locale {text:?}"), hint))
}

/// Checks a time zone of the IANA database: `Australia/Brisbane`.
pub(super) fn timezone(text: &str) -> Result<TimeZone, Unfit> {
    let zones = TimeZoneDatabase::bundled();
    let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
    if names.iter().any(|name| name == text)
        && let Ok(zone) = TimeZone::new(text)
    {
        return Ok(zone);
    }
    let lower = text.to_lowercase().replace(' ', "_");
    let city = |name: &&String| name.to_lowercase() == lower || name.to_lowercase().ends_with(&format!("/{lower}"));
    let near = names.iter().find(city).map(String::as_str);
    let near = near.or_else(|| nearest(&lower, names.iter().map(String::as_str)));
    let hint = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None => "a region and a city, such as \"Australia/Brisbane\"; timedatectl list-timezones lists them all".into(),
    };
    Err(Unfit::new(format!("there is no time zone {text:?}"), hint))
}
