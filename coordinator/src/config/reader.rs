use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use heeler_proto::Keep;

use super::kind::{self, Kind};
use super::{ConfigError, Place};
use crate::known::nearest;

/// A value with its position in heeler.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The parsed value.
    pub value: T,
    /// Its position.
    pub place: Place,
}

/// Collects mistakes, so that a person sees all of them at once.
pub(super) struct Report<'t> {
    text: &'t str,
    errors: RefCell<Vec<ConfigError>>,
}

impl<'t> Report<'t> {
    pub(super) fn on(text: &'t str) -> Self {
        Self {
            text,
            errors: RefCell::default(),
        }
    }

    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::of(self.text, span)
    }

    /// `hint` says what to write; empty when nothing is known to help.
    pub(super) fn error(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        let hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        let error = ConfigError::new(self.text, place, message, hint);
        self.errors.borrow_mut().push(error);
    }

    pub(super) fn finish(self) -> Vec<ConfigError> {
        let mut errors = self.errors.into_inner();
        errors.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
        errors.dedup();
        errors
    }
}

/// Why a value is refused: what was found, and what to write instead.
pub(super) struct Unfit {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Unfit {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// `text` is not `what`, such as "a size".
    pub(super) fn not(text: &str, what: &str, hint: impl Into<String>) -> Self {
        Self::new(format!("{text:?} is not {what}"), hint)
    }
}

/// A table that is read key by key. [`Table::finish`] reports keys that were not read.
pub(super) struct Table<'r, 't> {
    report: &'r Report<'t>,
    /// Name in messages: `[nodes.a]`.
    name: String,
    pub(super) place: Place,
    entries: Vec<Entry<'t>>,
    known: Vec<&'static str>,
}

struct Entry<'t> {
    key: String,
    place: Place,
    value: Option<Spanned<DeValue<'t>>>,
}

impl<'r, 't> Table<'r, 't> {
    pub(super) fn new(report: &'r Report<'t>, name: impl Into<String>, place: Place, table: DeTable<'t>) -> Self {
        let entry = |(key, value): (Spanned<_>, _)| Entry {
            place: report.place(key.span()),
            key: std::borrow::Cow::into_owned(key.into_inner()),
            value: Some(value),
        };
        let mut entries: Vec<_> = table.into_iter().map(entry).collect();
        entries.sort_by_key(|entry| entry.place);
        Self {
            report,
            name: name.into(),
            place,
            entries,
            known: Vec::new(),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<(Place, Spanned<DeValue<'t>>)> {
        self.known.push(key);
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        Some((entry.place, entry.value.take()?))
    }

    /// The keys of a table whose keys are names, in the order of the file.
    pub(super) fn names(&mut self) -> Vec<(Located<String>, Spanned<DeValue<'t>>)> {
        let all = std::mem::take(&mut self.entries).into_iter();
        all.filter_map(|entry| {
            let name = Located {
                value: entry.key,
                place: entry.place,
            };
            Some((name, entry.value?))
        })
        .collect()
    }

    fn wrong_kind(&self, place: Place, key: &str, wanted: Kind, found: &DeValue<'_>) {
        let message = format!("{key} must be {}, found {}", wanted.name(), kind::found(found));
        self.report.error(place, message, wanted.hint(key, found));
    }

    fn parse<T>(
        &self,
        what: &str,
        value: &Spanned<DeValue<'t>>,
        parse: impl Fn(&str) -> Result<T, Unfit>,
    ) -> Option<Located<T>> {
        let place = self.report.place(value.span());
        let Some(text) = value.get_ref().as_str() else {
            self.no_text(place, what, value.get_ref(), parse);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(Located { value, place }),
            Err(unfit) => {
                self.report.error(place, unfit.message, unfit.hint.unwrap_or_default());
                None
            }
        }
    }

    /// Reports a value without quotes. A text that `parse` would refuse is not advised.
    fn no_text<T>(&self, place: Place, what: &str, found: &DeValue<'_>, parse: impl Fn(&str) -> Result<T, Unfit>) {
        let refused = kind::scalar(found).and_then(|text| parse(&text).err());
        let message = format!("{what} must be {}, found {}", Kind::Text.name(), kind::found(found));
        let hint = match (refused, kind::scalar(found)) {
            (Some(unfit), _) => unfit.hint,
            (None, Some(text)) if what.contains(' ') => Some(format!("write {text:?}")),
            (None, _) => Some(Kind::Text.hint(what, found)),
        };
        self.report.error(place, message, hint.unwrap_or_default());
    }

    /// A text that `parse` accepts; None when it is missing or refused.
    pub(super) fn text<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Unfit>,
    ) -> Option<Located<T>> {
        let (_, value) = self.take(key)?;
        self.parse(key, &value, parse)
    }

    /// As [`Self::text`]; a missing key is reported with an example.
    pub(super) fn required<T>(
        &mut self,
        key: &'static str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, Unfit>,
    ) -> Option<Located<T>> {
        self.demand(key, example);
        self.text(key, parse)
    }

    /// Reports the key as missing unless the table has it.
    pub(super) fn demand(&self, key: &str, example: &str) {
        if !self.entries.iter().any(|entry| entry.key == key) {
            let message = match self.name.as_str() {
                "" => format!("the file has no [{key}]"),
                name => format!("{name} has no {key}"),
            };
            self.report.error(self.place, message, format!("write {example}"));
        }
    }

    /// A list of texts that `parse` accepts; None when it refuses one.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Unfit>,
    ) -> Option<Located<Vec<Located<T>>>> {
        let (_, value) = self.take(key)?;
        let place = self.report.place(value.span());
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_kind(place, key, Kind::List, value.get_ref());
            return None;
        };
        let what = format!("each item of {key}");
        let all: Vec<_> = array.iter().map(|one| self.parse(&what, one, &parse)).collect();
        let value = all.into_iter().collect::<Option<_>>()?;
        Some(Located { value, place })
    }

    /// Reports a mistake at the position of a list.
    pub(super) fn error_at<T>(&self, list: &Option<Located<T>>, message: &str, hint: &str) {
        let place = list.as_ref().map_or(self.place, |list| list.place);
        self.report.error(place, message, hint);
    }

    /// Checks one of this table's own names with `parse`.
    pub(super) fn check<T>(
        &self,
        name: &Located<String>,
        parse: impl Fn(&str) -> Result<T, Unfit>,
    ) -> Option<Located<T>> {
        match parse(&name.value) {
            Ok(value) => Some(Located {
                value,
                place: name.place,
            }),
            Err(unfit) => {
                self.report
                    .error(name.place, unfit.message, unfit.hint.unwrap_or_default());
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str) -> Option<Located<bool>> {
        let (_, value) = self.take(key)?;
        let place = self.report.place(value.span());
        let switch = value.get_ref().as_bool();
        if switch.is_none() {
            self.wrong_kind(place, key, Kind::Switch, value.get_ref());
        }
        switch.map(|value| Located { value, place })
    }

    /// A whole number from 0 up.
    pub(super) fn number(&mut self, key: &'static str) -> Option<Located<u32>> {
        let (_, value) = self.take(key)?;
        let place = self.report.place(value.span());
        let number = value.get_ref().as_integer();
        let parsed = number.and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        match (number, parsed) {
            (_, Some(value)) => return Some(Located { value, place }),
            (Some(number), None) => self.report.error(
                place,
                format!("{key} = {number} is out of range"),
                format!("write a number from 0 to {}", Keep::MOST),
            ),
            (None, None) => self.wrong_kind(place, key, Kind::Number, value.get_ref()),
        }
        None
    }

    /// Whether the key's value is a table.
    pub(super) fn holds_table(&self, key: &str) -> bool {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        let value = entry.and_then(|entry| entry.value.as_ref());
        value.is_some_and(|value| value.get_ref().is_table())
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'r, 't>> {
        let (place, value) = self.take(key)?;
        self.below(key, place, value)
    }

    /// Reads `value` as a table below this one.
    pub(super) fn below(&self, key: &str, place: Place, value: Spanned<DeValue<'t>>) -> Option<Table<'r, 't>> {
        let name = match self.name.trim_matches(['[', ']']) {
            "" => format!("[{key}]"),
            outer => format!("[{outer}.{key}]"),
        };
        match value.into_inner() {
            DeValue::Table(table) => Some(Table::new(self.report, name, place, table)),
            other => {
                let message = format!("{key} must be {}, found {}", Kind::Table.name(), kind::found(&other));
                let hint = Kind::Table.hint(name.trim_matches(['[', ']']), &other);
                self.report.error(place, message, hint);
                None
            }
        }
    }

    /// A list of tables below this key.
    pub(super) fn tables(&mut self, key: &'static str) -> Option<Vec<Table<'r, 't>>> {
        let (place, value) = self.take(key)?;
        match value.into_inner() {
            DeValue::Array(array) => Some(
                array
                    .into_iter()
                    .filter_map(|one| {
                        let place = self.report.place(one.span());
                        let table = self.below(key, place, one)?;
                        Some(table)
                    })
                    .collect(),
            ),
            other => {
                let wanted = match self.name.as_str() {
                    "" => format!("a list of tables in double brackets, [[{key}]]"),
                    _ => "a list of tables, [{ … }, …]".to_owned(),
                };
                let message = format!("{key} must be {wanted}, found {}", kind::found(&other));
                self.report.error(place, message, "");
                None
            }
        }
    }

    /// Reports keys that were not read.
    pub(super) fn finish(self) {
        for entry in self.entries.iter().filter(|entry| entry.value.is_some()) {
            let nearest = nearest(&entry.key, self.known.iter().copied());
            let hint = match nearest {
                Some(known) => format!("did you mean {known:?}?"),
                None => format!("known: {}", self.known.join(", ")),
            };
            let message = match self.name.as_str() {
                "" => format!("unknown table {:?}", entry.key),
                name => format!("unknown key {:?} in {name}", entry.key),
            };
            self.report.error(entry.place, message, hint);
        }
    }
}
