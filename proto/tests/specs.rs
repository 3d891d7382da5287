//! Specs of tasks as an earlier version wrote them: every later version reads them, and writes the same bytes.

use heeler_proto::{Task, for_each_task, v1};

macro_rules! kinds {
    ($($kind:ident $name:literal,)*) => {
        const KINDS: &[&str] = &[$($name,)*];
    };
}
for_each_task!(kinds);

/// One file a kind, one spec a line.
fn recorded(kind: &str) -> String {
    let file = format!(
        "{}/tests/specs/{}.jsonl",
        env!("CARGO_MANIFEST_DIR"),
        kind.replace(' ', "-")
    );
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn recorded_specs_are_read_and_written_unchanged() {
    for kind in KINDS {
        let specs = recorded(kind);
        assert!(!specs.is_empty(), "{kind}");
        for spec in specs.lines() {
            let task = Task::read(kind, spec.as_bytes()).unwrap_or_else(|error| panic!("{kind}: {spec}: {error}"));
            assert_eq!(task.kind(), *kind);
            assert_eq!(String::from_utf8_lossy(&v1::Task::from(task).spec), spec, "{kind}");
        }
    }
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    for kind in KINDS {
        let specs = recorded(kind);
        let later = specs.lines().next().unwrap().replacen('{', r#"{"later":1,"#, 1);
        let error = Task::read(kind, later.as_bytes()).unwrap_err();
        assert!(error.problem.contains("unknown field `later`"), "{kind}: {error}");
    }
    assert!(
        Task::read("ensure peace", b"{}")
            .unwrap_err()
            .problem
            .contains("not known")
    );
}

#[test]
fn contradictory_specs_are_refused() {
    let pool = recorded("ensure pool");
    let pool = pool.lines().next().unwrap();
    for (from, to) in [
        (r#""serials":["S1","S2"]"#, r#""serials":["S1"]"#),
        (r#""serials":["S1","S2"]"#, r#""serials":["S1","S1"]"#),
        (r#""hostid":195935998"#, r#""hostid":0"#),
        (r#""recorded_guid":null"#, r#""recorded_guid":0"#),
        (r#""comment":"heeler:k8sctl/a""#, r#""comment":"""#),
        (r#""name":"data/vm""#, r#""name":"other/vm""#),
        (r#""name":"data/vm""#, r#""name":"data/-vm/""#),
        (r#""mountpoint":"none""#, r#""mountpoint":"/etc""#),
    ] {
        let bad = pool.replacen(from, to, 1);
        assert_ne!(bad, pool, "{from}");
        assert!(Task::read("ensure pool", bad.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn contradictory_access_is_refused() {
    let access = recorded("set up access");
    let access = access.lines().nth(1).unwrap();
    for (from, to) in [
        (r#"{"name":"readers"}"#, r#"{"name":"ops"}"#),
        (r#""groups":["ops"]"#, r#""groups":["admins"]"#),
        (r#""name":"ada""#, r#""name":"root""#),
        (r#""name":"ada""#, r#""name":"-ada""#),
        (r#""realm":"pam""#, r#""realm":"p@m""#),
        (r#""path":"/vms/100""#, r#""path":"/vms/../x""#),
    ] {
        let bad = access.replacen(from, to, 1);
        assert_ne!(bad, access, "{from}");
        assert!(Task::read("set up access", bad.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn contradictory_storages_are_refused() {
    let storages = recorded("set up storages");
    let storages = storages.lines().nth(1).unwrap();
    for (from, to) in [
        (r#""path":"/data/pve-files""#, r#""path":"none""#),
        (r#""path":"/data/pve-files""#, r#""path":"/var/lib/../x""#),
        (r#""dataset":"data/pve-files""#, r#""dataset":"-data""#),
        (r#""content":["iso"]"#, r#""content":["images"]"#),
        (r#""content":["iso"]"#, r#""content":[]"#),
        (r#""name":"files""#, r#""name":"local""#),
        (r#""name":"local""#, r#""name":"card""#),
    ] {
        let bad = storages.replacen(from, to, 1);
        assert_ne!(bad, storages, "{from}");
        assert!(Task::read("set up storages", bad.as_bytes()).is_err(), "{to}");
    }
}
