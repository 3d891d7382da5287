use heeler_proto::v1::irreversible::Act;
use heeler_proto::v1::{CreatePool, Disk, DiskIdentity, EraseContents, Facts, ImportPool, Irreversible, LowerKeep};

use super::amount::{decimal, gibibytes};
use super::line::hang;
use super::{Ink, Line, Screen};

/// Where notes and disks of an act stand.
const INDENT: usize = 12;
const NOTE: usize = 45;

/// What a person types to consent: the node's name for a creation on blank disks, a serial for what is lost. None for an
/// act that this version does not know, and therefore cannot show.
#[must_use]
pub fn asks(node: &str, act: &Irreversible) -> Option<String> {
    match act.act.as_ref()? {
        Act::CreatePool(_) => Some(node.to_owned()),
        Act::EraseContents(erase) => Some(erase.disk.as_ref()?.serial.clone()),
        Act::ImportPool(import) => Some(import.present.first()?.serial.clone()),
        Act::LowerKeep(_) => Some(node.to_owned()),
    }
}

/// Everything that a consent would be over.
pub(super) fn act(act: &Irreversible, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    match &act.act {
        Some(Act::CreatePool(create)) => creation(create, facts, screen),
        Some(Act::EraseContents(erase)) => erasure(erase, facts, screen),
        Some(Act::ImportPool(import)) => lonely_import(import, facts, screen),
        Some(Act::LowerKeep(lower)) => lower_keep(lower, screen),
        None => vec![Line::new().ink(
            Ink::Red,
            "  ! an act that this version of heeler cannot show, and will not ask for",
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
    let ashift = create.properties.iter().find(|property| property.name == "ashift");
    let note = match ashift {
        Some(ashift) => format!("name, ashift={} permanent", ashift.value),
        None => "name permanent".into(),
    };
    let mut lines = head("pool", &what, &note, screen);
    lines.extend(
        create
            .disks
            .iter()
            .map(|one| disk(one, facts, |disk| disk.finding.clone())),
    );
    let other = create.properties.iter().filter(|property| property.name != "ashift");
    let other: Vec<_> = other
        .map(|property| format!("{}={}", property.name, property.value))
        .collect();
    if !other.is_empty() {
        lines.extend(hang(Line::of(" ".repeat(INDENT)), Ink::Dim, &other.join(" "), screen));
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

fn lonely_import(import: &ImportPool, facts: Option<&Facts>, screen: Screen) -> Vec<Line> {
    let what = format!("import {} without all its legs", import.guid);
    let mut lines = head("pool", &what, "what is there becomes the truth", screen);
    for (one, txg) in import.present.iter().zip(&import.txgs) {
        lines.push(disk(one, facts, |_| format!("last written at txg {txg}")));
    }
    for serial in &import.missing {
        lines.push(Line::of(" ".repeat(INDENT)).plain(format!("missing  {serial}")));
    }
    lines
}

/// Every victim is named: a person who agrees to lose a hundred snapshots has seen a hundred names.
fn lower_keep(lower: &LowerKeep, screen: Screen) -> Vec<Line> {
    let what = format!("keep fewer snapshots: {} go", lower.victims.len());
    let mut lines = head("snap", &what, "what only they hold is lost", screen);
    let below = || Line::of(" ".repeat(INDENT));
    for change in &lower.changes {
        let before = if change.before.is_empty() {
            "no policy"
        } else {
            &change.before
        };
        let text = format!("{}: {before} -> {}", change.dataset, change.after);
        lines.extend(hang(below(), Ink::Plain, &text, screen));
        let of = |name: &str| name.split('@').next() == Some(change.dataset.as_str());
        let named = lower.victims.iter().filter(|victim| of(&victim.name));
        let names: Vec<&str> = named.filter_map(|victim| victim.name.split('@').nth(1)).collect();
        lines.extend(hang(below().ink(Ink::Red, "- "), Ink::Red, &names.join(" "), screen));
    }
    lines
}

fn disk(one: &DiskIdentity, facts: Option<&Facts>, finding: impl Fn(&Disk) -> String) -> Line {
    let seen = facts.and_then(|facts| facts.disks.iter().find(|disk| disk.serial == one.serial));
    let unseen = Disk::default();
    let known = seen.unwrap_or(&unseen);
    row(known.slot.as_str(), &one.serial, one.size_bytes, &finding(known))
}

/// `slot A  S6XNNS0W100001  128GB  blank`
pub(super) fn row(slot: &str, serial: &str, size_bytes: u64, finding: &str) -> Line {
    let slot = if slot.is_empty() {
        "disk".into()
    } else {
        format!("slot {slot}")
    };
    Line::of(" ".repeat(INDENT)).plain(format!("{slot:<6}  {serial}  {:<5}  {finding}", decimal(size_bytes)))
}
