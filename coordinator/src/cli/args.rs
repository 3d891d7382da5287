use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{
    audit, backup, ca, demo, disk, events, handbook, init, node, operator, plan, pool, pull, revision, secret, serve,
    snapshot, status, task,
};

/// Manages a fleet of Raspberry Pis and protects their data.
///
/// Describe the fleet in heeler.toml. `heeler plan` shows the changes, `heeler apply` makes them.
/// Without a command: the status, and the next command to type.
#[derive(Debug, Parser)]
#[command(name = "heeler", version, max_term_width = 80, after_long_help = EXAMPLES, after_help = EXAMPLES)]
pub struct Heeler {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

const EXAMPLES: &str = "\
First steps:
  heeler demo                              try it on simulated machines
  heeler init --cluster home ~/fleet       make the config folder and the keys
  heeler serve                             start the coordinator
  heeler node add pi-1 --ssh pi@10.0.0.5   install the agent on a fresh Pi
  heeler plan                              show what would change
  heeler apply                             make these changes

Exit codes: 0 fine · 1 error · 2 usage, and plan --exit-code when something
would change · 3 blocked, a person is needed · 4 no coordinator · 5 refused ·
130 watching was stopped";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// State folder: database, keys, socket [default: $HEELER_STATE, else /var/lib/heeler or ~/.local/state/heeler]
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    pub(super) state: Option<PathBuf>,
    /// Use a coordinator on another machine, with your operator certificate [default: $HEELER_COORDINATOR, else this
    /// machine]
    #[arg(long, value_name = "HOST:PORT", global = true, help_heading = "Everywhere")]
    pub(super) coordinator: Option<String>,
    /// Folder of heeler.toml [default: $HEELER_CONFIG, else this folder, else the one from heeler init]
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    pub(super) config: Option<PathBuf>,
    /// JSON on stdout: one document, or one per line for events
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Colours
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        help_heading = "Everywhere"
    )]
    pub(super) color: Color,
    /// Columns [default: those of the terminal, else 80]
    #[arg(long, value_name = "COLUMNS", value_parser = super::given::number(40, u16::MAX), global = true, help_heading = "Everywhere")]
    pub(super) width: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a config folder, keys and a database
    Init(init::Init),
    /// Run the coordinator
    Serve(serve::Serve),
    /// Nodes: add, list, show, discover, pause, resume, release, remove, revoke
    #[command(subcommand)]
    Node(node::Node),
    /// Show what would change; changes nothing
    Plan(plan::Plan),
    /// Show the plan, ask, and make the changes
    Apply(plan::Apply),
    /// Red, amber or green, the reason, and what to type
    Status(status::Status),
    /// Disks: list, erase
    #[command(subcommand)]
    Disk(disk::Disk),
    /// Snapshots: list, create, hold, release, diff, prune --dry-run
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    /// Pools: forget
    #[command(subcommand)]
    Pool(pool::Pool),
    /// Tasks: list, show, follow
    #[command(subcommand)]
    Task(task::Task),
    /// What happened, on all nodes
    Events(events::Events),
    /// The coordinator's own state: create, restore, verify, list, copy
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Who did what: list, verify
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Operators: list, request, add, accept, revoke
    #[command(subcommand)]
    Operator(operator::Operator),
    /// The certificate authority: show, rotate
    #[command(subcommand)]
    Ca(ca::Ca),
    /// heeler.toml: pull
    #[command(subcommand)]
    Config(pull::Config),
    /// The accepted revision of heeler.toml
    #[command(subcommand)]
    Revision(revision::Revision),
    /// Secrets that heeler.toml only names: set, list, remove
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Print where everything is and what to do, for a person who acts in your absence
    #[command(after_help = handbook::AFTER)]
    Handbook,
    /// Try heeler on three simulated machines; needs nothing else
    Demo(demo::Demo),
    /// Print completions for a shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: Shell,
    },
    /// Write a manual page for each command into a folder
    #[command(hide = true)]
    Manual {
        /// Made when it is missing
        folder: PathBuf,
    },
}

impl Command {
    /// Whether the command changes nothing, however it ends.
    pub(super) fn only_reads(&self) -> bool {
        use audit::Audit;
        use backup::Backup;
        use ca::Ca;
        use disk::Disk;
        use node::Node;
        use operator::Operator;
        use secret::Secret;
        use snapshot::Snapshot;
        use task::Task;
        match self {
            Self::Plan(_) | Self::Status(_) | Self::Handbook | Self::Demo(_) | Self::Completions { .. } => true,
            Self::Init(_) | Self::Serve(_) | Self::Apply(_) | Self::Pool(_) | Self::Config(_) | Self::Manual { .. } => {
                false
            }
            Self::Events(args) => args.only_reads(),
            Self::Revision(revision::Revision::Show { .. }) => true,
            Self::Node(args) => matches!(args, Node::List | Node::Show { .. } | Node::Discover { .. }),
            Self::Disk(args) => matches!(args, Disk::List { .. }),
            Self::Snapshot(args) => matches!(args, Snapshot::List(_) | Snapshot::Diff { .. } | Snapshot::Prune(_)),
            Self::Task(Task::List { .. } | Task::Show { .. } | Task::Follow { .. }) => true,
            Self::Backup(args) => matches!(args, Backup::List | Backup::Verify { .. }),
            Self::Audit(Audit::List { .. } | Audit::Verify) => true,
            Self::Operator(args) => matches!(args, Operator::List),
            Self::Ca(args) => matches!(args, Ca::Show),
            Self::Secret(args) => matches!(args, Secret::List),
        }
    }
}
