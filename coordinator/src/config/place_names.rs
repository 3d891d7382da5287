//! Known locales and time zones, independent of the coordinator's machine.

use heeler_proto::{Locale, TimeZone};
use jiff::tz::TimeZoneDatabase;

use super::reader::Unfit;
use crate::known::nearest;

const LOCALES: &str = include_str!("locales.txt");

/// Checks a locale of glibc in UTF-8: `en_AU.UTF-8`, also written as `en_AU.utf8` or `en_AU`.
pub(super) fn locale(text: &str) -> Result<Locale, Unfit> {
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
    let full = |name: &str| match name.split_once('@') {
        Some((name, modifier)) => format!("{name}.UTF-8@{modifier}"),
        None => format!("{name}.UTF-8"),
    };
    let found = match text {
        "C" | "POSIX" => Some(text.to_owned()),
        _ => (utf8 && known().any(|known| known == name)).then(|| full(&name)),
    };
    if let Some(Ok(locale)) = found.map(|name| Locale::new(&name)) {
        return Ok(locale);
    }
    let hint = match known().find(|known| *known == name).or_else(|| nearest(&name, known())) {
        Some(near) => format!("did you mean {:?}?", full(near)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_a_locale_becomes_glibcs_full_one() {
        for (written, read) in [
            ("en_AU.UTF-8", "en_AU.UTF-8"),
            ("en_AU.utf8", "en_AU.UTF-8"),
            ("en_AU", "en_AU.UTF-8"),
            ("sr_RS@latin", "sr_RS.UTF-8@latin"),
            ("sr_RS.utf-8@latin", "sr_RS.UTF-8@latin"),
            ("C", "C"),
            ("POSIX", "POSIX"),
            ("C.utf8", "C.UTF-8"),
        ] {
            assert_eq!(locale(written).map(String::from).ok().as_deref(), Some(read));
        }
    }

    #[test]
    fn every_known_locale_can_be_sent() {
        for name in LOCALES.lines().skip(1).flat_map(str::split_whitespace) {
            assert!(locale(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_modifier_of_a_suggestion_is_last() {
        let hint = locale("sr_RS@latn").err().and_then(|unfit| unfit.hint);
        assert_eq!(hint.as_deref(), Some("did you mean \"sr_RS.UTF-8@latin\"?"));
    }
}
