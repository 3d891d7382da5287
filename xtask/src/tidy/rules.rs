//! Rules for each single file.

use std::path::Path;

/// A longer file fails.
const MOST_LINES: usize = 500;

/// File names that say nothing about the content.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "manager", "util", "utils"];

/// What must not be committed, and what to use instead. Spelled in halves, because this file is checked too.
const NEVER: [(&str, &str); 5] = [
    (concat!("to", "do!("), "build it, or leave it out"),
    (concat!("unimplem", "ented!("), "build it, or leave it out"),
    (concat!("#[ign", "ore"), "a test that is not run proves nothing"),
    (concat!("#[al", "low("), "#[expect(..., reason = \"...\")]"),
    (concat!("#![al", "low("), "#![expect(..., reason = \"...\")]"),
];

/// Whether a person wrote this Rust file; generated code is not checked.
pub fn is_written_by_us(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rs") && !path.starts_with("proto/src/gen")
}

/// One line for each rule that this file breaks.
pub fn broken_by(path: &Path, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if path.ends_with("Cargo.toml") {
        broken.extend(lints_of_the_workspace(path, text));
    }
    if is_written_by_us(path) {
        broken.extend(name(path));
        broken.extend(length(path, text));
        broken.extend(never(path, text));
    }
    broken
}

/// Defines names of the C ABI, which the workspace's lints forbid as unsafe code.
const OWN_LINTS: &str = "agent/no-backtrace/Cargo.toml";

fn lints_of_the_workspace(path: &Path, text: &str) -> Option<String> {
    let takes_part = text.contains("[workspace]") || text.contains("[lints]\nworkspace = true");
    let takes_part = takes_part || path == Path::new(OWN_LINTS);
    (!takes_part).then(|| format!("{}: [lints] workspace = true is missing", path.display()))
}

fn name(path: &Path) -> Option<String> {
    let stems = path.with_extension("");
    let empty = stems.iter().find(|part| EMPTY_NAMES.iter().any(|name| part == name))?;
    Some(format!("{}: \"{}\" names no idea", path.display(), empty.display()))
}

fn length(path: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| {
        format!(
            "{}: {lines} lines, at most {MOST_LINES}: split it by idea",
            path.display()
        )
    })
}

fn never(path: &Path, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (pattern, instead) in NEVER.iter().filter(|(pattern, _)| line.contains(pattern)) {
            broken.push(format!("{}:{number}: {pattern}: {instead}", path.display()));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> usize {
        broken_by(Path::new(path), text).len()
    }

    #[test]
    fn each_rule_refuses_what_breaks_it_and_nothing_else() {
        assert_eq!(broken("agent/src/worker.rs", "fn f() {}\n"), 0);
        assert_eq!(broken("agent/src/utils.rs", ""), 1);
        assert_eq!(broken("agent/src/common/mod.rs", ""), 1);
        assert_eq!(broken("agent/src/util_linux.rs", ""), 0);
        assert_eq!(broken("agent/src/worker.rs", &"\n".repeat(500)), 0);
        assert_eq!(broken("agent/src/worker.rs", &"\n".repeat(501)), 1);
        for (pattern, _) in NEVER {
            assert_eq!(
                broken("agent/src/worker.rs", &format!("    {pattern}x)]")),
                1,
                "{pattern}"
            );
        }
        assert_eq!(broken("agent/Cargo.toml", "[package]\n"), 1);
        assert_eq!(
            broken("agent/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n"),
            0
        );
    }

    #[test]
    fn generated_code_is_not_checked() {
        assert_eq!(
            broken("proto/src/gen/common.rs", &format!("{}\n", NEVER[3].0).repeat(501)),
            0
        );
    }
}
