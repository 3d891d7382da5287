/// Why `apt-get` failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A repository is signed by a key that the node does not trust.
    OtherKey,
    /// The signature does not fit the content.
    BadSignature,
    /// The mirror has an old copy.
    Expired,
    /// By the node's clock, the repository is from the future.
    NotYet,
    /// The mirror has no such suite.
    NoSuite,
    /// The content does not fit the signed list.
    Damaged,
    /// The root file system is full.
    Full,
    /// Another program uses apt.
    Locked,
    /// Two sources name one repository with different keys.
    TwoKeys,
    /// No source has the version that was asked for.
    Gone,
    /// The mirror does not answer.
    Unreachable,
}

/// What a line of the program says, lower case; the first that fits decides. Of apt 2.6 and apt 3.0.
const TEXTS: [(&str, Trouble); 20] = [
    ("no space left on device", Trouble::Full),
    ("don't have enough free space", Trouble::Full),
    ("could not get lock", Trouble::Locked),
    ("unable to lock", Trouble::Locked),
    ("conflicting values set for option signed-by", Trouble::TwoKeys),
    ("no_pubkey", Trouble::OtherKey),
    ("missing key", Trouble::OtherKey),
    ("signatures were invalid", Trouble::BadSignature),
    ("message has been manipulated", Trouble::BadSignature),
    ("openpgp signature verification failed", Trouble::BadSignature),
    ("clearsigned file isn't valid", Trouble::BadSignature),
    ("is not signed", Trouble::BadSignature),
    ("is expired", Trouble::Expired),
    ("is not valid yet", Trouble::NotYet),
    ("does not have a release file", Trouble::NoSuite),
    ("file has unexpected size", Trouble::Damaged),
    ("hash sum mismatch", Trouble::Damaged),
    ("was not found", Trouble::Gone),
    ("404  not found", Trouble::Gone),
    ("failed to fetch", Trouble::Unreachable),
];

/// The first line that says why `apt-get` failed, without its mark, and what it means; None when no line is known.
pub fn trouble(printed: &str) -> Option<(String, Trouble)> {
    printed.lines().find_map(|line| {
        let marks = ["E: ", "W: ", "Error: ", "Warning: "];
        let said = marks.iter().find_map(|mark| line.trim().strip_prefix(mark))?;
        let lower = said.to_lowercase();
        let (_, trouble) = TEXTS.iter().find(|(text, _)| lower.contains(text))?;
        let words: Vec<&str> = said.split_whitespace().collect();
        Some((words.join(" "), *trouble))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recorded_failure_is_understood() {
        macro_rules! recorded {
            ($($name:literal $trouble:ident,)*) => {
                $(for folder in [
                    include_str!(concat!("../../fixtures/apt-2.6.1/", $name, ".stderr")),
                    include_str!(concat!("../../fixtures/apt-3.0.4/", $name, ".stderr")),
                ] {
                    let (said, trouble) = trouble(folder).unwrap();
                    assert_eq!(trouble, Trouble::$trouble, "{}: {said}", $name);
                })*
            };
        }
        recorded! {
            "apt-get-update-other-key" OtherKey,
            "apt-get-update-bad-signature" BadSignature,
            "apt-get-update-expired" Expired,
            "apt-get-update-not-yet" NotYet,
            "apt-get-update-unreachable" Unreachable,
            "apt-get-update-no-name" Unreachable,
            "apt-get-update-no-suite" NoSuite,
            "apt-get-update-two-keys" TwoKeys,
            "apt-get-update-damaged" Damaged,
        }
        assert_eq!(
            trouble(include_str!("../../fixtures/apt-3.0.4/apt-get-update.stderr")),
            None
        );
    }
}
