use super::FULL;
use crate::config::parse;

/// Splits a case of bad.txt into the text and the expected messages.
fn case(block: &str) -> (String, Vec<&str>) {
    let lines = |sign: &str| -> String {
        let own = block.lines().filter_map(|line| line.strip_prefix(sign));
        own.flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"])
            .collect()
    };
    let text = match lines("-").as_str() {
        "" => format!("{FULL}{}", lines("+")),
        gone => FULL.replacen(gone, &lines("+"), 1),
    };
    assert_ne!(text, FULL, "{block}");
    (
        text,
        block.lines().filter(|line| !line.starts_with(['-', '+'])).collect(),
    )
}

fn said(text: &str) -> Vec<String> {
    let errors = parse(text).expect_err(text);
    errors
        .iter()
        .map(|error| error.to_string().trim_start_matches("heeler.toml:").to_owned())
        .collect()
}

#[test]
fn every_bad_line_gets_its_place_and_cure() {
    let blocks: Vec<&str> = include_str!("bad.txt").trim().split("\n\n").skip(1).collect();
    assert!(blocks.len() > 60, "{}", blocks.len());
    let wrong = blocks.into_iter().filter_map(|block| {
        let (text, expected) = case(block);
        let said = said(&text);
        (said != expected).then(|| format!("{block}\nsays: {}\n", said.join("\n")))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_nearly_empty_file_says_what_to_write() {
    let nothing = ["1:1: the file is empty (heeler init writes a first one)"];
    assert_eq!(said(""), nothing);
    assert_eq!(said("# only a comment\n"), nothing);
    assert_eq!(
        said("[cluster]\nname = \"a\"\n"),
        ["1:1: the file has no [coordinator] (write [coordinator], and in the next line addresses = [\"IP:7443\"])"]
    );
}
