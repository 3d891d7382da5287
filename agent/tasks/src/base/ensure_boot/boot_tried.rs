use heeler_host::firmware::{self, Flavour};
use heeler_host::{Content, File, RunError, System};
use heeler_proto::EnsureBoot;

use super::goal::{Goal, Seen, flavour, own_trial};
use crate::engine::{Key, Op, Plan, Step, StepName};

/// The node was started once from the files that it shall start from, and runs as wanted.
///
/// The firmware reads them for that one start alone, so a node that does not come up starts from the old ones when its
/// power is cut.
pub(super) struct BootTried {
    pub(super) wish: EnsureBoot,
}

pub(super) struct Observed {
    seen: Seen,
    lacks_power: bool,
    can_try: bool,
    /// Whether a tryboot.txt is Heeler's; None when there is none.
    own_trial: Option<bool>,
    /// The names in the folder of the firmware.
    files: Vec<String>,
    /// Copies of the files before Heeler changed them, which are there already.
    copies: [bool; 2],
    /// The release that ZFS has no module for, while ZFS is in use.
    without_zfs: Option<String>,
}

/// The copies of config.txt and cmdline.txt as they were before Heeler. They are beside the files, where another computer
/// finds them on the card.
const COPIES: [&str; 2] = [
    "/boot/firmware/config.txt.before-heeler",
    "/boot/firmware/cmdline.txt.before-heeler",
];

impl Step for BootTried {
    const NAME: StepName = "BootTried";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let path = std::path::Path::new(firmware::FOLDER);
        let files = host.list(path).await.unwrap_or_default();
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Observed {
            seen: Seen::at(host).await?,
            lacks_power: firmware::lacks_power(host).await?,
            can_try: firmware::can_try(host).await,
            own_trial: own_trial(host).await?,
            copies: COPIES.map(|copy| files.contains(&name(copy))),
            files,
            without_zfs: match self.wish.pages {
                Some(pages) => without_zfs(host, flavour(pages)).await?,
                None => None,
            },
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let goal = match Goal::of(&self.wish, &seen.seen) {
            Ok(goal) => goal,
            Err(plan) => return plan,
        };
        match (goal.changes(), goal.on_trial) {
            (true, false) => self.not_now(seen).unwrap_or_else(|| trial(seen, &goal)),
            (true, true) if !goal.in_force => {
                let seen = &seen.seen;
                let counts = if seen.counts_memory { "counts" } else { "does not count" };
                let pages = seen.page_bytes >> 10;
                Plan::blocked(
                    format!(
                        "started with the new configuration, the kernel has pages of {pages} KiB and {counts} the memory of containers"
                    ),
                    "that is not what heeler.toml asks for, so config.txt and cmdline.txt stay as they are",
                    "compare /boot/firmware/tryboot.txt with heeler.toml, and restart the node, which then uses the old configuration; then: heeler apply",
                )
            }
            (false, _) if !goal.in_force => Plan::change(vec![Op::Reboot {
                reason: "the node still runs as config.txt and cmdline.txt were before".to_owned(),
                trial: false,
            }]),
            _ => Plan::Satisfied,
        }
    }
}

impl BootTried {
    /// Why no other kernel or configuration is started now.
    fn not_now(&self, seen: &Observed) -> Option<Plan> {
        if seen.lacks_power {
            return Some(Plan::blocked(
                "the board's power is or was too low since it started (vcgencmd get_throttled)",
                "a restart, or a write to its card, may fail half-way",
                "give it a power supply of 5 A, and restart it; then: heeler apply",
            ));
        }
        if !seen.can_try {
            return Some(Plan::blocked(
                "the board's firmware does not say that it can try a configuration",
                "without that, a mistake would leave a node that does not start",
                "on the node: sudo rpi-eeprom-update -a, and restart it; then: heeler apply",
            ));
        }
        if seen.own_trial == Some(false) {
            return Some(Plan::blocked(
                format!("{} is there, and not Heeler's", firmware::TRIAL),
                "another program tries a configuration",
                "finish that, or remove the file on the node; then: heeler apply",
            ));
        }
        let flavour = flavour(self.wish.pages?);
        if let Some(file) = [flavour.kernel(), flavour.initramfs()]
            .into_iter()
            .find(|file| !seen.files.iter().any(|name| name == file))
        {
            let blocked = Plan::blocked(
                format!("{}/{file} is missing", firmware::FOLDER),
                "the kernel with these pages starts from it",
                format!(
                    "on the node: sudo apt install linux-image-{}; then: heeler apply",
                    flavour.suffix()
                ),
            );
            return Some(blocked.at(Key::System, "pages"));
        }
        let release = seen.without_zfs.as_ref()?;
        let blocked = Plan::blocked(
            format!("ZFS has no module for the kernel {release}"),
            "with that kernel the node would have no pool",
            format!(
                "on the node: sudo apt install linux-headers-{}, which builds it; then: heeler apply",
                flavour.suffix()
            ),
        );
        Some(blocked.at(Key::System, "pages"))
    }
}

fn trial(seen: &Observed, goal: &Goal) -> Plan {
    let write = |path: &str, text: String, meaning: &str| {
        let content = Content::Plain(text.into_bytes());
        // FAT has one mode for all files.
        let file = File {
            path: path.into(),
            content,
            mode: 0o755,
        };
        Op::Write(file).explained(meaning)
    };
    let copies = [
        (goal.config_before.clone(), "keep a copy of config.txt"),
        (format!("{}\n", goal.line_before), "keep a copy of cmdline.txt"),
    ];
    let missing = COPIES.into_iter().zip(copies).zip(seen.copies).filter(|(_, is)| !is);
    let mut ops: Vec<Op> = missing
        .map(|((path, (text, meaning)), _)| write(path, text, meaning))
        .collect();
    ops.push(write(
        firmware::TRIAL_LINE,
        goal.trial_line(),
        "write the command line to try",
    ));
    ops.push(write(
        firmware::TRIAL,
        goal.trial_config(),
        "write the configuration to try, for one start",
    ));
    ops.push(Op::Reboot {
        reason:
            "if the node does not come up with the new configuration, cut its power, and it starts with the old one"
                .to_owned(),
        trial: true,
    });
    Plan::change(ops)
}

/// The newest release of the flavour, when ZFS is in use and has no module for it.
async fn without_zfs(host: &dyn System, flavour: Flavour) -> Result<Option<String>, RunError> {
    if host.mode("/sys/module/zfs/version".as_ref()).await.is_err() {
        return Ok(None);
    }
    let Some(release) = firmware::newest(host, flavour).await? else {
        return Ok(None);
    };
    let output = host.run(&firmware::zfs_command(&release)).await?;
    Ok((!output.ok()).then_some(release))
}
