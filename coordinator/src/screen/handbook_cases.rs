/// A case of the handbook: what goes wrong, and what to do.
pub struct Case {
    /// What a person sees.
    pub when: &'static str,
    /// Steps, in order.
    pub steps: &'static [&'static str],
}

/// What the handbook says must never be done.
pub const NEVER: &[&str] = &[
    "Never pull a disk just because something is red. While one disk of a mirror is bad, the other one is the only \
     copy. Before you remove a disk, compare the serial printed on it with the serial of the bad disk.",
    "Never type zpool create, zpool import -f or -F, wipefs or dd to repair something. A pool that is not imported \
     still has its data.",
    "Never flash the SD card of the coordinator's machine (named below; it may be one of the nodes) before a backup \
     is on another machine: heeler backup create FILE. Every key is on that card. The SD card of any other node holds \
     no data. If it has the folder /var/lib/heeler-agent/erased, copy that first (it helps to recover an erased \
     disk); then flash the card. Erasing an NVMe disk destroys data.",
];

/// The cases, most common first.
pub const CASES: &[Case] = &[
    Case {
        when: "The status is not green",
        steps: &[
            "heeler status says what is wrong, and below it what to type. GREEN: nothing to do. AMBER: look at it this \
             week. RED: look at it today; the status says what is known about the data.",
            "heeler plan only shows what would change. heeler apply makes these changes, after it asked you.",
        ],
    },
    Case {
        when: "A node is dead, or does not answer",
        steps: &[
            "Switch it off and on again, once; wait five minutes. A power cut does no harm.",
            "Does the coordinator run on it? Then keep its SD card, use another card, and follow \"The coordinator is \
             gone\" first.",
            "Still dead: its data is on its NVMe disks. Take another Pi of the same kind, put both disks into it, each into \
             the slot where it was, flash an SD card (the same name, the same user, your SSH key) and start it.",
            "Type heeler node add NODE --reflashed --ssh USER@ADDRESS, then heeler plan NODE. The plan must say that it \
             imports the pool, not that it creates one. Then type heeler apply NODE.",
        ],
    },
    Case {
        when: "A disk is dead",
        steps: &[
            "heeler disk list NODE names the serial and the slot. The pool keeps working on the other disk; pull \
             nothing yet.",
            "Get a disk that is no smaller. If the bad one still works, type on the node: sudo zpool status, then sudo \
             zpool offline POOL LEG. LEG is the name of the bad disk in zpool status.",
            "Shut the node down. Compare the serial printed on the disk, and take out only the bad one. Put the new disk \
             into its slot, and start the node.",
            "On the node: sudo zpool status -g POOL shows the NUMBER of the bad disk; ls /dev/disk/by-id shows the new \
             one. Then: sudo zpool replace POOL NUMBER /dev/disk/by-id/NEW. If it refuses, never add -f.",
            "Wait until sudo zpool status POOL says \"resilvered … with 0 errors\" and no longer \"resilver in progress\". \
             ONLINE alone is not enough: a new disk is ONLINE while it still resilvers. Until then pull no disk of the \
             pool. If it says another number of errors, sudo zpool status -v POOL names the damaged files.",
            "In heeler.toml, replace the old serial with the new one. Type heeler plan NODE: it must create nothing. \
             Then type heeler apply NODE.",
        ],
    },
    Case {
        when: "A file was deleted or damaged",
        steps: &[
            "heeler snapshot list NODE shows what was kept, and the folder of each (…/.zfs/snapshot/NAME). On the node, \
             copy the file out of there. Snapshots cannot be changed.",
        ],
    },
    Case {
        when: "The coordinator is gone",
        steps: &[
            "Nothing is urgent: the nodes, their pools, guests, snapshots and scrubs run without it.",
            "On another machine that has one of the addresses under \"The coordinator\" above: install heeler, and git clone \
             the second copy of heeler.toml's repository into FOLDER. No second copy? Go on: the next step writes \
             heeler.toml.",
            "With the recovery key: heeler init --recover --from NODE --ssh USER@ADDRESS FOLDER. Or from a backup: heeler \
             backup restore FILE. Then type heeler serve; in another terminal heeler status, then heeler plan, which must \
             be empty.",
            "Without the key: FOLDER must hold the second copy of heeler.toml. Type heeler init FOLDER, \
             then heeler serve; in another terminal heeler node add NODE --ssh USER@ADDRESS for each node. Heeler \
             recognises the pools: heeler plan must create nothing.",
        ],
    },
    Case {
        when: "You want Heeler to stop changing a node",
        steps: &[
            "heeler node pause NODE: Heeler changes nothing there until heeler node resume NODE; snapshots continue. \
             On the node itself: sudo heeler-agent pause, and later sudo heeler-agent resume.",
            "heeler node release NODE removes Heeler from the node; or on the node: sudo heeler-agent release. Pools, \
             network and guests stay as they are. The command says what stops.",
        ],
    },
];
