//! Tests that the threat model names must exist.

use std::fs;
use std::path::Path;

const MODEL: &str = "docs/security.md";

/// One line for each `file::test` of the threat model that does not exist.
pub fn broken_in(root: &Path, path: &Path, text: &str) -> Vec<String> {
    if path != Path::new(MODEL) {
        return Vec::new();
    }
    let gone = |(file, name): &(&str, &str)| {
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        !source.contains(&format!("fn {name}("))
    };
    named(text)
        .filter(gone)
        .map(|(file, name)| format!("{MODEL}: there is no test {name} in {file}"))
        .collect()
}

/// Each `file.rs::name` between backquotes, as file and name.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|name| name.split_once("::"))
        .filter(|(file, _)| file.ends_with(".rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_test_is_named() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.rs"), "#[test]\nfn there() {}\n").unwrap();
        let text = "| x | `a.rs::there` | `a.rs::gone` | `std::fs` | `b.rs::there` |";
        let broken = broken_in(root.path(), Path::new(MODEL), text);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].contains("gone") && broken[1].contains("b.rs"));
        assert!(broken_in(root.path(), Path::new("docs/other.md"), text).is_empty());
    }
}
