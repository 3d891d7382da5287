use toml::de::DeValue;

use heeler_proto::Keep;

/// What a key of heeler.toml takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    List,
    Number,
    Switch,
    Table,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::List => "a list in brackets",
            Self::Number => "a whole number",
            Self::Switch => "true or false",
            Self::Table => "a table",
        }
    }

    /// What to write instead of a value of another kind. `key` is the key, or for a table its header without brackets.
    pub(super) fn hint(self, key: &str, found: &DeValue<'_>) -> String {
        let texts = || {
            found
                .as_array()
                .map(|all| all.iter().filter_map(|one| scalar(one.get_ref())))
        };
        match (self, scalar(found)) {
            (Self::Text, Some(value)) => format!("write {key} = {value:?}"),
            (Self::Text, None) => match texts().and_then(|mut all| all.next()) {
                Some(first) => format!("write one text without brackets: {key} = {first:?}"),
                None => format!("write {key} = \"…\""),
            },
            (Self::List, Some(value)) => {
                let items = value.split([',', ';', ' ', '\t']).filter(|item| !item.is_empty());
                let items: Vec<String> = items.map(|item| format!("{item:?}")).collect();
                format!("write {key} = [{}]", items.join(", "))
            }
            (Self::List, None) => format!("write {key} = [\"…\"]"),
            (Self::Number, value) => match value.and_then(|value| value.trim().parse::<u32>().ok()) {
                Some(number) => format!("write {key} = {number}"),
                None => format!("write a number from 0 to {} without quotes", Keep::MOST),
            },
            (Self::Switch, _) => format!("write {key} = true, or {key} = false, without quotes"),
            (Self::Table, _) if found.is_array() => format!("write [{key}] in single brackets"),
            (Self::Table, _) => format!("write [{key}], and its keys in the lines below it"),
        }
    }
}

pub(super) fn found(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// The text of a value that is neither a list nor a table.
pub(super) fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
