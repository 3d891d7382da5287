//! The documents of --json as a page for people, from their schema.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

const HEAD: &str = "\
# What --json prints

Every command with a result takes `--json`, and prints one document on stdout, or one on each line while something happens
(`status --watch` too). Texts for people go to stderr. [schema.json](schema.json) says the same for programs (JSON Schema, 2020-12): its `properties` are the
commands. Both files are written by `cargo xtask codegen` from the .proto files.

- Each document has the key `schema`, the number of this page: 2. Keys may be added; a key that is renamed or removed gives a
  new number. A reader should ignore keys that it does not know.
- A key that is listed is always there. A list may be empty; what is absent is `null` where the type says so, and otherwise an
  empty text or 0.
- Times are Unix milliseconds (`…_ms`), sizes bytes (`…_bytes`). Guids are texts, because many programs cannot read 64 bits.
- Bytes are texts of lower-case hex digits. A word of a fixed set is in lower case; `unspecified` stands for one that this
  version does not know.
- Where one of several messages is possible, its keys are beside the others. `kind` says which event it is, `act` which change
  that cannot be undone.
- Exit codes are the same as without `--json`. A command that fails prints a [Failure](#failure) last.
";

pub fn page(schema: &Value) -> Result<String> {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Commands\n\n| command | document | |\n| --- | --- | --- |\n");
    for (name, def) in object(schema, "properties")? {
        let command = match name.as_str() {
            "heeler" => "heeler".to_owned(),
            "failure" => "any that fails".to_owned(),
            name => format!("heeler {}", name.replace('_', " ")),
        };
        let (document, lines) = match def.get("items") {
            Some(items) => (items, ", one on each line"),
            None => (def, ""),
        };
        writeln!(page, "| {command} | {}{lines} | {} |", kind(document), comment(def))?;
    }
    page.push_str("\n## Documents and their parts\n");
    for (name, def) in object(schema, "$defs")? {
        write!(page, "\n### {name}\n\n")?;
        if !comment(def).is_empty() {
            write!(page, "{}\n\n", comment(def))?;
        }
        if let Some(words) = def["oneOf"].as_array() {
            page.push_str("| word | |\n| --- | --- |\n");
            for word in words {
                writeln!(page, "| {} | {} |", kind(word), comment(word))?;
            }
            continue;
        }
        let keys = object(def, "properties")?;
        if !keys.is_empty() {
            page.push_str("| key | type | |\n| --- | --- | --- |\n");
        }
        for (key, def) in keys {
            writeln!(page, "| {key} | {} | {} |", kind(def), comment(def))?;
        }
        let cases = def["anyOf"].as_array().into_iter().flatten();
        let cases: Vec<_> = cases.filter(|case| case.get("$ref").is_some()).collect();
        if !cases.is_empty() {
            page.push_str(if keys.is_empty() { "" } else { "\n" });
            page.push_str("| with the keys of | and | |\n| --- | --- | --- |\n");
        }
        for case in cases {
            let tag = case["properties"].as_object().and_then(|keys| keys.iter().next());
            let (tag, said) = tag.map_or_else(Default::default, |(tag, word)| {
                (format!("{tag} {}", kind(word)), comment(word))
            });
            writeln!(page, "| {} | {tag} | {said} |", kind(case))?;
        }
        if keys.is_empty() && def.get("anyOf").is_none() {
            page.push_str("No keys.\n");
        }
    }
    Ok(page)
}

fn object<'a>(schema: &'a Value, key: &str) -> Result<&'a Map<String, Value>> {
    schema[key]
        .as_object()
        .with_context(|| format!("the schema has no {key}"))
}

fn comment(def: &Value) -> &str {
    def["description"].as_str().unwrap_or_default()
}

fn kind(def: &Value) -> String {
    if let Some(name) = def["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(word) = def["const"].as_str() {
        return format!("`{word}`");
    }
    match (def["anyOf"].as_array(), def.get("items")) {
        (Some(cases), _) => cases.iter().map(kind).collect::<Vec<_>>().join(" or "),
        (None, Some(items)) => format!("list of {}", kind(items)),
        (None, None) if def.get("pattern").is_some() => "hex".to_owned(),
        (None, None) => def["type"].as_str().unwrap_or_default().to_owned(),
    }
}
