/// The name of a board in a filter of config.txt, such as `pi5`; None when it has none that Heeler knows.
pub fn board_of(model: &str) -> Option<&'static str> {
    let is = |name: &str| model.starts_with(&format!("Raspberry Pi {name}"));
    [
        ("5", "pi5"),
        ("Compute Module 5", "pi5"),
        ("4", "pi4"),
        ("Compute Module 4", "pi4"),
        ("3", "pi3"),
        ("Compute Module 3", "pi3"),
    ]
    .into_iter()
    .find_map(|(name, filter)| is(name).then_some(filter))
}

/// The text of config.txt, as the firmware of one board reads it: the last of several values wins.
#[derive(Debug, Clone, Copy)]
pub struct ConfigTxt<'a> {
    /// The whole text.
    pub text: &'a str,
    /// [`board_of`] its model.
    pub board: Option<&'static str>,
}

impl<'a> ConfigTxt<'a> {
    /// The lines that apply to the board, without comments. A filter that Heeler does not know applies to none.
    pub fn lines(self) -> impl Iterator<Item = &'a str> {
        let mut applies = true;
        self.text.lines().map(str::trim).filter(move |line| {
            if let Some(filter) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                applies = filter == "all" || Some(filter) == self.board;
                return false;
            }
            applies && !line.is_empty() && !line.starts_with('#')
        })
    }

    /// The value of a setting.
    pub fn value(self, key: &str) -> Option<&'a str> {
        let values = self.lines().filter_map(|line| line.split_once('='));
        values.filter(|(name, _)| *name == key).map(|(_, value)| value).last()
    }

    /// The value of a parameter of the device tree; empty for one without a value.
    pub fn parameter(self, name: &str) -> Option<&'a str> {
        let all = self.lines().filter_map(|line| line.strip_prefix("dtparam="));
        let all = all.flat_map(|list| list.split(','));
        let named = all.filter_map(|one| match one.split_once('=').unwrap_or((one, "")) {
            (key, value) if key == name => Some(value),
            _ => None,
        });
        named.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# kernel=a\nkernel=b\n[pi4]\nkernel=c\n[all]\ndtparam=audio=on,pciex1\n\n[cm5]\nkernel=d\n";

    #[test]
    fn only_lines_for_the_board_count() {
        let value = |board| ConfigTxt { text: TEXT, board }.value("kernel");
        assert_eq!(value(Some("pi5")), Some("b"));
        assert_eq!(value(Some("pi4")), Some("c"));
        assert_eq!(value(None), Some("b"));
    }

    #[test]
    fn parameters_may_share_a_line() {
        let config = ConfigTxt {
            text: TEXT,
            board: None,
        };
        assert_eq!(config.parameter("pciex1"), Some(""));
        assert_eq!(config.parameter("audio"), Some("on"));
        assert_eq!(config.parameter("pciex1_gen"), None);
    }

    #[test]
    fn a_board_is_known_by_its_model() {
        assert_eq!(board_of("Raspberry Pi 5 Model B Rev 1.0"), Some("pi5"));
        assert_eq!(board_of("Raspberry Pi 500"), Some("pi5"));
        assert_eq!(board_of("Raspberry Pi Zero 2 W Rev 1.0"), None);
    }
}
