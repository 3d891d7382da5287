//! Answers as json, json-pretty, yaml or a text table.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use crate::arguments::Arguments;

/// Prints rows, or one object, in the format that is asked for. `columns`: order of the text table.
pub fn print(value: &Value, columns: &str, arguments: &Arguments) -> String {
    match arguments.get("output-format") {
        Some("json") => format!("{value}\n"),
        Some("json-pretty") => pretty(value, 0) + "\n",
        Some("yaml") => yaml(value),
        _ if value.is_string() => format!("{}\n", cell(Some(value))),
        _ => table(value, columns, !arguments.is_set("noborder")),
    }
}

/// Three spaces a level and ` : `, as Perl's JSON prints.
fn pretty(value: &Value, depth: usize) -> String {
    let inner = "   ".repeat(depth + 1);
    let outer = "   ".repeat(depth);
    match value {
        Value::Array(items) if !items.is_empty() => {
            let items: Vec<String> = items
                .iter()
                .map(|v| format!("{inner}{}", pretty(v, depth + 1)))
                .collect();
            format!("[\n{}\n{outer}]", items.join(",\n"))
        }
        Value::Object(fields) if !fields.is_empty() => {
            let field = |(k, v)| format!("{inner}{} : {}", Value::from(String::clone(k)), pretty(v, depth + 1));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{\n{}\n{outer}}}", fields.join(",\n"))
        }
        other => other.to_string(),
    }
}

fn yaml(value: &Value) -> String {
    let mut text = "---\n".to_owned();
    for row in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
        for (at, (name, field)) in row.as_object().into_iter().flatten().enumerate() {
            let lead = match (value.is_array(), at) {
                (true, 0) => "- ",
                (true, _) => "  ",
                (false, _) => "",
            };
            let _ = writeln!(text, "{lead}{name}: {}", cell(Some(field)));
        }
    }
    text
}

fn cell(field: Option<&Value>) -> String {
    match field {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A table; an empty answer prints nothing.
fn table(value: &Value, columns: &str, border: bool) -> String {
    let (titles, rows): (Vec<&str>, Vec<Vec<String>>) = match value {
        Value::Object(fields) => {
            let rows = fields
                .iter()
                .map(|(name, field)| vec![name.clone(), cell(Some(field))])
                .collect();
            (vec!["key", "value"], rows)
        }
        other => {
            let titles = if columns.is_empty() {
                names(other)
            } else {
                columns.split(' ').collect()
            };
            let row = |row: &Value| titles.iter().map(|t| cell(row.get(*t))).collect();
            let rows = other.as_array().into_iter().flatten().map(row).collect();
            (titles, rows)
        }
    };
    if rows.is_empty() {
        return String::new();
    }
    let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
    let all = std::iter::once(&titles).chain(&rows);
    let widths = all.fold(vec![0; titles.len()], |widths: Vec<usize>, row| {
        widths
            .iter()
            .zip(row)
            .map(|(w, text)| (*w).max(text.chars().count()))
            .collect()
    });
    if border {
        bordered(&titles, &rows, &widths)
    } else {
        bare(&titles, &rows, &widths)
    }
}

/// Every name in some row, in the order of the alphabet.
fn names(rows: &Value) -> Vec<&str> {
    let fields = rows.as_array().into_iter().flatten().filter_map(Value::as_object);
    let names: BTreeSet<&str> = fields.flat_map(|row| row.keys().map(String::as_str)).collect();
    names.into_iter().collect()
}

fn bare(titles: &[String], rows: &[Vec<String>], widths: &[usize]) -> String {
    let mut text = String::new();
    for row in std::iter::once(titles).chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> = row.iter().zip(widths).map(|(c, w)| format!("{c:w$}")).collect();
        let _ = writeln!(text, "{}", cells.join(" ").trim_end());
    }
    text
}

fn bordered(titles: &[String], rows: &[Vec<String>], widths: &[usize]) -> String {
    let rule = |line: &str, left: char, middle: &str, right: char| {
        let parts: Vec<String> = widths.iter().map(|w| line.repeat(w + 2)).collect();
        format!("{left}{}{right}\n", parts.join(middle))
    };
    let row = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(c, w)| format!(" {c:w$} ")).collect();
        format!("│{}│\n", cells.join("│"))
    };
    let rows: Vec<String> = rows.iter().map(|r| row(r)).collect();
    rule("─", '┌', "┬", '┐')
        + &row(titles)
        + &rule("═", '╞', "╪", '╡')
        + &rows.join(&rule("─", '├', "┼", '┤'))
        + &rule("─", '└', "┴", '┘')
}
