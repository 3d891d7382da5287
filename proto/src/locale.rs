use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// A locale of glibc with UTF-8, such as `en_AU.UTF-8` or `sr_RS.UTF-8@latin`, or `C`, `POSIX`: at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

impl Locale {
    /// Fails for any other spelling of UTF-8, and for anything but letters and digits in language, country and modifier.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        let whole = || {
            let (name, rest) = text.split_once(".UTF-8")?;
            let modifier = rest.is_empty() || rest.strip_prefix('@').is_some_and(word);
            (modifier && name.split('_').count() <= 2 && name.split('_').all(word)).then_some(())
        };
        match text.len() <= 64 && (matches!(text, "C" | "POSIX") || whole().is_some()) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("locale", format!("{text:?} is not the name of a locale"))),
        }
    }
}
text!(Locale);

/// Task: the node has this locale, and new sessions use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureLocale {
    /// The locale to generate and to set as LANG.
    pub locale: Locale,
}

impl Spec for EnsureLocale {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_only_ever_one_plain_word() {
        for good in ["C", "POSIX", "C.UTF-8", "eo.UTF-8", "en_AU.UTF-8", "sr_RS.UTF-8@latin"] {
            assert_eq!(Locale::new(good).unwrap().as_str(), good);
        }
        let long = format!("{}.UTF-8", "a".repeat(59));
        for bad in [
            "",
            "en_AU",
            "en_AU.utf8",
            "en_AU.ISO-8859-1",
            ".UTF-8",
            "en_.UTF-8",
            "a_b_c.UTF-8",
            "en_AU.UTF-8@",
            "en_AU.UTF-8 UTF-8",
            "en_AU.UTF-8\nC",
            "en_AU.UTF-8@a@b",
            "--help.UTF-8",
            "../x.UTF-8",
            "$(id).UTF-8",
            &long,
        ] {
            assert!(Locale::new(bad).is_err(), "{bad}");
        }
    }
}
