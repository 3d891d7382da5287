//! No parser panics on any input, and incomplete output never passes for complete output.

use std::path::Path;
use std::sync::LazyLock;

use heeler_host::{Output, blkid, disk, facts, findmnt, ip, lsblk, sfdisk, timedatectl, wipefs, zdb, zfs, zpool};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::machine::{Recorded, output};

/// Random input is derived from numbers (splitmix64), because a proptest strategy for each character takes most of
/// the time.
fn numbers(mut seed: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// A text of this many of these characters.
fn text(seed: u64, length: usize, of: &[char]) -> String {
    let numbers = numbers(seed).take(length);
    numbers
        .map(|number| of[usize::try_from(number >> 1).unwrap() % of.len()])
        .collect()
}

/// Characters that occur in the programs' output.
static PLAIN: LazyLock<Vec<char>> = LazyLock::new(|| {
    let marks = " \t\n:=\"{}[]/_'-,.\\".repeat(3);
    marks
        .chars()
        .chain('0'..='9')
        .chain('a'..='z')
        .chain('A'..='Z')
        .collect()
});
/// Those, and characters that do not occur.
static STRANGE: LazyLock<Vec<char>> = LazyLock::new(|| {
    PLAIN
        .iter()
        .copied()
        .chain("äß€\u{202e}\u{feff}\u{0}\u{7f}犬🐕".chars())
        .collect()
});
/// The recorded outputs, in the order of [`RECORDED`].
static WHOLE: LazyLock<Vec<Output>> = LazyLock::new(|| RECORDED.iter().map(|(_, name)| output(name)).collect());

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
}

/// Whether the program's parser accepts this output.
fn believes(program: &str, output: Output) -> bool {
    let host = Recorded::saying(output);
    let believed = async {
        match program {
            "blkid" => blkid::probe(&host, "/dev/x").await.is_ok(),
            "findmnt" => findmnt::mounts(&host).await.is_ok(),
            "lsblk" => lsblk::devices(&host).await.is_ok(),
            "sfdisk" => sfdisk::dump(&host, "/dev/x").await.is_ok(),
            "wipefs" => wipefs::signatures(&host, "/dev/x").await.is_ok(),
            "zdb" => zdb::labels(&host, "/dev/x").await.is_ok(),
            "zfs-list" => zfs::datasets(&host).await.is_ok(),
            "zfs-version" => zfs::module(&host).await.is_ok(),
            "zpool-get" => zpool::properties(&host, "data").await.is_ok(),
            "zpool-import" => zpool::importable(&host).await.is_ok(),
            "zpool-status" => zpool::status(&host).await.is_ok(),
            other => panic!("{other}"),
        }
    };
    RUNTIME.with(|runtime| runtime.block_on(believed))
}

const RECORDED: [(&str, &str); 15] = [
    ("blkid", "util-linux-2.41.5/blkid-ext4"),
    ("findmnt", "util-linux-2.41.5/findmnt-active"),
    ("lsblk", "util-linux-2.41.5/lsblk-active"),
    ("lsblk", "util-linux-2.41.5/lsblk-lvm-active"),
    ("sfdisk", "util-linux-2.41.5/sfdisk-dump-gpt-ext4"),
    ("wipefs", "util-linux-2.41.5/wipefs-gpt-empty"),
    ("wipefs", "util-linux-2.41.5/wipefs-blank"),
    ("zdb", "zfs-2.3.9/zdb-label-exported-part1"),
    ("zdb", "zfs-2.3.9/zdb-label-blank"),
    ("zfs-list", "zfs-2.3.9/zfs-list-mirror"),
    ("zfs-version", "zfs-2.3.9/zfs-version"),
    ("zpool-get", "zfs-2.3.9/zpool-get-all-mirror"),
    ("zpool-import", "zfs-2.3.9/zpool-import-list-leg-missing"),
    ("zpool-status", "zfs-2.3.9/zpool-status-leg-missing"),
    ("zpool-status", "zfs-2.3.9/zpool-status-no-pool"),
];

/// The programs that print one JSON object.
fn prints_json(program: &str) -> bool {
    !["blkid", "sfdisk", "zdb", "zpool-import"].contains(&program)
}

#[test]
fn recorded_output_is_accepted() {
    for (program, name) in RECORDED {
        assert!(believes(program, output(name)), "{name}");
    }
}

#[test]
fn truncated_json_is_never_accepted() {
    for (program, name) in RECORDED.into_iter().filter(|(program, _)| prints_json(program)) {
        let whole = output(name);
        let text = whole.stdout.trim_end();
        let step = (text.len() / 60).max(1);
        for end in (1..text.len()).step_by(step).filter(|end| text.is_char_boundary(*end)) {
            let cut = Output {
                stdout: text[..end].to_owned(),
                ..whole.clone()
            };
            assert!(!believes(program, cut), "{name} cut at {end}");
        }
    }
}

#[test]
fn another_major_version_of_zfs_json_is_refused() {
    for (program, name) in RECORDED.into_iter().filter(|(_, name)| name.starts_with("zfs-2.3.9")) {
        let whole = output(name);
        let with = |from: &str, to: &str| Output {
            stdout: whole.stdout.replace(from, to),
            ..whole.clone()
        };
        if prints_json(program) {
            assert!(
                !believes(program, with("\"vers_major\":0", "\"vers_major\":1")),
                "{name}"
            );
            assert!(!believes(program, with("output_version", "version")), "{name}");
            assert!(
                believes(program, with("\"vers_major\":0", "\"vers_major\":\"0\"")),
                "{name}"
            );
        }
    }
    let status = output("zfs-2.3.9/zpool-status-mirror");
    let strings = status
        .stdout
        .replace(":7447198234645666868", ":\"7447198234645666868\"");
    assert!(believes(
        "zpool-status",
        Output {
            stdout: strings,
            ..status
        }
    ));
}

#[test]
fn output_with_a_failing_exit_code_is_never_accepted() {
    for (program, name) in RECORDED {
        let failed = Output {
            code: 1,
            stderr: "input/output error".to_owned(),
            ..output(name)
        };
        // zdb's exit code 1 means that some labels could not be read.
        if name != "zfs-2.3.9/zdb-label-exported-part1" {
            assert!(!believes(program, failed), "{name}");
        }
    }
}

#[test]
fn no_fixture_makes_a_reader_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for version in std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
    {
        for file in std::fs::read_dir(&version).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "rc") {
                let name = file
                    .with_extension("")
                    .strip_prefix(version.parent().unwrap())
                    .unwrap()
                    .display()
                    .to_string();
                for (program, _) in RECORDED {
                    believes(program, output(&name));
                }
            }
        }
    }
}

fn damaged() -> impl Strategy<Value = (usize, Output)> {
    let kinds = (
        0..RECORDED.len(),
        any::<Index>(),
        any::<Index>(),
        (any::<u64>(), 0..12_usize),
        prop_oneof![0..4_i32, Just(8), Just(127)],
    );
    kinds.prop_map(|(which, from, to, (seed, length), code)| {
        let mut whole = WHOLE[which].clone();
        let length_before = whole.stdout.len() + 1;
        let (a, b) = (from.index(length_before), to.index(length_before));
        let place = |at: usize| whole.stdout.floor_char_boundary(at);
        let range = place(a.min(b))..place(a.max(b));
        whole.stdout.replace_range(range, &text(seed, length, &STRANGE));
        whole.code = code;
        (which, whole)
    })
}

/// As many cases as for the protocol's messages, over all parsers together.
fn many(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(many(100_000))]

    #[test]
    fn no_damage_makes_a_reader_panic((which, output) in damaged()) {
        believes(RECORDED[which].0, output);
    }

    #[test]
    fn no_text_makes_any_reader_panic(
        which in 0..RECORDED.len(), seed in any::<u64>(), length in 0..300_usize, code in 0..9_i32
    ) {
        let output = Output { code, stdout: text(seed, length, &PLAIN), stderr: text(!seed, length / 8, &STRANGE) };
        believes(RECORDED[which].0, output);
    }
}

proptest! {
    // Each look runs dozens of programs.
    #![proptest_config(many(5_000))]

    #[test]
    fn no_text_makes_a_look_at_the_machine_panic(seed in any::<u64>(), length in 0..200_usize, code in 0..9_i32) {
        let host = Recorded::saying(Output { code, stdout: text(seed, length, &STRANGE), stderr: String::new() });
        RUNTIME.with(|runtime| runtime.block_on(async {
            let _ = disk::inventory(&host).await;
            let _ = facts::collect(&host).await;
            let _ = ip::interfaces(&host).await;
            let _ = ip::routes(&host).await;
            let _ = timedatectl::synchronised(&host).await;
        }));
    }
}
