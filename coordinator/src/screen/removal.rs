use heeler_proto::v1::{Gate, ReleasePlan};

use super::line::hang;
use super::{Ink, Line, Screen};

/// What stops on a node without its agent, what starts in its place, and what continues.
pub fn release(node: &str, told: &ReleasePlan, screen: Screen) -> Vec<Line> {
    let mut lines = vec![Line::new().ink(Ink::Bold, format!("Without its agent, on {node}"))];
    for (ink, word, all) in [
        (Ink::Amber, "stops", &told.stops),
        (Ink::Green, "starts", &told.starts),
        (Ink::Green, "continues", &told.goes_on),
    ] {
        for text in all {
            lines.extend(hang(Line::of("  ").ink(ink, word).to(13, 1), Ink::Plain, text, screen));
        }
    }
    if !told.refused.is_empty() {
        let head = Line::of("  ").ink(Ink::Red, "refused").to(13, 1);
        lines.extend(hang(head, Ink::Plain, &told.refused, screen));
    }
    lines
}

pub fn gates(gates: &[Gate], screen: Screen) -> Vec<Line> {
    let mut lines = Vec::new();
    for gate in gates {
        let head = match (gate.blocks, gate.word.as_str()) {
            (true, _) => Line::new().ink(Ink::Red, "BLOCKED"),
            (false, "") => Line::new().ink(Ink::Amber, "NOTE"),
            (false, _) => Line::new().ink(Ink::Red, "CONFIRM"),
        };
        lines.extend(hang(head.to(9, 0), Ink::Plain, &gate.found, screen));
        if !gate.next.is_empty() {
            lines.extend(hang(Line::of(" ".repeat(9)), Ink::Bold, &gate.next, screen));
        }
    }
    lines
}
