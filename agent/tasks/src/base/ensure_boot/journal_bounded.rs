use std::path::PathBuf;

use heeler_host::journald::{self, Place};
use heeler_host::{File, RunError, System, UnitAction, whole_text};
use heeler_proto::Journal;

use crate::engine::{Key, Op, Plan, Step, StepName};

/// systemd keeps its journal where it is wanted, and within its limit.
pub(super) struct JournalBounded {
    wanted: Place,
}

pub(super) struct Observed {
    settings: Option<String>,
    /// None when journald no longer says.
    now: Option<Place>,
    overruled_by: Option<String>,
}

impl JournalBounded {
    pub(super) const fn at(journal: Journal) -> Self {
        let wanted = match journal {
            Journal::Memory => Place {
                in_memory: true,
                most_bytes: 64 << 20,
            },
            Journal::Card(most_bytes) => Place {
                in_memory: false,
                most_bytes,
            },
        };
        Self { wanted }
    }
}

fn path() -> PathBuf {
    PathBuf::from(journald::FOLDER).join(journald::NAME)
}

impl Step for JournalBounded {
    const NAME: StepName = "JournalBounded";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        Ok(Observed {
            settings: whole_text(host, &path().to_string_lossy()).await?,
            now: journald::place(host).await?,
            overruled_by: journald::overruled_by(host).await?,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if let Some(path) = &seen.overruled_by {
            return Plan::blocked(
                format!("{path} also says where the journal is kept"),
                format!("it is read after {}, and the last one wins", journald::NAME),
                "remove Storage, RuntimeMaxUse and SystemMaxUse from that file on the node; then: heeler apply",
            )
            .at(Key::System, "journal");
        }
        let settings = self.wanted.settings();
        let written = seen.settings.as_deref() == Some(&settings);
        if written && seen.now.is_none_or(|now| now == self.wanted) {
            return Plan::Satisfied;
        }
        let mut ops = Vec::new();
        if !written {
            ops.push(Op::Write(File::text(path(), settings)));
        }
        ops.push(Op::Unit {
            unit: journald::SERVICE.to_owned(),
            action: UnitAction::Restart,
        });
        if !self.wanted.in_memory {
            ops.push(Op::Run(journald::flush_command()).explained("move the journal to the SD card"));
        }
        Plan::change(ops)
    }
}
