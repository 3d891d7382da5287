use heeler_proto::duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonCommand {
    /// Show the state of the agent.
    Status { json: bool },
    /// Accept no new task.
    Pause {
        /// For how long, in milliseconds; 0: until resumed.
        for_ms: u64,
        /// A clause for a message; may be empty.
        reason: String,
    },
    /// Accept tasks again.
    Resume,
    /// Remove the agent from this node.
    Release {
        /// Without asking for confirmation.
        yes: bool,
    },
}

impl PersonCommand {
    /// The command of this name; takes its options out of `words`. None for another command. Its error: a message for
    /// the person, when an option has no valid value.
    pub fn parse(command: &str, words: &mut Vec<String>) -> Result<Option<Self>, String> {
        let parsed = match command {
            "status" => Self::Status {
                json: flag("--json", words),
            },
            "pause" => Self::Pause {
                for_ms: value("--for", words)?.map_or(Ok(0), |text| duration::parse(&text))?,
                reason: value("--reason", words)?.unwrap_or_default(),
            },
            "resume" => Self::Resume,
            "release" => Self::Release {
                yes: flag("--yes", words),
            },
            _ => return Ok(None),
        };
        Ok(Some(parsed))
    }
}

fn flag(name: &str, words: &mut Vec<String>) -> bool {
    let before = words.len();
    words.retain(|word| word != name);
    words.len() < before
}

fn value(name: &str, words: &mut Vec<String>) -> Result<Option<String>, String> {
    let Some(at) = words.iter().position(|word| word == name) else {
        return Ok(None);
    };
    if at + 1 >= words.len() {
        return Err(format!("{name} needs a value"));
    }
    words.remove(at);
    Ok(Some(words.remove(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<PersonCommand>, String> {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let command = words.remove(0);
        let parsed = PersonCommand::parse(&command, &mut words)?;
        assert!(words.is_empty(), "{words:?}");
        Ok(parsed)
    }

    #[test]
    fn each_command_takes_its_own_options() {
        assert_eq!(parse("status --json"), Ok(Some(PersonCommand::Status { json: true })));
        let pause = PersonCommand::Pause {
            for_ms: 7_200_000,
            reason: "fan".into(),
        };
        assert_eq!(parse("pause --reason fan --for 2h"), Ok(Some(pause)));
        assert_eq!(parse("release"), Ok(Some(PersonCommand::Release { yes: false })));
        assert_eq!(parse("walk"), Ok(None));
    }

    #[test]
    fn a_time_needs_a_unit_and_a_length() {
        for wrong in ["pause --for 2", "pause --for 0h", "pause --for x", "pause --for"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
