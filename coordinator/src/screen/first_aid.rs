/// One thing that goes wrong, and what to do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// What is seen.
    pub when: &'static str,
    /// In the order in which it is done.
    pub steps: &'static [&'static str],
}

/// What the handbook says must never be done, whatever is red.
pub const NEVER: &[&str] = &[
    "Never pull a disk because something is red. While one disk of a mirror is bad, the other one is the only copy: a \
     disk is pulled only after its serial, printed on it, was compared with the bad one's.",
    "Never type zpool create, zpool import -f or -F, wipefs or dd to mend something. A pool that does not come up \
     is still there.",
    "Never flash the card of the coordinator's machine, which is named below and may be one of the nodes, before a copy \
     is elsewhere: heeler backup create FILE. Every key is on it. Another node's SD card holds no data: copy \
     /var/lib/heeler-agent/erased, the way back from an erased disk, if it is there; then flash it. Erasing an NVMe \
     disk is never harmless.",
];

/// What happens in a year, the commonest first.
pub const CASES: &[Case] = &[
    Case {
        when: "A light is not green",
        steps: &[
            "heeler status says what it is, and below it what to type. GREEN: nothing to do. AMBER: something wants a \
             look, this week. RED: today; it says what is known of the data.",
            "heeler plan shows what would change and changes nothing. heeler apply does just that, after asking.",
        ],
    },
    Case {
        when: "A node is dead, or does not answer",
        steps: &[
            "Power off and on, once; wait five minutes. A power cut does no harm.",
            "Is it the coordinator's machine, too? Keep its SD card, flash another one, and go by \"The coordinator is gone\" \
             first.",
            "Still dead: its data is on its NVMe disks. Take another Pi of the same kind, put both disks into it, each into \
             the slot where it was, flash an SD card (the same name, the same user, your SSH key) and start it.",
            "heeler node add NODE --reflashed --ssh USER@ADDRESS, then heeler plan NODE: the pool must be imported, not \
             created. Then heeler apply NODE.",
        ],
    },
    Case {
        when: "A disk is dead",
        steps: &[
            "heeler disk list NODE names the serial and the slot. The pool goes on with the other disk; pull nothing yet.",
            "Get a disk that is no smaller. On the node: sudo zpool status, and sudo zpool offline POOL DISK for the bad one.",
            "Shut the node down, compare the serial printed on the disk, change that one, start again.",
            "On the node: ls /dev/disk/by-id for the new one; sudo zpool replace POOL DISK /dev/disk/by-id/NEW. zpool status \
             shows how far it is; leave it alone until it says ONLINE.",
            "Put the new serial in the place of the old one in heeler.toml; heeler plan NODE must create nothing.",
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
            "On another machine, under one of the addresses above: install heeler, git clone the folder of heeler.toml.",
            "With the recovery key: heeler init --recover --from NODE --ssh USER@ADDRESS FOLDER. Or from a backup: heeler \
             backup restore FILE. Then heeler serve; heeler status; heeler plan, which must be empty.",
            "Without the key: heeler init FOLDER, heeler serve, and heeler node add NODE --ssh USER@ADDRESS for each. Pools \
             are recognised; heeler plan must create nothing.",
        ],
    },
    Case {
        when: "Heeler itself is in the way",
        steps: &[
            "heeler node pause NODE: nothing is changed there any more; snapshots go on. On the node itself: sudo \
             heeler-agent pause. Back: resume.",
            "heeler node release NODE takes it off, or on the node: sudo heeler-agent release. Pools, network and guests stay \
             as they are; it says what stops.",
        ],
    },
];
