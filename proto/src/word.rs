//! The words of the wire's enums: in lists, filters and the database, and as --json writes them.

use crate::v1::{AlarmKind, EventKind, NodeState, ScrubChange, TaskState};

/// An enum of the wire whose values have words.
pub trait Word: Sized + Copy + PartialEq + 'static {
    /// Every value but `Unspecified`.
    const ALL: &'static [Self];

    /// The word; "unspecified" for a value that this version does not know.
    fn word(self) -> &'static str;

    /// The value with that word.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

macro_rules! words {
    ($kind:ident { $($value:ident $word:literal)* }) => {
        impl Word for $kind {
            const ALL: &'static [Self] = &[$(Self::$value),*];

            fn word(self) -> &'static str {
                match self {
                    Self::Unspecified => "unspecified",
                    $(Self::$value => $word,)*
                }
            }
        }
    };
}

words!(EventKind {
    Accepted "accepted"
    Alarm "alarm"
    Authority "authority"
    Connected "connected"
    Drift "drift"
    Enrolled "enrolled"
    Failed "failed"
    Lost "lost"
    NetworkConfirmed "network confirmed"
    Note "note"
    OpFinished "op finished"
    OpStarted "op started"
    OperatorAdded "operator added"
    OperatorRevoked "operator revoked"
    Paused "paused"
    Pool "pool"
    Progress "progress"
    Refused "refused"
    Released "released"
    Removed "removed"
    Renewed "renewed"
    Restored "restored"
    Resumed "resumed"
    Revision "revision"
    Revoked "revoked"
    Scrub "scrub"
    Skipped "skipped"
    Snapshot "snapshot"
    Snapshots "snapshots"
    StepFinished "step finished"
    StepStarted "step started"
    TakenOver "taken over"
    TaskFinished "task finished"
    TaskQueued "task queued"
    TaskStarted "task started"
    Token "token"
});

words!(AlarmKind {
    BoardChanged "board changed"
    KeyCopied "key copied"
    CountersImpossible "counters impossible"
    JournalRestarted "journal restarted"
    ClockWrong "clock wrong"
    MessageRefused "message refused"
    StatementRefused "statement refused"
    PoolElsewhere "pool elsewhere"
    PoolNotRecorded "pool not recorded"
    PoolGone "pool gone"
    PoolState "pool state"
    PoolReadOnly "pool read only"
    PoolRepaired "pool repaired"
    PoolNotRepaired "pool not repaired"
    DeviceErrors "device errors"
    DataErrors "data errors"
});

words!(NodeState {
    New "new"
    Enrolled "enrolled"
    Revoked "revoked"
    Released "released"
});

words!(TaskState {
    Queued "queued"
    Sent "sent"
    Running "running"
    Done "done"
    Blocked "blocked"
    Failed "failed"
    Refused "refused"
});

words!(ScrubChange {
    Started "started"
    Finished "finished"
    Stopped "stopped"
    PutOff "put off"
});

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule of --json: the name without its prefix, in lower case, with spaces.
    fn agree<T: Word>(prefix: &str, name: impl Fn(&T) -> &'static str) {
        for value in T::ALL {
            let stem = name(value).strip_prefix(prefix).unwrap();
            assert_eq!(stem.to_lowercase().replace('_', " "), value.word());
        }
    }

    #[test]
    fn words_are_those_of_json() {
        agree("EVENT_KIND_", EventKind::as_str_name);
        agree("ALARM_KIND_", AlarmKind::as_str_name);
        agree("NODE_STATE_", NodeState::as_str_name);
        agree("TASK_STATE_", TaskState::as_str_name);
        agree("SCRUB_CHANGE_", ScrubChange::as_str_name);
    }
}
