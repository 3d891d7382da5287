use heeler_proto::Word as _;
use heeler_proto::v1::{HandbookDisk, HandbookNode, HandbookPool, HandbookReply, NodeState};
use jiff::tz::TimeZone;

use super::amount::{date, decimal, gibibytes};
use super::handbook_cases::{CASES, NEVER};
use super::line::hang;
use super::{Ink, Line, Screen};

/// Column where the text of a line begins.
const COLUMN: usize = 14;
/// A blank for the place that does not die with the coordinator's machine.
const SECOND_COPY: &str = "a second copy of the repository, on another machine, is at: ____________________";

/// The handbook: where everything is, and what to do. Meant for paper.
pub fn handbook(book: &HandbookReply, zone: &TimeZone, screen: Screen) -> Vec<Line> {
    let mut page = Page {
        lines: Vec::new(),
        zone,
        screen,
    };
    let title = format!("HANDBOOK of {}", book.cluster);
    page.head(&format!("{title}, {}", date(book.at_ms, zone)));
    page.prose(
        "For a person who must repair this system and has nobody to ask. It consists of small computers (nodes), each \
         with its own mirrored disks, and one coordinator that manages them. Protect the data first, and take your \
         time.",
    );
    page.blank();
    NEVER.iter().for_each(|text| page.item("!", text));

    page.head("What is where");
    for (place, node) in book.nodes.iter().enumerate() {
        if place > 0 {
            page.blank();
        }
        page.node(node);
    }
    if book.nodes.is_empty() {
        page.prose("No node was added yet.");
    }
    page.head("The coordinator, which manages the nodes");
    page.coordinator(book);
    page.head("What to do");
    for case in CASES {
        page.lines.push(Line::new().ink(Ink::Bold, case.when));
        for (number, step) in case.steps.iter().enumerate() {
            page.item(&(number + 1).to_string(), step);
        }
        page.blank();
    }
    page.prose("NODE, USER, ADDRESS, POOL: as listed above. Every command explains itself: heeler COMMAND --help.");
    page.lines
}

struct Page<'a> {
    lines: Vec<Line>,
    zone: &'a TimeZone,
    screen: Screen,
}

impl Page<'_> {
    fn blank(&mut self) {
        self.lines.push(Line::new());
    }

    fn head(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.blank();
        }
        self.lines.push(Line::new().ink(Ink::Bold, text));
        self.lines.push(Line::of("=".repeat(text.chars().count())));
    }

    fn prose(&mut self, text: &str) {
        self.lines.extend(hang(Line::new(), Ink::Plain, text, self.screen));
    }

    fn item(&mut self, mark: &str, text: &str) {
        let head = Line::of(format!("  {mark} "));
        self.lines.extend(hang(head, Ink::Plain, text, self.screen));
    }

    fn row(&mut self, name: &str, text: &str) {
        let head = Line::of("  ").ink(Ink::Dim, name).to(COLUMN, 1);
        self.lines.extend(hang(head, Ink::Plain, text, self.screen));
    }

    fn node(&mut self, node: &HandbookNode) {
        let place = match node.location.as_str() {
            "" => "place: ______________________________".to_owned(),
            location => location.to_owned(),
        };
        self.lines
            .push(Line::new().ink(Ink::Bold, &node.node).to(COLUMN, 2).plain(place));
        let mut reach = or(&node.address, "address unknown").to_owned();
        if !node.backplane.is_empty() {
            reach = format!("{reach}, and {} to the other nodes", node.backplane);
        }
        self.row("address", &reach);
        if !node.address.is_empty() {
            let user = if node.user.is_empty() {
                ""
            } else {
                &format!("{}@", node.user)
            };
            self.row("log in", &format!("ssh {user}{}", node.address));
        }
        match node.state() {
            NodeState::Unspecified => return self.row("state", "in heeler.toml, but not added"),
            NodeState::Enrolled => {}
            state => self.row("state", state.word()),
        }
        let serial = match node.hardware_serial.as_str() {
            "" => String::new(),
            serial => format!(", serial {serial}"),
        };
        self.row("machine", &format!("{}{serial}", or(&node.model, "unknown")));
        for pool in &node.pools {
            let seen = date(node.looked_at_ms, self.zone);
            self.row("pool", &format!("{}, as of {seen}", self::pool(pool)));
        }
        for disk in &node.disks {
            let name = match disk.slot.as_str() {
                "" => "disk".to_owned(),
                slot => format!("slot {slot}"),
            };
            self.row(&name, &self::disk(disk));
        }
    }

    fn coordinator(&mut self, book: &HandbookReply) {
        self.row("machine", or(&book.host, "unknown"));
        self.row("addresses", or(&book.addresses.join(", "), "none in heeler.toml yet"));
        self.row(
            "state",
            &format!(
                "{}: it holds every key. Never delete it. Before you flash the SD card of {}: heeler backup create \
                 FILE, and copy FILE to another machine.",
                book.state,
                or(&book.host, "this machine")
            ),
        );
        let config = or(&book.config, "unknown");
        self.row(
            "heeler.toml",
            &match book.revision {
                0 => format!("{config}, in git; nothing was applied yet; {SECOND_COPY}"),
                number => format!("{config}, in git; revision {number} is accepted; {SECOND_COPY}"),
            },
        );
        self.row("operators", or(&book.operators.join(", "), "none"));
        let copies = book.copies.iter();
        let copies: Vec<_> = copies
            .map(|copy| format!("{} ({})", copy.node, date(copy.at_ms, self.zone)))
            .collect();
        self.row(
            "copies",
            &match copies.as_slice() {
                [] => "no node holds one".to_owned(),
                copies => format!("encrypted, one an hour, on {}", copies.join(", ")),
            },
        );
        self.row(
            "backup",
            &match book.backup_at_ms {
                0 => "never made: heeler backup create FILE".to_owned(),
                at_ms => format!(
                    "last made {} by {}; it is kept at: ____________________",
                    date(at_ms, self.zone),
                    book.backup_by
                ),
            },
        );
        self.row("key", match book.recovery_key {
            true => "the recovery key opens copies and backups; its line AGE-SECRET-KEY-1… is enough. It is kept at: ____________________",
            false => "there is no recovery key, so no copies are made: heeler init makes one",
        });
    }
}

fn or<'a>(text: &'a str, else_text: &'a str) -> &'a str {
    if text.is_empty() { else_text } else { text }
}

fn pool(pool: &HandbookPool) -> String {
    let whose = if pool.ours { "" } else { " (not Heeler's)" };
    match pool.size_bytes {
        0 => format!("{}{whose}: {}", pool.name, pool.state),
        size => {
            let percent = pool.allocated_bytes.saturating_mul(100) / size;
            format!(
                "{}{whose}: {}, {}, {percent} % used",
                pool.name,
                pool.state,
                gibibytes(size)
            )
        }
    }
}

fn disk(disk: &HandbookDisk) -> String {
    let what = match (disk.present, disk.pool.as_str(), disk.leg_state.as_str()) {
        (false, "", _) => "GONE".to_owned(),
        (false, pool, _) => format!("GONE, of pool {pool}"),
        (true, "", _) => disk.finding.clone(),
        (true, pool, "" | "ONLINE") => format!("of pool {pool}"),
        (true, pool, state) => format!("of pool {pool}, {state}"),
    };
    let parts = [disk.serial.clone(), decimal(disk.size_bytes), disk.model.clone(), what];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}
