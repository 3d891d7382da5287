//! What apt printed when it installed packages, or only said what it would do.

use heeler_host::apt::{self, Change, Refusal, Room, Start};
use heeler_host::{Output, RunError};

use crate::machine::{Recorded, output};

const VERSIONS: [&str; 2] = ["apt-2.6.1", "apt-3.0.4"];

fn now<T>(look: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(look)
}

fn recorded(version: &str, name: &str) -> Output {
    output(&format!("{version}/apt-get-install-{name}"))
}

fn simulated(output: Output) -> Result<Result<Vec<Change>, Refusal>, RunError> {
    now(apt::simulate(&Recorded::saying(output), &["x"], Start::Whole))
}

fn change(name: &str, from: &str, to: &str) -> Change {
    let version = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Change {
        name: name.to_owned(),
        from: version(from),
        to: version(to),
    }
}

#[test]
fn each_change_is_read_with_its_versions() {
    for version in VERSIONS {
        let changes = simulated(recorded(version, "simulated")).unwrap().unwrap();
        let expected = [
            change("zfsutils-linux", "2.3.9", "2.4.4"),
            change("libzfs6linux", "2.3.9", ""),
            change("libzfs7linux", "", "2.4.4"),
            change("old-mail", "1", ""),
            change("corosync", "", "3.1.9"),
            change("pve-manager", "", "9.2.18"),
        ];
        assert_eq!(changes, expected, "{version}");
        let again = simulated(recorded(version, "interrupted")).unwrap().unwrap();
        assert_eq!(
            again,
            [change("old-mail", "1", "1"), change("corosync", "", "3.1.9")],
            "{version}"
        );
    }
}

#[test]
fn a_refusal_names_what_is_held_or_older() {
    for version in VERSIONS {
        let refusal = |name| simulated(recorded(version, name)).unwrap().unwrap_err();
        assert_eq!(refusal("held").held, ["zfsutils-linux"], "{version}");
        assert_eq!(refusal("downgraded").downgraded, ["zfsutils-linux"], "{version}");
        let unknown = refusal("unknown");
        assert!(
            unknown.complaint.contains("Unable to locate package nothing-here"),
            "{unknown:?}"
        );
        assert_eq!((unknown.held.len(), unknown.downgraded.len()), (0, 0));
    }
}

#[test]
fn the_room_is_the_sum_of_what_is_fetched() {
    for version in VERSIONS {
        let host = Recorded::saying(recorded(version, "room"));
        let room = now(apt::room(&host, &["x"], Start::Whole)).unwrap();
        let expected = Room {
            fetched: 3028,
            installed: 2_048_000,
        };
        assert_eq!(room, expected, "{version}");
    }
    let nothing = Recorded::saying(Output::default());
    assert!(now(apt::room(&nothing, &["x"], Start::Whole)).is_err());
}

#[test]
fn an_odd_line_is_no_plan() {
    for odd in ["Inst --purge (1 x [all])\n", "Inst a [1] ($(x) y [all])\n", "Remv \n"] {
        let output = Output {
            stdout: odd.to_owned(),
            ..Output::default()
        };
        assert!(simulated(output).is_err(), "{odd}");
    }
}

#[test]
fn progress_never_goes_back() {
    for version in VERSIONS {
        let printed = recorded(version, "progress").stdout;
        let all: Vec<u8> = printed
            .lines()
            .filter_map(apt::progress)
            .map(|(_, percent)| percent)
            .collect();
        assert!(
            all.len() > 10 && all.is_sorted() && all.last() > Some(&90),
            "{version}: {all:?}"
        );
    }
}
