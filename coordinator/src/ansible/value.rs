/// A variable's value as Ansible's playbooks see it. Not shown anywhere: it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Value {
    text: String,
    /// Whether text after `#` was cut off that Ansible keeps in the value.
    cut: bool,
}

impl Value {
    /// The value in a word of a host's line.
    pub(super) fn of_word(text: &str) -> Self {
        Self {
            text: literal(text).unwrap_or(text).to_owned(),
            cut: false,
        }
    }

    /// The value in a line below `[GROUP:vars]`: everything after `=`.
    pub(super) fn of_line(text: &str) -> Self {
        let text = text.trim();
        if let Some(inner) = literal(text) {
            return Self {
                text: inner.to_owned(),
                cut: false,
            };
        }
        let comment = [" #", "\t#"].iter().filter_map(|mark| text.find(mark)).min();
        let bare = comment.map_or(text, |at| text[..at].trim_end());
        Self {
            text: literal(bare).unwrap_or(bare).to_owned(),
            // Python reads a number and skips the comment after it; any other text stays as it is.
            cut: comment.is_some() && bare.parse::<f64>().is_err(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether Ansible computes the value when a playbook runs.
    pub(super) fn is_template(&self) -> bool {
        self.text.contains("{{") || self.text.contains("{%")
    }
}

/// What is between the quotes of a Python string; None for other text. A comment may follow it.
fn literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (inner, after) = text[1..].split_once(quote)?;
    let after = after.trim_start();
    (after.is_empty() || after.starts_with('#')).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_ansibles_quotes_and_comments_removed() {
        for (line, wanted, cut) in [
            ("en_AU.UTF-8 # G'day", "en_AU.UTF-8", true),
            ("22 # ssh", "22", false),
            ("'a # b'", "a # b", false),
            ("\"a\" # b", "a", false),
            ("a#b", "a#b", false),
            ("'a' 'b'", "'a' 'b'", false),
            ("", "", false),
            ("'", "'", false),
        ] {
            let value = Value::of_line(line);
            assert_eq!((value.text(), value.is_cut()), (wanted, cut), "{line}");
        }
        assert_eq!(Value::of_word("'03#pa33'").text(), "03#pa33");
        assert_eq!(Value::of_word("a # b").text(), "a # b");
    }
}
