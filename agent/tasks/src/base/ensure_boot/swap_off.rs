use heeler_host::{File, RunError, System, UnitAction, swap, whole_text};

use crate::engine::{Key, Op, Plan, Step, StepName};

/// The node does not swap, now and after a boot.
pub(super) struct SwapOff;

pub(super) struct Observed {
    in_use: Vec<String>,
    in_fstab: Option<String>,
    has_rpi_swap: bool,
    settings: Option<String>,
    /// Whether the service of older systems is there, and starts at boot.
    older: Option<bool>,
}

impl Step for SwapOff {
    const NAME: StepName = "SwapOff";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let older = host.unit_state(swap::OLDER).await.map_err(|error| RunError::Start {
            command: format!("systemctl show {}", swap::OLDER),
            source: std::io::Error::other(error),
        })?;
        Ok(Observed {
            in_use: swap::in_use(host).await?,
            in_fstab: swap::in_fstab(host).await?,
            has_rpi_swap: swap::has_rpi_swap(host).await,
            settings: whole_text(host, swap::SETTINGS).await?,
            older: (older.load == "loaded").then(|| older.enabled == "enabled"),
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if let Some(line) = &seen.in_fstab {
            return Plan::blocked(
                format!("/etc/fstab has the line {line:?}"),
                "it sets swap up at each boot",
                "remove that line on the node; then: heeler apply",
            )
            .at(Key::System, "swap");
        }
        let mut ops = Vec::new();
        if seen.has_rpi_swap && seen.settings.as_deref() != Some(swap::OFF) {
            ops.push(Op::Write(File::text(swap::SETTINGS, swap::OFF)));
        }
        if seen.older == Some(true) {
            ops.push(Op::Unit {
                unit: swap::OLDER.to_owned(),
                action: UnitAction::Disable,
            });
        }
        if let Some(device) = seen
            .in_use
            .first()
            .filter(|_| !seen.has_rpi_swap && seen.older.is_none())
        {
            return Plan::blocked(
                format!("{device} is in use as swap, and neither rpi-swap nor dphys-swapfile set it up"),
                "whatever did will do so again at the next boot",
                "switch it off there on the node; then: heeler apply",
            )
            .at(Key::System, "swap");
        }
        ops.extend(seen.in_use.iter().map(|device| Op::Run(swap::off_command(device))));
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}
