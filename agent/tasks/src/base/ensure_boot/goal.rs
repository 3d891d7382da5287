use heeler_host::firmware::{self, ConfigTxt, Flavour, board_of, line_of, tokens_of, with_tokens};
use heeler_host::{RunError, System, whole_text};
use heeler_proto::{EnsureBoot, PageSize, Pcie};

use crate::engine::{Edit, EditError, Key, Plan};

/// Name of the marked block in config.txt.
const BLOCK: &str = "boot";
/// Make the kernel count the memory of control groups; the firmware switches that off.
const COUNTING: [&str; 3] = ["cgroup_enable=cpuset", "cgroup_enable=memory", "cgroup_memory=1"];
const COUNTED: &str = "cgroup_enable=memory";
const UNCOUNTED: &str = "cgroup_disable=memory";

/// What the firmware starts the node from, and what it started.
pub(super) struct Seen {
    model: Option<String>,
    config: Option<Vec<u8>>,
    line: Option<Vec<u8>>,
    running_line: String,
    pub(super) page_bytes: u64,
    pub(super) counts_memory: bool,
}

impl Seen {
    pub(super) async fn at(host: &dyn System) -> Result<Self, RunError> {
        let content = async |path: &str| {
            let content = heeler_host::content(host, path.as_ref()).await;
            content.map_err(|source| RunError::file(path.as_ref(), source))
        };
        Ok(Self {
            model: firmware::model(host).await?,
            config: content(firmware::CONFIG).await?,
            line: content(firmware::LINE).await?,
            running_line: firmware::running_line(host).await?,
            page_bytes: firmware::page_bytes(host).await?,
            counts_memory: firmware::counts_memory(host).await?,
        })
    }
}

/// The files that the node shall start from.
pub(super) struct Goal {
    /// The edit of config.txt; None when it stays.
    pub(super) edit: Option<Edit>,
    /// config.txt as it is.
    pub(super) config_before: String,
    /// config.txt as it shall be.
    pub(super) config: String,
    /// cmdline.txt as it is.
    pub(super) line_before: String,
    /// The line that it shall have; None when it stays.
    pub(super) line: Option<String>,
    /// Whether the node runs as wanted.
    pub(super) in_force: bool,
    /// Whether the node was started with these files, as a trial.
    pub(super) on_trial: bool,
}

impl Goal {
    /// The other plan is why nothing can be done.
    pub(super) fn of(wish: &EnsureBoot, seen: &Seen) -> Result<Self, Plan> {
        let Some(model) = &seen.model else {
            let why = "pages, containers and pcie are for a Raspberry Pi, and this node is none";
            return Err(Plan::NotApplicable(why.to_owned()));
        };
        let (Some(config), Some(line)) = (&seen.config, &seen.line) else {
            let why = format!(
                "pages, containers and pcie are set in {} and {}, and this node is not started from them",
                firmware::CONFIG,
                firmware::LINE
            );
            return Err(Plan::NotApplicable(why));
        };
        let board = board_of(model);
        fits(wish, model, board)?;
        let line_before = line_of(line).map_err(|error| {
            let found = format!("{}: {error}", firmware::LINE);
            Plan::blocked(
                found,
                "the firmware gives the kernel that one line",
                "correct it on the node; then: heeler apply",
            )
        })?;
        let outside = Edit::of(firmware::CONFIG, BLOCK, "", Some(config))
            .spliced(Some(config))
            .map_err(|error| unedited(&error))?;
        let text = String::from_utf8_lossy(config);
        let lines = wanted_lines(wish, &text, ConfigTxt { text: &outside, board });
        let has_block = text
            .lines()
            .any(|line| line.trim_end() == format!("# heeler begin {BLOCK}"));
        let edit = (has_block || !lines.is_empty()).then(|| {
            let content: String = std::iter::once("[all]".to_owned())
                .chain(lines)
                .map(|line| line + "\n")
                .collect();
            Edit::of(firmware::CONFIG, BLOCK, content, Some(config))
        });
        let after = match &edit {
            Some(edit) => edit.spliced(Some(config)).map_err(|error| unedited(&error))?,
            None => text.clone().into_owned(),
        };
        let line = wanted_line(wish, line_before, seen);
        let mut goal = Self {
            edit: edit.filter(|_| after != text),
            config_before: text.into_owned(),
            config: after,
            line_before: line_before.to_owned(),
            line: Some(line).filter(|line| line != line_before),
            in_force: in_force(wish, seen),
            on_trial: false,
        };
        goal.on_trial = tokens_of(&seen.running_line).contains(&goal.mark().as_str());
        if goal.changes() {
            goal.is_understood(wish, board, &outside)?;
        }
        Ok(goal)
    }

    pub(super) const fn changes(&self) -> bool {
        self.edit.is_some() || self.line.is_some()
    }

    /// The kernel's line as it shall be.
    pub(super) fn line(&self) -> &str {
        self.line.as_deref().unwrap_or(&self.line_before)
    }

    /// Names these files on the command line of their trial: the kernel ignores it.
    fn mark(&self) -> String {
        let both = format!("{}\n{}", self.config, self.line());
        let [a, b, c, d, ..] = heeler_proto::sha256(both.as_bytes());
        format!("heeler.trial={:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// config.txt for the trial: it names the trial's command line.
    pub(super) fn trial_config(&self) -> String {
        let name = firmware::TRIAL_LINE.rsplit('/').next().unwrap_or_default();
        format!("{}\n[all]\ncmdline={name}\n", self.config.trim_end())
    }

    /// The command line for the trial. A kernel that panics restarts, and then the firmware takes the old files.
    pub(super) fn trial_line(&self) -> String {
        format!("{} panic=10 {}\n", self.line(), self.mark())
    }

    /// Stops at lines that Heeler's block does not decide about.
    fn is_understood(&self, wish: &EnsureBoot, board: Option<&'static str>, outside: &str) -> Result<(), Plan> {
        let other = |line: &&str| {
            ["os_prefix=", "cmdline=", "include "]
                .iter()
                .any(|begin| line.starts_with(begin))
        };
        if let Some(line) = (ConfigTxt { text: outside, board }).lines().find(other) {
            return Err(Plan::blocked(
                format!("{} has the line {line:?}", firmware::CONFIG),
                "the node then starts from other files too, which Heeler does not change",
                "remove that line on the node, or pages, containers and pcie from heeler.toml; then: heeler apply",
            ));
        }
        let config = ConfigTxt {
            text: &self.config,
            board,
        };
        let overruled = match (wish.pages, wish.pcie) {
            (Some(pages), _) if kernel_of(config) != flavour(pages).kernel() => "kernel",
            (_, Some(pcie)) if !has_pcie(config, pcie) => "dtparam=pciex1",
            _ => return Ok(()),
        };
        Err(Plan::blocked(
            format!("{} sets {overruled} once more below Heeler's block", firmware::CONFIG),
            "the last line wins",
            "remove that line on the node; then: heeler apply",
        ))
    }
}

pub(super) const fn flavour(pages: PageSize) -> Flavour {
    match pages {
        PageSize::Small => Flavour::V8,
        PageSize::Large => Flavour::Pi5,
    }
}

fn unedited(error: &EditError) -> Plan {
    Plan::blocked(
        error.to_string(),
        "Heeler writes into text alone, between its own markers",
        "",
    )
}

fn fits(wish: &EnsureBoot, model: &str, board: Option<&'static str>) -> Result<(), Plan> {
    let (key, why) = match wish {
        _ if board == Some("pi5") => return Ok(()),
        EnsureBoot { pcie: Some(_), .. } => ("pcie", "only a Raspberry Pi 5 has that connector"),
        EnsureBoot {
            pages: Some(PageSize::Large),
            ..
        } => (
            "pages",
            "the kernel with pages of 16 KiB starts on a Raspberry Pi 5 alone",
        ),
        _ => return Ok(()),
    };
    let next = "write the key below [nodes.NAME.system] of the nodes that are a Raspberry Pi 5; then: heeler apply";
    Err(Plan::blocked(format!("this is a {model}"), why, next).at(Key::System, key))
}

/// The file of the kernel that the firmware starts.
fn kernel_of(config: ConfigTxt<'_>) -> &str {
    let usual = match config.board {
        Some("pi5") => Flavour::Pi5,
        _ => Flavour::V8,
    };
    config.value("kernel").unwrap_or(usual.kernel())
}

fn has_pcie(config: ConfigTxt<'_>, wanted: Pcie) -> bool {
    let on = ["pciex1", "nvme"]
        .iter()
        .filter_map(|name| config.parameter(name))
        .any(|value| value != "off");
    on && config.parameter("pciex1_gen").unwrap_or("2") == generation(wanted)
}

const fn generation(pcie: Pcie) -> &'static str {
    match pcie {
        Pcie::Gen2 => "2",
        Pcie::Gen3 => "3",
    }
}

/// The lines of the block: what the rest of config.txt does not say already. Lines of a key that heeler.toml no longer
/// has stay.
fn wanted_lines(wish: &EnsureBoot, text: &str, outside: ConfigTxt<'_>) -> Vec<String> {
    let block = text.lines().map(str::trim_end);
    let block = block
        .skip_while(|line| *line != format!("# heeler begin {BLOCK}"))
        .skip(1);
    let block: Vec<&str> = block
        .take_while(|line| *line != format!("# heeler end {BLOCK}"))
        .collect();
    let kept = |begin: &str| {
        block
            .iter()
            .filter(|line| line.starts_with(begin))
            .map(|line| (*line).to_owned())
            .collect()
    };
    let mut lines: Vec<String> = match wish.pages.map(|pages| flavour(pages).kernel()) {
        Some(kernel) if kernel_of(outside) == kernel => Vec::new(),
        Some(kernel) => vec![format!("kernel={kernel}")],
        None => kept("kernel="),
    };
    lines.extend(match wish.pcie {
        Some(pcie) if has_pcie(outside, pcie) => Vec::new(),
        Some(pcie) => vec![
            "dtparam=pciex1".to_owned(),
            format!("dtparam=pciex1_gen={}", generation(pcie)),
        ],
        None => kept("dtparam=pciex1"),
    });
    lines
}

fn wanted_line(wish: &EnsureBoot, before: &str, seen: &Seen) -> String {
    let tokens = tokens_of(before);
    let by_itself = seen.counts_memory && !tokens_of(&seen.running_line).contains(&COUNTED);
    let set = tokens.contains(&COUNTED) && !tokens.contains(&UNCOUNTED);
    match wish.containers {
        Some(true) if !by_itself && !set => with_tokens(before, &COUNTING, &[UNCOUNTED]),
        Some(false) if COUNTING.iter().any(|token| tokens.contains(token)) => with_tokens(before, &[], &COUNTING),
        _ => before.to_owned(),
    }
}

fn in_force(wish: &EnsureBoot, seen: &Seen) -> bool {
    let pages = wish
        .pages
        .is_none_or(|pages| flavour(pages).page_bytes() == seen.page_bytes);
    pages
        && match wish.containers {
            Some(true) => seen.counts_memory,
            Some(false) => !tokens_of(&seen.running_line).contains(&COUNTED),
            None => true,
        }
}

/// Whether a tryboot.txt is Heeler's. Fails when it cannot be read.
pub(super) async fn own_trial(host: &dyn System) -> Result<Option<bool>, RunError> {
    let text = whole_text(host, firmware::TRIAL).await?;
    let name = firmware::TRIAL_LINE.rsplit('/').next().unwrap_or_default();
    Ok(text.map(|text| text.lines().any(|line| line == format!("cmdline={name}"))))
}
