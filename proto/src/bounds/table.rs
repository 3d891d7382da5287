//! The bounds of what a node may send.

use super::Field;

pub(super) const fn one(number: u32, name: &'static str, bytes: usize) -> Field {
    many(number, name, 1, bytes)
}

pub(super) const fn many(number: u32, name: &'static str, count: usize, bytes: usize) -> Field {
    list(number, name, (count, bytes), &[])
}

pub(super) const fn part(number: u32, name: &'static str, bytes: usize, fields: &'static [Field]) -> Field {
    list(number, name, (1, bytes), fields)
}

pub(super) const fn list(
    number: u32,
    name: &'static str,
    (count, bytes): (usize, usize),
    fields: &'static [Field],
) -> Field {
    Field {
        number,
        name,
        count,
        bytes,
        fields,
    }
}

pub(super) const KIB: usize = 1024;
/// The most bytes of any message: 4 MiB.
pub const MESSAGE: usize = 4 * 1024 * KIB;
/// Names, serials, versions, states.
pub(super) const NAME: usize = 256;
pub(super) const TEXT: usize = 4 * KIB;
/// File paths.
pub(super) const PATH: usize = 4 * KIB;
/// The text of a file before and after a change.
const FILE: usize = 512 * KIB;
const POOLS: usize = 64;
/// Legs, spares, logs and caches of one pool: more than four times the 24 disks of a large machine.
const LEGS: usize = 128;
pub(super) const DISKS: usize = 256;
/// Physical cards and their virtual functions (SR-IOV).
const NICS: usize = 256;
const DATASETS: usize = 4096;
/// The most rows that a node answers in one page.
const PAGE: usize = 2000;
const VICTIMS: usize = 100_000;

/// The fields of `FromAgent`.
pub const FROM_AGENT: &[Field] = &[
    part(1, "hello", 256 * KIB, HELLO),
    part(2, "reply", MESSAGE, REPLY),
    part(3, "event", 512 * KIB, EVENT),
    part(
        4,
        "assignment",
        16 * KIB,
        &[
            one(1, "task_id", NAME),
            part(2, "generation", NAME, &[]),
            one(4, "reason", TEXT),
        ],
    ),
    part(5, "trust", 192 * KIB, TRUST),
    part(6, "renew", 16 * KIB, &[one(1, "csr", 8 * KIB)]),
    part(7, "pools_changed", NAME, &[]),
    part(8, "pong", NAME, &[]),
];

const REPLY: &[Field] = &[
    one(2, "error", TEXT),
    part(3, "facts", 512 * KIB, FACTS),
    part(
        4,
        "preview",
        MESSAGE,
        &[
            list(1, "steps", (256, MESSAGE), STEP),
            part(2, "facts", 512 * KIB, FACTS),
        ],
    ),
    part(5, "snapshots", MESSAGE, SNAPSHOTS),
    part(6, "reach", NAME, &[]),
    part(7, "copy", NAME, &[]),
    part(
        8,
        "release",
        256 * KIB,
        &[
            many(1, "stops", 256, TEXT),
            many(2, "goes_on", 256, TEXT),
            many(3, "starts", 256, TEXT),
            one(4, "refused", TEXT),
        ],
    ),
];

/// The fields of the request for a first certificate.
pub const ENROL: &[Field] = &[
    one(1, "token", NAME),
    one(2, "node", NAME),
    one(3, "csr", 8 * KIB),
    one(4, "hardware_serial", NAME),
];

const HELLO: &[Field] = &[
    one(1, "node", NAME),
    one(2, "agent_version", NAME),
    one(3, "boot_id", NAME),
    one(4, "hardware_serial", NAME),
    part(6, "generation", NAME, &[]),
    one(7, "task_id", NAME),
    part(10, "trust", 192 * KIB, TRUST),
    part(
        11,
        "pending_network",
        KIB,
        &[one(1, "guard_id", NAME), one(2, "address", NAME)],
    ),
];

const TRUST: &[Field] = &[
    one(1, "statements_sha256", 32),
    many(2, "authorities", 64, 32),
    many(3, "refused", 1024, TEXT),
];

const FACTS: &[Field] = &[
    one(1, "hostname", NAME),
    one(2, "machine_id", NAME),
    one(3, "hardware_serial", NAME),
    one(4, "model", NAME),
    one(5, "architecture", NAME),
    one(6, "os", NAME),
    one(7, "kernel", NAME),
    one(8, "boot_id", NAME),
    list(10, "disks", (DISKS, 8 * KIB), DISK),
    list(11, "nics", (NICS, 16 * KIB), NIC),
    list(12, "pools", (POOLS, 128 * KIB), POOL),
    one(14, "hostid", NAME),
    one(15, "zfs_version", NAME),
    one(16, "agent_version", NAME),
    list(
        20,
        "unreadable_pools",
        (POOLS, 8 * KIB),
        &[one(1, "name", NAME), one(2, "reason", TEXT)],
    ),
    part(
        21,
        "schedule",
        512 * KIB,
        &[
            list(1, "stands", (DATASETS, KIB), &[one(1, "dataset", NAME)]),
            one(2, "no_pruning", TEXT),
            many(7, "problems", DATASETS, TEXT),
            many(8, "absent", DATASETS, NAME),
        ],
    ),
    part(
        22,
        "paused",
        8 * KIB,
        &[one(1, "reason", TEXT), one(2, "operator", NAME)],
    ),
];

const DISK: &[Field] = &[
    one(1, "serial", NAME),
    one(2, "by_id", KIB),
    one(3, "model", NAME),
    one(5, "slot", NAME),
    one(6, "transport", NAME),
    one(8, "finding", 2 * KIB),
    one(9, "pool_guid", NAME),
    one(10, "kernel_name", NAME),
];

const NIC: &[Field] = &[
    one(1, "name", NAME),
    one(2, "mac", NAME),
    one(3, "bus", NAME),
    one(4, "driver", NAME),
    many(7, "addresses", 256, NAME),
    one(8, "refusal", KIB),
    one(9, "operstate", NAME),
];

const POOL: &[Field] = &[
    one(1, "name", NAME),
    one(2, "guid", NAME),
    one(3, "state", NAME),
    one(7, "scan_function", NAME),
    one(8, "scan_state", NAME),
    list(
        10,
        "legs",
        (LEGS, 8 * KIB),
        &[
            one(1, "serial", NAME),
            one(2, "guid", NAME),
            one(3, "state", NAME),
            one(7, "path", PATH),
            one(9, "vdev", NAME),
            one(11, "last_serial", NAME),
            one(12, "last_slot", NAME),
        ],
    ),
    one(11, "comment", NAME),
    one(12, "zfs_status", TEXT),
];

const BLOCKED: &[Field] = &[
    one(1, "found", 8 * KIB),
    one(2, "why", 8 * KIB),
    one(3, "next", 8 * KIB),
    one(5, "item", 2 * NAME),
    one(6, "edit", 8 * KIB),
];

const STEP: &[Field] = &[
    one(1, "step", NAME),
    one(3, "reason", 16 * KIB),
    list(
        4,
        "ops",
        (1024, MESSAGE),
        &[
            one(2, "summary", 16 * KIB),
            one(3, "before", FILE),
            one(4, "after", FILE),
            part(5, "irreversible", MESSAGE, IRREVERSIBLE),
            one(6, "meaning", 16 * KIB),
        ],
    ),
    part(5, "blocked", 64 * KIB, BLOCKED),
    one(8, "after", NAME),
];

const DISK_IDENTITY: &[Field] = &[one(1, "serial", NAME)];

const IRREVERSIBLE: &[Field] = &[
    part(
        1,
        "create_pool",
        64 * KIB,
        &[
            one(1, "pool", NAME),
            list(2, "disks", (DISKS, KIB), DISK_IDENTITY),
            list(
                3,
                "properties",
                (256, 8 * KIB),
                &[one(1, "name", NAME), one(2, "value", PATH)],
            ),
            many(4, "unread", DISKS, NAME),
        ],
    ),
    part(
        2,
        "erase_contents",
        16 * KIB,
        &[part(1, "disk", KIB, DISK_IDENTITY), one(2, "finding", 2 * KIB)],
    ),
    part(
        3,
        "import_pool",
        128 * KIB,
        &[
            one(1, "guid", NAME),
            list(2, "present", (DISKS, KIB), DISK_IDENTITY),
            many(3, "txgs", DISKS, 4 * KIB),
            many(4, "missing", DISKS, NAME),
        ],
    ),
    part(
        4,
        "lower_keep",
        MESSAGE,
        &[
            list(
                1,
                "changes",
                (DATASETS, 4 * KIB),
                &[one(1, "dataset", NAME), one(2, "before", KIB), one(3, "after", KIB)],
            ),
            list(
                2,
                "victims",
                (VICTIMS, KIB),
                &[one(1, "name", 2 * NAME), one(2, "guid", NAME)],
            ),
        ],
    ),
];

const EVENT: &[Field] = &[
    one(3, "task_id", NAME),
    part(4, "task_started", 64 * KIB, &[many(1, "steps", 256, NAME)]),
    part(5, "step_started", KIB, &[one(1, "step", NAME)]),
    part(
        6,
        "op_started",
        32 * KIB,
        &[one(1, "step", NAME), one(2, "summary", 16 * KIB)],
    ),
    part(
        7,
        "op_finished",
        256 * KIB,
        &[
            one(1, "step", NAME),
            one(2, "summary", 16 * KIB),
            one(4, "error", 128 * KIB),
        ],
    ),
    part(
        8,
        "step_finished",
        256 * KIB,
        &[one(1, "step", NAME), one(3, "reason", 128 * KIB)],
    ),
    part(
        9,
        "progress",
        256 * KIB,
        &[one(1, "step", NAME), one(2, "text", 128 * KIB)],
    ),
    part(
        10,
        "task_finished",
        512 * KIB,
        &[
            one(2, "reason", 128 * KIB),
            part(3, "blocked", 64 * KIB, BLOCKED),
            list(5, "pools", (POOLS, 128 * KIB), POOL),
        ],
    ),
    part(11, "note", 256 * KIB, &[one(2, "text", 128 * KIB)]),
    part(
        12,
        "snapshots",
        512 * KIB,
        &[
            many(1, "taken", DATASETS, 2 * NAME),
            many(3, "pruned_names", 64, 2 * NAME),
            many(4, "problems", DATASETS, TEXT),
            list(5, "stands", (DATASETS, KIB), &[one(1, "dataset", NAME)]),
            one(7, "no_pruning", TEXT),
        ],
    ),
    part(13, "scrub", 16 * KIB, &[one(1, "pool", NAME), one(3, "text", TEXT)]),
];

const SNAPSHOTS: &[Field] = &[
    list(
        1,
        "rows",
        (PAGE, 256 * KIB),
        &[
            one(1, "dataset", NAME),
            one(2, "name", NAME),
            one(3, "guid", NAME),
            many(7, "clones", 1024, NAME),
            many(8, "classes", 16, NAME),
            one(10, "reason", KIB),
            one(11, "path", PATH),
            many(12, "tags", 64, NAME),
        ],
    ),
    one(3, "next", 2 * NAME),
    one(4, "no_pruning", TEXT),
    many(5, "problems", 64, 8 * KIB),
    one(6, "created", 128 * KIB),
    list(
        7,
        "diff",
        (PAGE, 32 * KIB),
        &[one(2, "path", 2 * PATH), one(3, "new_path", 2 * PATH)],
    ),
];
