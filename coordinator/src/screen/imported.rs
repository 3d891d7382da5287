use heeler_proto::json::{AnsibleNote, AnsibleReport};

use super::{Ink, Line};

/// Most line numbers shown of one note.
const MOST_LINES: usize = 6;

/// What became of an Ansible inventory.
pub fn imported(report: &AnsibleReport) -> Vec<Line> {
    let parts = [
        (Ink::Green, "Taken from the inventory", &report.taken),
        (Ink::Amber, "Changed, because it is safer", &report.changed),
        (Ink::Red, "Left out", &report.left_out),
    ];
    let mut lines = Vec::new();
    for (ink, title, notes) in parts.into_iter().filter(|(.., notes)| !notes.is_empty()) {
        lines.extend([Line::new(), Line::new().ink(ink, title)]);
        lines.extend(notes.iter().map(note));
    }
    lines
}

fn note(note: &AnsibleNote) -> Line {
    let numbers: Vec<_> = note.lines.iter().take(MOST_LINES).map(ToString::to_string).collect();
    let (word, numbers) = (if note.lines.len() > 1 { "lines" } else { "line" }, numbers.join(", "));
    let place = match note.lines.len().saturating_sub(MOST_LINES) {
        _ if numbers.is_empty() => String::new(),
        0 => format!(" ({word} {numbers})"),
        more => format!(" ({word} {numbers} and {more} more)"),
    };
    Line::of("  ")
        .ink(Ink::Bold, &note.what)
        .plain(place)
        .plain(format!("  {}", note.text))
        .hanging(6)
}
