//! Example replies of a coordinator.

use heeler_proto::v1::event::Kind;
use heeler_proto::v1::irreversible::Act;
use heeler_proto::v1::*;

pub const NOW: u64 = 1_790_000_000_000;
const HOUR: u64 = 3_600_000;

pub const TOML: &str = r#"[cluster]
name = "k8sctl"

[coordinator]
addresses = ["10.10.80.9:7443"]

[network]
subnet = "10.10.80.0/24"
backplane = "10.10.99.0/24"

[nodes.k8sctl-pi5l]
address = "10.10.80.50"
backplane = { address = "10.10.99.50", mac = "00:e0:4c:68:00:01" }
disks = ["S6XNNS0W100001", "S6XNNS0W100002"]

[nodes.k8sctl-pi5r]
address = "10.10.80.51"
disks = ["S6XNNS0W1OOOO3", "S6XNNS0W100004"]

[nodes.k8sctl-pi5x]
address = "10.10.80.52"
disks = ["S6XNNS0W100005", "S6XNNS0W100006"]
"#;

fn disk(slot: &str, serial: &str, used: DiskUse, finding: &str) -> Disk {
    Disk {
        serial: serial.into(),
        slot: slot.into(),
        model: "SAMSUNG MZVLQ128HBHQ-000H1".into(),
        size_bytes: 128_035_676_160,
        r#use: used.into(),
        finding: finding.into(),
        ..Disk::default()
    }
}

fn facts(disks: Vec<Disk>) -> Facts {
    Facts {
        model: "Raspberry Pi 5 Model B Rev 1.0".into(),
        architecture: "aarch64".into(),
        os: "Debian GNU/Linux 13 (trixie)".into(),
        kernel: "6.12.47+rpt-rpi-v8".into(),
        memory_bytes: 8 << 30,
        zfs_version: "2.3.2".into(),
        agent_version: "0.1.0".into(),
        clock_synchronised: true,
        observed_at_ms: NOW - 4_000,
        disks,
        nics: vec![Nic {
            name: "eth0".into(),
            mac: "2c:cf:67:00:00:01".into(),
            bus: "platform".into(),
            carrier: true,
            speed_mbit: 1000,
            addresses: vec!["10.10.80.50/24".into()],
            ..Nic::default()
        }],
        ..Facts::default()
    }
}

fn op(kind: OpKind, summary: &str, before: &str, after: &str) -> OpPreview {
    OpPreview {
        kind: kind.into(),
        summary: summary.into(),
        before: before.into(),
        after: after.into(),
        ..OpPreview::default()
    }
}

fn after(name: &str, first: &str) -> StepReport {
    StepReport {
        after: first.into(),
        ..step(name, StepOutcome::After, "", vec![])
    }
}

fn step(name: &str, outcome: StepOutcome, reason: &str, ops: Vec<OpPreview>) -> StepReport {
    StepReport {
        step: name.into(),
        outcome: outcome.into(),
        reason: reason.into(),
        ops,
        ..StepReport::default()
    }
}

fn identity(serial: &str) -> DiskIdentity {
    DiskIdentity {
        serial: serial.into(),
        size_bytes: 128_035_676_160,
    }
}

fn irreversible(summary: &str, act: Act) -> OpPreview {
    OpPreview {
        irreversible: Some(Irreversible { act: Some(act) }),
        ..op(OpKind::Irreversible, summary, "", "")
    }
}

fn task_id(last: char) -> String {
    format!("{}{last}", "a1b2c3d4".repeat(4).get(..31).unwrap_or_default())
}

fn node(name: &str, steps: Vec<StepReport>) -> NodePlan {
    NodePlan {
        node: name.into(),
        tasks: vec![TaskPlan {
            task_id: task_id(name.chars().last().unwrap_or('0'))
                .replace('l', "1")
                .replace('r', "2")
                .replace('x', "3"),
            kind: "ensure pool".into(),
        }],
        steps,
        enrolled: true,
        facts: Some(facts(vec![
            disk("A", "S6XNNS0W100001", DiskUse::Blank, "looks blank (sampled)"),
            disk("B", "S6XNNS0W100002", DiskUse::Blank, "looks blank (sampled)"),
        ])),
        ..NodePlan::default()
    }
}

fn creation() -> OpPreview {
    let property = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or_default();
        Property {
            name: name.into(),
            value: value.into(),
        }
    };
    let properties = [
        "ashift=12",
        "autotrim=on",
        "cachefile=/etc/zfs/zpool.cache",
        "comment=heeler:k8sctl/k8sctl-pi5l",
        "compression=lz4",
        "atime=off",
    ];
    irreversible(
        "create mirror \"data\"",
        Act::CreatePool(CreatePool {
            unread: vec![],
            pool: "data".into(),
            disks: vec![identity("S6XNNS0W100001"), identity("S6XNNS0W100002")],
            properties: properties.map(property).to_vec(),
        }),
    )
}

fn reply(nodes: Vec<NodePlan>) -> PlanReply {
    PlanReply {
        plan_id: "p".into(),
        nodes,
        accepted_revision: 7,
        now_ms: NOW,
        ..PlanReply::default()
    }
}

pub fn plan() -> PlanReply {
    let old = "# by hand\noptions zfs zfs_arc_max=4294967296\n";
    let new = "# by hand\noptions zfs zfs_arc_max=1073741824\n";
    let pi5l = vec![
        step(
            "HostIdSet",
            StepOutcome::Change,
            "",
            vec![op(OpKind::Run, "zgenhostid 00c0ffee", "", "")],
        ),
        step("ZfsLoaded", StepOutcome::Satisfied, "", vec![]),
        step("PoolExists", StepOutcome::Change, "", vec![creation()]),
        after("DatasetsExist", "PoolExists"),
        step(
            "ArcCapped",
            StepOutcome::Change,
            "",
            vec![op(OpKind::Write, "write /etc/modprobe.d/heeler-zfs.conf", old, new)],
        ),
        after("ZfsUnitsEnabled", "PoolExists"),
    ];
    let missing = StepReport {
        blocked: Some(Blocked {
            found: "S6XNNS0W1OOOO3 is not in this node".into(),
            why: "a mirror is made of the disks that heeler.toml names, and of no others".into(),
            key: TomlKey::Disks.into(),
            item: "S6XNNS0W1OOOO3".into(),
            edit: "correct the serial".into(),
            ..Blocked::default()
        }),
        ..step("PoolExists", StepOutcome::Blocked, "", vec![])
    };
    let mut pi5r = node("k8sctl-pi5r", vec![missing]);
    pi5r.facts = Some(facts(vec![
        disk("A", "S6XNNS0W100003", DiskUse::Blank, "looks blank (sampled)"),
        disk("B", "S6XNNS0W100004", DiskUse::Blank, "looks blank (sampled)"),
    ]));
    let pi5x = NodePlan {
        offline_since_ms: NOW - 3 * HOUR,
        facts: None,
        ..node("k8sctl-pi5x", vec![])
    };
    reply(vec![node("k8sctl-pi5l", pi5l), pi5r, pi5x])
}

pub fn converged() -> PlanReply {
    let satisfied = || vec![step("PoolExists", StepOutcome::Satisfied, "", vec![])];
    reply(vec![node("k8sctl-pi5l", satisfied()), node("k8sctl-pi5r", satisfied())])
}

pub fn erasure() -> PlanReply {
    let act = Act::EraseContents(EraseContents {
        disk: Some(identity("S6XNNS0W100004")),
        finding: "ext4 file system \"backup\"".into(),
    });
    let save = op(
        OpKind::Run,
        "sfdisk --dump S6XNNS0W100004, kept below /var/lib/heeler-agent/erased",
        "",
        "",
    );
    let steps = vec![
        step("ContentsSaved", StepOutcome::Change, "", vec![save]),
        step("DiskBlank", StepOutcome::Change, "", vec![irreversible("erase", act)]),
    ];
    let mut plan = node("k8sctl-pi5r", steps);
    plan.facts = Some(facts(vec![disk(
        "B",
        "S6XNNS0W100004",
        DiskUse::Foreign,
        "ext4 file system \"backup\"",
    )]));
    reply(vec![plan])
}

pub fn incomplete_import() -> PlanReply {
    let act = Act::ImportPool(ImportPool {
        guid: "1234567890".into(),
        present: vec![identity("S6XNNS0W100001")],
        txgs: vec![4711],
        missing: vec!["S6XNNS0W100002".into()],
    });
    let steps = vec![step(
        "PoolExists",
        StepOutcome::Change,
        "",
        vec![irreversible("import", act)],
    )];
    reply(vec![node("k8sctl-pi5l", steps)])
}

pub fn status() -> StatusReply {
    let node = |name: &str, pool: &str, percent, online| NodeStatus {
        node: name.into(),
        connected: true,
        last_seen_ms: NOW,
        pool: pool.into(),
        pool_percent: percent,
        config: "same".into(),
        last_scrub_ms: NOW - 9 * 24 * HOUR,
        newest_snapshot_ms: NOW - HOUR / 5,
        snapshot_wanted: true,
        legs_online: online,
        legs: 2,
        links: 2,
        links_up: 2,
        ..NodeStatus::default()
    };
    StatusReply {
        light: Light::Red.into(),
        summary: "1 pool has no redundancy. No data lost.".into(),
        nodes: vec![
            node("k8sctl-pi5l", "ok", 41, 2),
            node("k8sctl-pi5r", "DEGRADED", 38, 1),
            NodeStatus {
                connected: false,
                last_seen_ms: NOW - 3 * HOUR,
                config: "pending".into(),
                last_scrub_ms: 0,
                newest_snapshot_ms: 0,
                links_up: 0,
                ..node("k8sctl-pi5x", "none", 0, 0)
            },
        ],
        alerts: vec![Alert {
            light: Light::Red.into(),
            node: "k8sctl-pi5r".into(),
            text: "slot B S6XNNS0W100004 silent since 02:14. Do NOT pull slot A.".into(),
            next: "heeler disk replace k8sctl-pi5r S6XNNS0W100004".into(),
            ..Alert::default()
        }],
        next: "heeler node show k8sctl-pi5r".into(),
        now_ms: NOW,
        revision: 7,
    }
}

pub fn nodes() -> Vec<NodeInfo> {
    let pool = Pool {
        name: "data".into(),
        state: "ONLINE".into(),
        size_bytes: 127 << 30,
        allocated_bytes: 52 << 30,
        ..Pool::default()
    };
    let seen = Facts {
        pools: vec![pool],
        schedule: Some(ScheduleFacts {
            last_copy_ms: NOW - 3 * HOUR,
            copy_overdue_ms: NOW + 45 * HOUR,
            copy_problem: String::new(),
            ..ScheduleFacts::default()
        }),
        ..facts(vec![
            disk("A", "S6XNNS0W100001", DiskUse::Pool, "member of pool data"),
            disk("B", "S6XNNS0W100002", DiskUse::Pool, "member of pool data"),
        ])
    };
    vec![
        NodeInfo {
            node: "k8sctl-pi5l".into(),
            state: NodeState::Enrolled.into(),
            connected: true,
            certificate_expires_ms: NOW + 6 * 24 * HOUR,
            hardware_serial: "1000000012345678".into(),
            hostid: "00c0ffee".into(),
            host_key: "ssh-ed25519 SHA256:abc".into(),
            key_sha256: "ab".repeat(32),
            facts: Some(seen),
            ..NodeInfo::default()
        },
        NodeInfo {
            node: "k8sctl-pi5r".into(),
            state: NodeState::Revoked.into(),
            last_seen_ms: NOW - HOUR,
            ..NodeInfo::default()
        },
    ]
}

pub fn disks() -> Vec<DiskRecord> {
    let record = |present, disk| DiskRecord {
        node: "k8sctl-pi5r".into(),
        disk: Some(disk),
        present,
        ..DiskRecord::default()
    };
    vec![
        record(
            true,
            disk("A", "S6XNNS0W100003", DiskUse::Blank, "looks blank (sampled)"),
        ),
        record(
            true,
            disk("B", "S6XNNS0W100004", DiskUse::Foreign, "ext4 file system \"backup\""),
        ),
        record(true, disk("", "0x1234abcd", DiskUse::System, "holds /")),
        record(false, disk("", "S6XNNS0W100009", DiskUse::Pool, "")),
    ]
}

pub fn tasks() -> Vec<TaskInfo> {
    let task = |last, state: TaskState| TaskInfo {
        task_id: task_id(last),
        node: "k8sctl-pi5l".into(),
        kind: "ensure pool".into(),
        state: state.into(),
        revision: 7,
        operator: "me".into(),
        created_at_ms: NOW - HOUR,
        ..TaskInfo::default()
    };
    let blocked = Blocked {
        found: "S6XNNS0W100002 holds an ext4 file system \"backup\"".into(),
        why: "only a blank disk becomes a leg".into(),
        next: "heeler disk erase S6XNNS0W100002".into(),
        ..Blocked::default()
    };
    vec![
        task('1', TaskState::Running),
        TaskInfo {
            reason: "a person is needed".into(),
            blocked: Some(blocked),
            finished_at_ms: NOW,
            changes: 2,
            ..task('2', TaskState::Blocked)
        },
        TaskInfo {
            kind: "schedule snapshots".into(),
            predecessor: task_id('1'),
            ..task('3', TaskState::Queued)
        },
    ]
}

pub fn events() -> Vec<FleetEvent> {
    let event = |id: u64, kind: Kind| FleetEvent {
        id,
        at_ms: NOW + id * 1000,
        node: "k8sctl-pi5l".into(),
        task_id: task_id('1'),
        event: Some(Event {
            seq: id,
            kind: Some(kind),
            ..Event::default()
        }),
        ..FleetEvent::default()
    };
    let pool = || "PoolExists".to_owned();
    let finished = |ok, error: &str| {
        Kind::OpFinished(OpFinished {
            step: pool(),
            summary: "create mirror \"data\" on S6XNNS0W100001, S6XNNS0W100002".into(),
            ok,
            error: error.into(),
        })
    };
    vec![
        FleetEvent {
            id: 1,
            at_ms: NOW,
            node: "k8sctl-pi5l".into(),
            kind: EventKind::Connected.into(),
            text: "connected from 10.10.80.50".into(),
            ..FleetEvent::default()
        },
        event(2, Kind::TaskStarted(TaskStarted::default())),
        event(3, Kind::StepStarted(StepStarted { step: pool() })),
        event(
            4,
            Kind::Progress(Progress {
                step: pool(),
                text: "erasing".into(),
                percent: Some(40),
            }),
        ),
        event(
            5,
            finished(
                false,
                "cannot create 'data': one or more devices is currently unavailable",
            ),
        ),
        event(
            6,
            Kind::TaskStarted(TaskStarted {
                resumed: true,
                ..TaskStarted::default()
            }),
        ),
        event(7, finished(true, "")),
        event(
            8,
            Kind::StepFinished(StepFinished {
                step: pool(),
                outcome: StepOutcome::Satisfied.into(),
                changed: true,
                ..StepFinished::default()
            }),
        ),
        event(
            9,
            Kind::TaskFinished(TaskFinished {
                outcome: TaskOutcome::Done.into(),
                changes: 3,
                ..TaskFinished::default()
            }),
        ),
        event(
            10,
            Kind::TaskFinished(TaskFinished {
                outcome: TaskOutcome::Blocked.into(),
                blocked: tasks().into_iter().find_map(|task| task.blocked),
                ..TaskFinished::default()
            }),
        ),
    ]
}
