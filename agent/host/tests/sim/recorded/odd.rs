use heeler_host::Output;
use heeler_host::sim::{Content, Left, Machine};

use super::pools::STATUS;
use super::{ZFS, lab, path, recorded, same_keys, same_text, without_numbers};
use crate::{A, B, node};

#[test]
fn unimportable_simulated_pools_look_like_recorded_ones() {
    let listing = ["import", "-d", "/dev/disk/by-id"];
    let import = |machine: &Machine, name: &str| {
        let listed = machine.by_hand("zpool", &listing).stdout;
        let guid = listed
            .lines()
            .find_map(|line| line.trim().strip_prefix("id: "))
            .expect("one pool")
            .to_owned();
        let options = ["import", "-N", "-d", "/dev/disk/by-id", "-o", "cachefile=none", &guid];
        same_text(&machine.by_hand("zpool", &options), ZFS, name);
    };
    let made = |left: Left| {
        let machine = lab(Content::Blank);
        machine.leave_pool("data", &[A, B], left);
        machine
    };
    let create = ["create", "-n", "data", "mirror", &path(A), &path(B)];
    let part = format!("{}-part1", path(A));

    let machine = made(Left::ByAnotherHost);
    same_text(
        &machine.by_hand("zpool", &listing),
        ZFS,
        "zpool-import-list-in-use-elsewhere",
    );
    same_text(
        &machine.by_hand("zpool", &create),
        ZFS,
        "zpool-create-n-in-use-elsewhere",
    );
    same_text(
        &machine.by_hand("zpool", &["labelclear", &part]),
        ZFS,
        "zpool-labelclear-in-use-elsewhere-part1",
    );
    import(&machine, "zpool-import-guid-in-use-elsewhere");

    let machine = made(Left::WithUnknownFeature);
    same_text(
        &machine.by_hand("zpool", &listing),
        ZFS,
        "zpool-import-list-unsupported-feature",
    );
    import(&machine, "zpool-import-guid-unsupported-feature");

    let machine = made(Left::Exported);
    for serial in [A, B] {
        machine.write_disk(serial, (1 << 20) + (4 << 20), &[0xff; 64]);
    }
    same_text(&machine.by_hand("zpool", &listing), ZFS, "zpool-import-list-corrupt");
    import(&machine, "zpool-import-guid-corrupt");

    let machine = lab(Content::Blank);
    machine.leave_pool("data", &[A], Left::Exported);
    machine.leave_pool("data", &[B], Left::Exported);
    same_text(
        &machine.by_hand("zpool", &create),
        ZFS,
        "zpool-create-n-two-of-one-name",
    );
    let by_name = ["import", "-d", "/dev/disk/by-id", "data"];
    same_text(
        &machine.by_hand("zpool", &by_name),
        ZFS,
        "zpool-import-name-two-of-one-name",
    );
    let sorted = |output: &Output| {
        let text = without_numbers(&output.stdout);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let real = recorded(ZFS, "zpool-import-list-two-of-one-name");
    assert_eq!(sorted(&machine.by_hand("zpool", &listing)), sorted(&real));
    import(&machine, "zpool-import-guid-two-of-one-name");
    same_keys(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-single");
    import(&machine, "zpool-import-guid-name-taken");
}

#[test]
fn without_the_module_every_command_fails_as_recorded() {
    let machine = node().blank(A).module_missing().build();
    same_text(&machine.by_hand("zpool", &STATUS), ZFS, "zpool-status-json-no-module");
    same_text(
        &machine.by_hand("zpool", &["import", "-d", "/dev/disk/by-id"]),
        ZFS,
        "zpool-import-no-module",
    );
    same_text(
        &machine.by_hand("zfs", &["version", "-j"]),
        ZFS,
        "zfs-version-no-module",
    );
    same_text(
        &machine.by_hand("zdb", &["-l", &crate::by_id(A)]),
        ZFS,
        "zdb-label-no-module",
    );
}
