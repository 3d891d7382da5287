use heeler_proto::v1::irreversible::Act;
use heeler_proto::v1::{
    CreatePool, Disk, DiskIdentity, EraseContents, Facts, ImportPool, Irreversible, LowerKeep, OpPreview,
};

use super::amount::{decimal, gibibytes};
use super::line::hang;
use super::{Ink, Line, Screen};

/// Column of notes and disks.
const INDENT: usize = 12;
/// Column of a note beside a line.
const NOTE: usize = 45;

/// The word to type as consent: the node's name to create a pool on disks that look blank, a serial for what would be
/// lost. None for an operation that this version does not know.
pub fn asks(node: &str, act: &Irreversible) -> Option<String> {
    match act.act.as_ref()? {
        Act::CreatePool(_) => Some(node.to_owned()),
        Act::EraseContents(erase) => Some(erase.disk.as_ref()?.serial.clone()),
        Act::ImportPool(import) => Some(import.present.first()?.serial.clone()),
        Act::LowerKeep(_) => Some(node.to_owned()),
    }
}

/// Shows everything that a consent for `op` covers.
pub(super) fn act(op: &OpPreview, act: &Irreversible, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    match &act.act {
        Some(Act::CreatePool(create)) => creation(create, facts, screen),
        Some(Act::EraseContents(erase)) => erasure(erase, facts, screen),
        Some(Act::ImportPool(import)) => incomplete_import(import, facts, screen),
        Some(Act::LowerKeep(lower)) => lower_keep(lower, &op.meaning, screen),
        None => vec![Line::new().ink(
            Ink::Red,
            "  ! something that this version of heeler cannot show, and will not ask for",
        )],
    }
}

fn head(word: &str, what: &str, note: &str, screen: Screen) -> Vec<Line> {
    let line = Line::new().ink(Ink::Red, format!("  ! {word:<5} {what}"));
    let beside = line.clone().to(NOTE, 2).ink(Ink::Dim, note);
    if beside.width() <= screen.width {
        return vec![beside];
    }
    vec![line, Line::of(" ".repeat(INDENT)).ink(Ink::Dim, note)]
}

fn creation(create: &CreatePool, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    let smallest = create.disks.iter().map(|disk| disk.size_bytes).min().unwrap_or(0);
    let what = format!("create mirror {:?}, {}", create.pool, gibibytes(smallest));
    let ashift = create.properties.iter().position(|property| property.name == "ashift");
    let note = match ashift {
        Some(at) => format!(
            "the name and ashift={} cannot be changed later",
            create.properties[at].value
        ),
        None => "the name cannot be changed later".into(),
    };
    let mut lines = head("pool", &what, &note, screen);
    lines.extend(
        create
            .disks
            .iter()
            .map(|one| disk(one, facts, |disk| disk.finding.clone())),
    );
    lines.extend(reading(create, screen));
    let other = create
        .properties
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != ashift);
    let other: Vec<_> = other
        .map(|(_, property)| format!("{}={}", property.name, property.value))
        .collect();
    if !other.is_empty() {
        lines.extend(hang(Line::of(" ".repeat(INDENT)), Ink::Dim, &other.join(" "), screen));
    }
    lines
}

/// Assumed speed of reading a disk, bytes per second, until it was measured.
const USUAL_RATE: u64 = 400_000_000;

/// Shows which disks are read completely first, and which are not.
fn reading(create: &CreatePool, screen: Screen) -> Vec<Line> {
    let (unread, read): (Vec<_>, Vec<_>) = create
        .disks
        .iter()
        .partition(|disk| create.unread.contains(&disk.serial));
    let below = || Line::of(" ".repeat(INDENT));
    let mut lines = Vec::new();
    if let Some(largest) = read.iter().map(|disk| disk.size_bytes).max() {
        let which = match (read.as_slice(), unread.len()) {
            ([_, _], 0) => "both disks".to_owned(),
            (several, _) => several
                .iter()
                .map(|disk| disk.serial.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        };
        let minutes = (largest / USUAL_RATE / 60).max(1);
        let text = format!("every byte of {which} is read first, about {minutes} min");
        lines.extend(hang(below(), Ink::Plain, &text, screen));
    }
    for disk in unread {
        let text = format!("{} is NOT read first: data that sampling missed is lost", disk.serial);
        lines.extend(hang(below(), Ink::Red, &text, screen));
    }
    lines
}

fn erasure(erase: &EraseContents, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    let Some(one) = &erase.disk else {
        return head("disk", "erase a disk that is not named", "", screen);
    };
    let what = format!("erase {}, {}", one.serial, decimal(one.size_bytes));
    let mut lines = head("disk", &what, "everything on it is lost", screen);
    lines.push(disk(one, facts, |_| erase.finding.clone()));
    lines
}

fn incomplete_import(import: &ImportPool, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    let what = format!("import {} without all its legs", import.guid);
    let mut lines = head("pool", &what, "data that only a missing disk holds is lost", screen);
    for (one, txg) in import.present.iter().zip(&import.txgs) {
        lines.push(disk(one, facts, |_| format!("last written at txg {txg}")));
    }
    for serial in &import.missing {
        lines.push(Line::of(" ".repeat(INDENT)).plain(format!("missing  {serial}")));
    }
    lines
}

/// Whether nothing is lost: the new file takes no more snapshots of these datasets, and existing ones stay.
pub(super) fn only_stops(lower: &LowerKeep) -> bool {
    lower.victims.is_empty() && lower.changes.iter().all(|change| change.after.is_empty())
}

/// Names every snapshot that would be destroyed, however many they are: a person consents to each.
fn lower_keep(lower: &LowerKeep, meaning: &str, screen: Screen) -> Vec<Line> {
    let (what, note) = match lower.victims.len() {
        0 if only_stops(lower) => {
            let stopped: Vec<&str> = lower.changes.iter().map(|change| change.dataset.as_str()).collect();
            let and = if meaning.is_empty() { "" } else { "; " };
            (format!("stop snapshots of {}{and}{meaning}", stopped.join(", ")), "")
        }
        0 => (
            "keep fewer snapshots, or keep them for less time".into(),
            "none is pruned now",
        ),
        count => (
            format!(
                "keep fewer snapshots: {} may be pruned",
                super::amount::count(count, "snapshot")
            ),
            "data that is only in these snapshots will be lost",
        ),
    };
    let mut lines = head("snap", &what, note, screen);
    let below = || Line::of(" ".repeat(INDENT));
    let mut left: Vec<&str> = lower.victims.iter().map(|victim| victim.name.as_str()).collect();
    for change in &lower.changes {
        if change.after.is_empty() {
            let text = format!(
                "no more snapshots are taken of {} (now {}); existing ones stay",
                change.dataset, change.before
            );
            lines.extend(hang(below(), Ink::Plain, &text, screen));
            continue;
        }
        let before = if change.before.is_empty() {
            "no policy"
        } else {
            &change.before
        };
        let text = format!("{}: {before} -> {}", change.dataset, change.after);
        lines.extend(hang(below(), Ink::Plain, &text, screen));
        let of = |name: &str| name.split('@').next() == Some(change.dataset.as_str());
        let (named, other): (Vec<_>, Vec<_>) = left.into_iter().partition(|name| of(name));
        left = other;
        let names: Vec<&str> = named.iter().filter_map(|name| Some(name.split_once('@')?.1)).collect();
        match names.is_empty() {
            true => {
                let text = "existing snapshots stay, and are pruned earlier";
                lines.extend(hang(below(), Ink::Plain, text, screen));
            }
            false => lines.extend(hang(below().ink(Ink::Red, "- "), Ink::Red, &names.join(" "), screen)),
        }
    }
    if !left.is_empty() {
        lines.extend(hang(below().ink(Ink::Red, "- "), Ink::Red, &left.join(" "), screen));
    }
    lines
}

fn disk(one: &DiskIdentity, facts: Option<&Facts>, finding: impl Fn(&Disk) -> String) -> Line {
    let seen = facts.and_then(|facts| facts.disks.iter().find(|disk| disk.serial == one.serial));
    let unseen = Disk::default();
    let known = seen.unwrap_or(&unseen);
    row(known.slot.as_str(), &one.serial, one.size_bytes, &finding(known))
}

/// `slot A  S6XNNS0W100001  128GB  looks blank (sampled)`
pub(super) fn row(slot: &str, serial: &str, size_bytes: u64, finding: &str) -> Line {
    let slot = if slot.is_empty() {
        "disk".into()
    } else {
        format!("slot {slot}")
    };
    Line::of(" ".repeat(INDENT)).plain(format!("{slot:<6}  {serial}  {:<5}  {finding}", decimal(size_bytes)))
}

#[cfg(test)]
mod tests {
    use heeler_proto::v1::{KeepChange, SnapshotIdentity};

    use super::*;

    fn shown(before: &str, after: &str, victims: &[&str]) -> String {
        shown_with(before, after, victims, "")
    }

    fn shown_with(before: &str, after: &str, victims: &[&str], meaning: &str) -> String {
        let lower = LowerKeep {
            changes: vec![KeepChange {
                dataset: "data/pve-files".into(),
                before: before.into(),
                after: after.into(),
            }],
            victims: (victims.iter().zip(1..))
                .map(|(name, guid)| SnapshotIdentity {
                    name: format!("data/pve-files@{name}"),
                    guid: format!("{guid}"),
                })
                .collect(),
        };
        let screen = Screen {
            width: 80,
            color: false,
        };
        screen.show(&lower_keep(&lower, meaning, screen))
    }

    #[test]
    fn an_ending_policy_is_shown() {
        assert_eq!(
            shown("24 hourly, 14 daily, 8 weekly", "", &[]),
            "  ! snap  stop snapshots of data/pve-files\n\
             \x20           no more snapshots are taken of data/pve-files (now 24 hourly, 14\n\
             \x20           daily, 8 weekly); existing ones stay\n"
        );
        let other = shown_with("24 hourly", "", &[], "start snapshots of data/vm");
        let head = "  ! snap  stop snapshots of data/pve-files; start snapshots of data/vm\n";
        assert!(other.starts_with(head), "{other}");
    }

    #[test]
    fn every_victim_is_shown_whatever_the_changes_say() {
        let stays = shown("24 hourly", "", &["heeler_1@x"]);
        assert!(stays.contains("- data/pve-files@heeler_1@x"), "{stays}");
    }

    #[test]
    fn only_real_victims_are_named() {
        assert_eq!(
            shown("24 hourly", "6 hourly", &["heeler_1", "heeler_2"]),
            "  ! snap  keep fewer snapshots: 2 snapshots may be pruned\n\
             \x20           data that is only in these snapshots will be lost\n\
             \x20           data/pve-files: 24 hourly -> 6 hourly\n\
             \x20           - heeler_1 heeler_2\n"
        );
        assert_eq!(
            shown("5 yearly", "1 yearly", &[]),
            "  ! snap  keep fewer snapshots, or keep them for less time  none is pruned now\n\
             \x20           data/pve-files: 5 yearly -> 1 yearly\n\
             \x20           existing snapshots stay, and are pruned earlier\n"
        );
    }
}
