//! `heeler init`: what it makes, and that nothing is there where it refuses.

use std::path::{Path, PathBuf};

use super::fake::Stage;
use crate::cli::Exit;

/// Every file and folder below, with what is in it.
fn below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.clone(), std::fs::read(&path).unwrap_or_default()));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn an_operators_name_that_is_none_is_refused_before_anything_is_written() {
    let stage = Stage::empty();
    let before = below(stage.folder.path());
    for name in ["../../../escaped", "", "müller", ".hidden", "a/b"] {
        let line = format!("init --cluster k8sctl --address 10.0.0.2 --operator={name} new");
        let refused = stage.types(&line).await;
        assert_eq!(refused.exit, Exit::Usage, "{name}: {}", refused.err);
        assert!(
            refused.err.contains("letters, digits") && refused.err.contains("--operator NAME"),
            "{}",
            refused.err
        );
        assert_eq!(below(stage.folder.path()), before, "{name}");
    }
}
