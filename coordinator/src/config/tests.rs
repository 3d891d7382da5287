use super::*;

mod bad;

const FULL: &str = include_str!("tests/full.toml");

#[test]
fn the_full_example_is_read_completely() {
    let config = parse(FULL).unwrap();
    assert_eq!(config.cluster.value, "k8sctl");
    assert_eq!(config.coordinator[0].value.to_string(), "10.10.99.50:7443");
    assert_eq!(config.defaults.user.unwrap().value, "pi");
    assert_eq!(config.snapshots[0].keep.count(heeler_proto::Class::Monthly), 6);
    let node = &config.nodes[0];
    assert_eq!(node.location.as_ref().unwrap().value, "left, top shelf");
    assert_eq!(
        node.backplane.as_ref().unwrap().mac.as_ref().unwrap().value,
        "00:e0:4c:68:00:01"
    );
}

#[test]
fn node_settings_override_fleet_settings() {
    let wanted = parse(FULL).unwrap().wanted_nodes();
    let [node] = wanted.as_slice() else {
        panic!("{wanted:?}")
    };
    assert_eq!(
        (node.line, node.pool.as_str(), node.arc_max_bytes),
        (22, "data", Some(1 << 30))
    );
    let datasets: Vec<_> = node
        .datasets
        .iter()
        .map(|one| format!("{} {}", one.name, one.mountpoint))
        .collect();
    assert_eq!(datasets, ["data/pve-files /data/pve-files", "data/vm none"]);

    let fleet = FULL.replace(
        "[defaults]",
        "[pool]\nname = \"tank\"\narc_max = \"512MiB\"\n\n[defaults]",
    );
    let fleet = fleet
        .replace("data/pve-files", "tank/pve-files")
        .replace("{ arc_max = \"1GiB\" }", "{ name = \"tank\" }");
    let wanted = parse(&fleet).unwrap().wanted_nodes();
    assert_eq!(
        (wanted[0].pool.as_str(), wanted[0].arc_max_bytes),
        ("tank", Some(512 << 20))
    );
    assert_eq!(wanted[0].datasets[0].name, "tank/pve-files");
}

#[test]
fn a_disk_is_found_where_it_is_written() {
    let place = parse(FULL).unwrap().place_of_disk("S6XNNS0W100002").unwrap();
    assert_eq!(
        place,
        Place {
            line: 26,
            column: 28,
            width: 16
        }
    );
}

#[test]
fn bytes_that_are_no_utf8_are_pointed_at() {
    let errors = parse_bytes(b"[cluster]\nname = \"k8\xffsctl\"\n").unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "heeler.toml:2:11: byte 0xff is not UTF-8 (save the file as UTF-8)"
    );
}

#[test]
fn all_mistakes_are_listed_in_file_order() {
    let text = FULL
        .replace("name = \"k8sctl\"", "nam = \"k8sctl\"")
        .replace("10.10.80.1\"]", "10.10.80\"]");
    let found: Vec<_> = parse(&text).unwrap_err().iter().map(|error| error.place.line).collect();
    assert_eq!(found, [1, 2, 10]);
}
