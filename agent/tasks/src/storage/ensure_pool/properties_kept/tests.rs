use heeler_proto::{HostId, PoolName};

use super::*;
use crate::engine::Blocked;

const OURS: &str = "heeler:c/a";

fn step() -> PropertiesKept {
    PropertiesKept::of(&PoolSpec {
        name: PoolName::new("data").unwrap(),
        serials: Vec::new(),
        datasets: Vec::new(),
        arc_max_bytes: None,
        hostid: HostId(1),
        recorded_guid: None,
        recorded_serials: Vec::new(),
        comment: OURS.to_owned(),
    })
}

fn dataset(name: &str, mountpoint: &str) -> Dataset {
    let tuning = [
        ("compression", "lz4"),
        ("atime", "off"),
        ("xattr", "on"),
        ("acltype", "posix"),
        ("dnodesize", "auto"),
    ];
    Dataset {
        name: name.to_owned(),
        kind: "FILESYSTEM".to_owned(),
        mountpoint: mountpoint.to_owned(),
        mountpoint_local: true,
        mounted: false,
        canmount: "off".to_owned(),
        used_bytes: 0,
        made_as: String::new(),
        tuning: tuning.map(|(name, value)| (name, value.to_owned())).into(),
    }
}

fn plan(pool: &[(&str, &str)], change: impl Fn(&mut Vec<Dataset>)) -> Plan {
    let mut properties: PoolProperties = [
        ("ashift", "12"),
        ("autotrim", "on"),
        ("cachefile", "-"),
        ("comment", OURS),
        ("readonly", "off"),
        ("altroot", "-"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    properties.extend(
        pool.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let mut datasets = vec![dataset("data", "none")];
    change(&mut datasets);
    step().plan(&Some((properties, datasets, true)))
}

fn typed(plan: &Plan) -> Vec<String> {
    match plan {
        Plan::Change { ops, .. } => ops.iter().map(Op::summary).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn properties_as_zfs_prints_them_are_satisfied() {
    assert_eq!(plan(&[], |_| {}), Plan::Satisfied);
}

#[test]
fn every_property_that_creation_sets_is_set_back() {
    for (name, value, wanted) in [
        ("ashift", "9", "12"),
        ("autotrim", "off", "on"),
        ("cachefile", "none", "/etc/zfs/zpool.cache"),
    ] {
        assert_eq!(
            typed(&plan(&[(name, value)], |_| {})),
            [format!("zpool set {name}={wanted} data")]
        );
    }
    for at in 0..5 {
        let other = |all: &mut Vec<Dataset>| all[0].tuning[at].1 = "other".to_owned();
        assert_eq!(typed(&plan(&[], other)).len(), 1, "{at}");
    }
    assert_eq!(
        typed(&plan(&[], |all| all[0].canmount = "on".into())),
        ["zfs set canmount=off data"]
    );
    assert_eq!(
        typed(&plan(&[], |all| all[0].mountpoint = "/data".into())),
        ["zfs set mountpoint=none data"]
    );
}

#[test]
fn properties_of_other_datasets_and_other_properties_are_left_alone() {
    let other = |all: &mut Vec<Dataset>| {
        let mut more = dataset("data/more", "/srv");
        more.tuning[0].1 = "zstd".to_owned();
        all.push(more);
    };
    assert_eq!(
        plan(&[("autoexpand", "on"), ("failmode", "continue")], other),
        Plan::Satisfied
    );
}

#[test]
fn properties_set_by_an_import_are_reported() {
    for odd in [("readonly", "on"), ("altroot", "/mnt")] {
        let Plan::Blocked(Blocked { next, .. }) = plan(&[odd], |_| {}) else {
            panic!("{odd:?}")
        };
        assert!(next.contains("zpool export data"), "{next}");
    }
}

#[test]
fn a_mounted_dataset_is_not_moved() {
    let root = |all: &mut Vec<Dataset>| {
        (all[0].mounted, all[0].canmount, all[0].mountpoint) = (true, "on".into(), "/data".into());
    };
    let Plan::Blocked(Blocked { found, .. }) = plan(&[], root) else {
        panic!("blocked")
    };
    assert!(found.contains("data is mounted at /data"), "{found}");
    let below = |all: &mut Vec<Dataset>| {
        all[0].mountpoint = "/data".into();
        let mut more = dataset("data/more", "/data/more");
        (more.mounted, more.mountpoint_local) = (true, false);
        all.push(more);
    };
    let Plan::Blocked(Blocked { next, .. }) = plan(&[], below) else {
        panic!("blocked")
    };
    assert!(next.contains("zfs set mountpoint=/data/more data/more"), "{next}");
}

#[test]
fn a_path_with_blanks_is_quoted() {
    let below = |all: &mut Vec<Dataset>| {
        all[0].mountpoint = "/data".into();
        let mut more = dataset("data/x", "/srv/my files");
        (more.mounted, more.mountpoint_local) = (true, false);
        all.push(more);
    };
    let Plan::Blocked(Blocked { next, .. }) = plan(&[], below) else {
        panic!("blocked")
    };
    assert!(next.contains("zfs set 'mountpoint=/srv/my files' data/x"), "{next}");
}

#[test]
fn another_pool_of_the_name_is_left_alone() {
    assert_eq!(
        plan(&[("comment", "tank"), ("autotrim", "off")], |_| {}),
        Plan::After("PoolExists")
    );
    assert_eq!(step().plan(&None), Plan::After("PoolExists"));
}
