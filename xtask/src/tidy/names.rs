use std::path::Path;

/// Most words in the name of a test.
const MOST_WORDS: usize = 10;

/// One line for each test whose name has more than ten words.
pub fn too_long(path: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split('(').next());
        if let Some(name) = name.filter(|_| is_test) {
            let words = name.split('_').count();
            if words > MOST_WORDS {
                found.push(format!(
                    "{}:{number}: {name} has {words} words, at most {MOST_WORDS}: say the behaviour",
                    path.display()
                ));
            }
        }
        is_test = false;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_name_of_eleven_words_is_refused() {
        let found = |name: &str| too_long(Path::new("a.rs"), &format!("#[test]\nfn {name}() {{}}\n")).len();
        assert_eq!(found("one_two_three_four_five_six_seven_eight_nine_ten"), 0);
        assert_eq!(found("one_two_three_four_five_six_seven_eight_nine_ten_eleven"), 1);
        assert!(
            too_long(
                Path::new("a.rs"),
                "fn one_two_three_four_five_six_seven_eight_nine_ten_eleven() {}"
            )
            .is_empty()
        );
    }
}
