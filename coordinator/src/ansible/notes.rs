use heeler_proto::json::{AnsibleNote, AnsibleReport};

/// Where a note stands in the report.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Taken,
    Changed,
    LeftOut,
}

use Part::{Changed, LeftOut, Taken};

/// Most notes of a part: the report is for a person.
const MOST_NOTES: usize = 2000;

/// The report as it grows. The same note of several lines is one.
#[derive(Default)]
pub(super) struct Notes(AnsibleReport);

impl Notes {
    /// Notes that `what` of a line, 0 for none, went as the text says.
    pub(super) fn add(&mut self, part: Part, what: &str, line: usize, text: impl Into<String>) {
        let text = text.into();
        let notes = match part {
            Taken => &mut self.0.taken,
            Changed => &mut self.0.changed,
            LeftOut => &mut self.0.left_out,
        };
        let line = u32::try_from(line).ok().filter(|line| *line > 0);
        let known = notes.iter().rposition(|note| note.what == what && note.text == text);
        match known {
            Some(at) => {
                let lines = &mut notes[at].lines;
                lines.extend(line.filter(|line| !lines.contains(line)));
            }
            None if notes.len() < MOST_NOTES => notes.push(AnsibleNote {
                what: what.to_owned(),
                lines: line.into_iter().collect(),
                text,
            }),
            None => {}
        }
    }

    pub(super) fn finish(mut self) -> AnsibleReport {
        for note in [&mut self.0.taken, &mut self.0.changed, &mut self.0.left_out]
            .into_iter()
            .flatten()
        {
            note.lines.sort_unstable();
        }
        self.0
    }
}
