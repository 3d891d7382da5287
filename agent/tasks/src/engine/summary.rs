use heeler_host::UnitAction;
use heeler_host::guard::UNDONE_AFTER;
use heeler_proto::Irreversible;
use heeler_proto::v1::OpKind;

use super::{GuardAction, Op};

impl Op {
    /// The kind in the protocol.
    pub fn kind(&self) -> OpKind {
        match self {
            Self::Run(_) => OpKind::Run,
            Self::Irreversible { .. } => OpKind::Irreversible,
            Self::Explained { op, .. } => op.kind(),
            Self::Write(_) => OpKind::Write,
            Self::Edit(_) => OpKind::Edit,
            Self::Remove(_) => OpKind::Remove,
            Self::Parameter { .. } => OpKind::Parameter,
            Self::Unit { .. } => OpKind::Unit,
            Self::Job(_) => OpKind::Job,
            Self::Guard(GuardAction::Arm(_)) => OpKind::Network,
            Self::Guard(_) => OpKind::Guard,
            Self::Reboot { .. } => OpKind::Reboot,
        }
    }

    /// What it does, in one line for a person.
    pub fn summary(&self) -> String {
        match self {
            Self::Run(command) | Self::Job(command) => command.to_string(),
            Self::Irreversible { act, .. } => describe(act),
            Self::Explained { op, .. } => op.summary(),
            Self::Write(file) => format!("write {}", file.path.display()),
            Self::Edit(edit) => format!("edit {}, block {}", edit.path.display(), edit.block),
            Self::Remove(remove) => format!("remove {}", remove.path.display()),
            Self::Parameter { path, value } => format!("set {} to {value}", path.display()),
            Self::Unit { unit, action } => format!("{} {unit}", verb(*action)),
            Self::Guard(GuardAction::Undo) => "undo what an earlier change left half done".to_owned(),
            Self::Guard(GuardAction::Arm(way)) => {
                format!("{}, undone in {} s if unconfirmed", way.change, UNDONE_AFTER.as_secs())
            }
            Self::Guard(GuardAction::Confirm) => "wait until a new session and every peer confirm it".to_owned(),
            Self::Reboot { reason, trial: false } => format!("reboot: {reason}"),
            Self::Reboot { reason, trial: true } => format!("reboot to try it: {reason}"),
        }
    }

    /// The act that cannot be undone; None for other ops.
    pub fn act(&self) -> Option<&Irreversible> {
        match self.plain() {
            Self::Irreversible { act, .. } => Some(act),
            _ => None,
        }
    }
}

fn verb(action: UnitAction) -> &'static str {
    match action {
        UnitAction::Enable => "enable",
        UnitAction::Disable => "disable",
        UnitAction::Start => "start",
        UnitAction::Stop => "stop",
        UnitAction::Restart => "restart",
        UnitAction::Reload => "reload units for",
    }
}

/// An act in one line: serials and sizes, no kernel names.
pub fn describe(act: &Irreversible) -> String {
    let list = |serials: Vec<&str>| serials.join(", ");
    match act {
        Irreversible::CreatePool(create) => {
            let on = list(create.disks.iter().map(|disk| disk.serial.as_str()).collect());
            let unread = match create.unread.as_slice() {
                [] => String::new(),
                unread => format!(
                    ", without reading {}",
                    list(unread.iter().map(heeler_proto::Serial::as_str).collect())
                ),
            };
            format!("create mirror {:?} on {on}{unread}", create.pool.as_str())
        }
        Irreversible::EraseContents(erase) => {
            format!("erase all of {}, which holds: {}", erase.disk.serial, erase.finding)
        }
        Irreversible::ImportPool(import) => format!(
            "import pool {} with {} alone, without {}",
            import.guid,
            list(import.present.iter().map(|(disk, _)| disk.serial.as_str()).collect()),
            list(import.missing.iter().map(heeler_proto::Serial::as_str).collect())
        ),
        Irreversible::LowerKeep(lower) => {
            let datasets: Vec<&str> = lower.changes.iter().map(|change| change.dataset.as_str()).collect();
            format!(
                "keep fewer snapshots of {}; {} may be pruned",
                list(datasets),
                lower.victims.len()
            )
        }
    }
}
