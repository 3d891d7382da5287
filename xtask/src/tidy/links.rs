//! Links of the documents to files of the repository.

use std::path::Path;

/// One line for each relative link of a Markdown file whose target does not exist.
pub fn broken_in(root: &Path, path: &Path, text: &str) -> Vec<String> {
    if path.extension().is_none_or(|e| e != "md") {
        return Vec::new();
    }
    let folder = root.join(path.parent().unwrap_or(Path::new("")));
    targets(text)
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("{}: the link to {target} leads nowhere", path.display()))
        .collect()
}

/// `[text](target#part)` → `target`; skips web addresses and links within the file.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let written = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    written
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(|target| target.split_once('#').map_or(target, |(file, _)| file))
        .filter(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_links_that_lead_nowhere_are_broken() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("docs/there.md"), "").unwrap();
        let text = "[a](there.md) [b](there.md#part) [c](#here) [d](https://example.org/x) [e](gone.md) [f](../docs)";

        assert_eq!(
            broken_in(root.path(), Path::new("docs/index.md"), text),
            ["docs/index.md: the link to gone.md leads nowhere"]
        );
        assert!(broken_in(root.path(), Path::new("docs/index.rs"), text).is_empty());
    }
}
