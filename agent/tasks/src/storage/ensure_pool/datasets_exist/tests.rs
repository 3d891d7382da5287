use super::*;
use crate::engine::Blocked;

fn files() -> DatasetsExist {
    DatasetsExist {
        datasets: vec![Dataset {
            name: "data/files".into(),
            mountpoint: Mountpoint::At("/data/files".into()),
        }],
    }
}

fn found(change: impl Fn(&mut Found)) -> Option<Found> {
    let mut found = Found {
        name: "data/files".into(),
        kind: "FILESYSTEM".into(),
        mountpoint: "/data/files".into(),
        mountpoint_local: true,
        mounted: true,
        canmount: "on".into(),
        used_bytes: 0,
        made_as: "data/files".into(),
        tuning: Vec::new(),
    };
    change(&mut found);
    Some(found)
}

fn mount(source: &str, kind: &str) -> Option<Mount> {
    Some(Mount {
        source: source.into(),
        target: "/data/files".into(),
        kind: kind.into(),
    })
}

fn plan(seen: Seen) -> Plan {
    files().plan(&Observed::Looked {
        pool: true,
        datasets: vec![seen],
    })
}

fn typed(plan: &Plan) -> Vec<String> {
    match plan {
        Plan::Change { ops, .. } => ops.iter().map(Op::summary).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_empty_folder_is_immutable_before_the_first_mount() {
    let seen = Seen {
        folder: Folder::Missing { can_be_immutable: true },
        ..Seen::default()
    };
    assert_eq!(
        typed(&plan(seen)),
        [
            "mkdir -p /data/files",
            "chattr +i /data/files",
            "zfs create -o heeler:dataset=data/files -o mountpoint=/data/files data/files"
        ]
    );
    let imported = Seen {
        found: found(|one| one.mounted = false),
        folder: Folder::Empty { immutable: Some(false) },
        ..Seen::default()
    };
    assert_eq!(
        typed(&plan(imported)),
        ["chattr +i /data/files", "zfs mount data/files"]
    );
}

#[test]
fn a_dataset_must_be_mounted_at_its_mountpoint() {
    let seen = Seen {
        found: found(|_| {}),
        mount: mount("data/files", "zfs"),
        ..Seen::default()
    };
    assert_eq!(plan(seen), Plan::Satisfied);
    let says_so_only = Seen {
        found: found(|_| {}),
        folder: Folder::Empty { immutable: Some(true) },
        ..Seen::default()
    };
    assert_eq!(typed(&plan(says_so_only)), ["zfs mount data/files"]);
}

#[test]
fn files_below_an_unmounted_mountpoint_are_not_hidden() {
    let seen = Seen {
        folder: Folder::Full {
            first: "backup.tar".into(),
        },
        ..Seen::default()
    };
    let Plan::Blocked(Blocked { found, .. }) = plan(seen) else {
        panic!("blocked")
    };
    assert!(found.contains("backup.tar"), "{found}");
}

#[test]
fn changed_dataset_properties_are_set_back() {
    let plan_of = |change: fn(&mut Found), mounted: bool| {
        plan(Seen {
            found: found(change),
            mount: mounted.then(|| mount("data/files", "zfs")).flatten(),
            ..Seen::default()
        })
    };
    let moved = plan_of(|one| one.mountpoint = "/srv".into(), false);
    assert_eq!(typed(&moved), ["zfs set mountpoint=/data/files data/files"]);
    let unmounted = |one: &mut Found| (one.mountpoint, one.mounted) = ("/srv".into(), false);
    assert_eq!(
        typed(&plan_of(unmounted, false)),
        ["zfs set mountpoint=/data/files data/files", "zfs mount data/files"]
    );
    let noauto = plan_of(|one| one.canmount = "noauto".into(), true);
    assert_eq!(typed(&noauto), ["zfs set canmount=on data/files"]);
    let off = plan_of(|one| (one.canmount, one.mounted) = ("off".into(), false), false);
    assert_eq!(typed(&off), ["zfs set canmount=on data/files", "zfs mount data/files"]);
}

#[test]
fn a_dataset_without_the_mark_gets_it() {
    for made_as in ["", "data/parent"] {
        let seen = Seen {
            found: found(|one| one.made_as = made_as.into()),
            mount: mount("data/files", "zfs"),
            ..Seen::default()
        };
        assert_eq!(typed(&plan(seen)), ["zfs set heeler:dataset=data/files data/files"]);
    }
}

#[test]
fn an_unreadable_dataset_blocks_and_is_named() {
    let seen = Seen {
        found: found(|one| one.kind = zfs::UNREADABLE.into()),
        ..Seen::default()
    };
    let Plan::Blocked(Blocked { found, next, .. }) = plan(seen) else {
        panic!("blocked")
    };
    assert!(
        found.contains("data/files") && next.contains("zfs get all data/files"),
        "{found} {next}"
    );
}

#[test]
fn datasets_that_others_use_are_not_moved() {
    let others = [
        (
            Seen {
                found: found(|one| one.mountpoint = "legacy".into()),
                ..Seen::default()
            },
            "/etc/fstab",
        ),
        (
            Seen {
                found: found(|one| one.kind = "VOLUME".into()),
                ..Seen::default()
            },
            "name a different dataset",
        ),
        (
            Seen {
                found: found(|_| {}),
                mount: mount("/dev/sda1", "ext4"),
                ..Seen::default()
            },
            "mount --bind /data/files /mnt/data/files && umount /data/files",
        ),
        (
            Seen {
                found: found(|_| {}),
                mount: mount("data/other", "zfs"),
                ..Seen::default()
            },
            "zfs set mountpoint=/mnt/data/other data/other",
        ),
        (
            Seen {
                renamed: Some("data/old".into()),
                mount: mount("data/old", "zfs"),
                ..Seen::default()
            },
            "zfs rename data/old data/files",
        ),
    ];
    for (seen, words) in others {
        let Plan::Blocked(blocked) = plan(seen) else {
            panic!("{words}")
        };
        assert!(blocked.advice().contains(words), "{blocked:?}");
    }
}

#[test]
fn a_dataset_waits_for_its_pool() {
    let none = Observed::Looked {
        pool: false,
        datasets: vec![Seen::default()],
    };
    assert_eq!(files().plan(&none), Plan::After("PoolExists"));
    assert_eq!(files().plan(&Observed::NotLoaded), Plan::After("ZfsLoaded"));
}

fn two(outer: &str, inner: &str) -> DatasetsExist {
    let dataset = |name: &str, path: &str| Dataset {
        name: name.into(),
        mountpoint: Mountpoint::At(path.into()),
    };
    DatasetsExist {
        datasets: vec![dataset("data/files", outer), dataset("data/inner", inner)],
    }
}

#[test]
fn a_folder_inside_another_dataset_is_left_to_zfs() {
    let nested = two("/data/a", "/data/a/b");
    assert!(nested.inside_another("/data/a/b"));
    assert!(!nested.inside_another("/data/a") && !nested.inside_another("/data/ab"));
}

fn says(plan: Plan) -> String {
    let Plan::Blocked(blocked) = plan else {
        panic!("{plan:?}")
    };
    format!("{}; {}; {}", blocked.found, blocked.why, blocked.advice())
}

#[test]
fn a_mountpoint_behind_a_link_is_refused() {
    let folder = Folder::Linked {
        to: "/data/real".into(),
    };
    let text = says(plan(Seen {
        folder,
        ..Seen::default()
    }));
    assert!(text.contains("mountpoint = \"/data/real\""), "{text}");
}

#[test]
fn a_mountpoint_above_another_mount_is_refused() {
    let folder = Folder::Above {
        mount: "/data/files/inner".into(),
    };
    let text = says(plan(Seen {
        folder,
        ..Seen::default()
    }));
    assert!(text.contains("another mountpoint") && !text.contains("move"), "{text}");
}
