//! Tests that the documentation names must exist, and each entry of the playbook has one or a reason.

use std::fs;
use std::path::Path;

const ENTRIES: &str = "docs/from-ansible.md";
/// The named entries of the playbook.
const COUNT: usize = 57;

/// One line for each `file::test` of a page in docs that does not exist, and for each wrong row of the playbook's page.
pub fn broken_in(root: &Path, path: &Path, text: &str) -> Vec<String> {
    if !path.starts_with("docs") || path.extension().is_none_or(|ending| ending != "md") {
        return Vec::new();
    }
    let page = path.display();
    let gone = |(file, name): &(&str, &str)| {
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        !source.contains(&format!("fn {name}("))
    };
    let gone = named(text).filter(gone);
    let mut broken: Vec<String> = gone
        .map(|(file, name)| format!("{page}: there is no test {name} in {file}"))
        .collect();
    if path == Path::new(ENTRIES) {
        broken.extend(wrong_rows(text));
    }
    broken
}

/// The rows are `| NUMBER | entry | what Heeler does | a test, or "none: " and the reason |`, in the order of the playbook.
fn wrong_rows(text: &str) -> Vec<String> {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('|').map(str::trim).collect())
        .filter(|cells: &Vec<&str>| cells.get(1).is_some_and(|first| first.parse::<usize>().is_ok()))
        .collect();
    let wrong = rows.iter().enumerate().filter_map(|(at, cells)| {
        let proof = cells.get(4).copied().unwrap_or_default();
        let proven = named(proof).next().is_some() || proof.strip_prefix("none: ").is_some_and(|why| !why.is_empty());
        let numbered = cells[1] == (at + 1).to_string();
        (!(proven && numbered)).then(|| {
            format!(
                "{ENTRIES}: row {}: number {}, test or reason {proof:?}",
                at + 1,
                cells[1]
            )
        })
    });
    let mut wrong: Vec<String> = wrong.collect();
    if rows.len() != COUNT {
        wrong.push(format!("{ENTRIES} has {} rows, not {COUNT}", rows.len()));
    }
    wrong
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
        let broken = broken_in(root.path(), Path::new("docs/security.md"), text);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].contains("gone") && broken[1].contains("b.rs"));
        assert!(broken_in(root.path(), Path::new("other.md"), text).is_empty());
    }

    #[test]
    fn each_entry_has_a_test_or_a_reason() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.rs"), "fn there() {}\n").unwrap();
        let rows: Vec<String> = (1..=COUNT)
            .map(|n| format!("| {n} | x | y | none: not wanted |"))
            .collect();
        let check = |rows: &[String]| broken_in(root.path(), Path::new(ENTRIES), &rows.join("\n"));
        assert!(check(&rows).is_empty());
        assert!(
            check(&rows[1..]).len() == COUNT,
            "each number is wrong, and one row is missing"
        );
        for last in ["none: ", "", "`a.rs::gone`"] {
            let mut rows = rows.clone();
            rows[7] = format!("| 8 | x | y | {last} |");
            assert_eq!(check(&rows).len(), 1, "{last}");
        }
        let mut rows = rows.clone();
        rows[7] = "| 8 | x | y | `a.rs::there` |".to_owned();
        assert!(check(&rows).is_empty());
    }
}
