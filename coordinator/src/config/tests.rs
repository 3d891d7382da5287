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
fn the_sd_card_is_copied_unless_heeler_toml_says_otherwise() {
    let copies = |fleet: &str, node: &str| {
        let text = FULL.replace("[defaults]", &format!("[pool]\n{fleet}\n[defaults]"));
        let text = text.replace("{ arc_max = \"1GiB\" }", node);
        parse(&text).unwrap().wanted_nodes()[0].copies
    };
    assert_eq!(copies("", "{}"), 14);
    assert_eq!(copies("copies = 30", "{}"), 30);
    assert_eq!(copies("copies = 30", "{ copies = 0 }"), 0);
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

#[test]
fn access_is_read_as_each_nodes_task() {
    let written = r#"
[access.groups.ops]
role = "PVEAdmin"
path = "/"

[access.people.ada]
realm = "pve"
groups = ["ops"]

[access.people.pi]
realm = "pam"
role = "PVEVMUser"
path = "/vms"
"#;
    let config = parse(&format!("{FULL}{written}")).unwrap();
    let access = config.wanted_nodes()[0].access.clone().unwrap();
    let group = &access.groups[0];
    assert_eq!(
        (group.name.as_str(), group.right.as_ref().unwrap().path.as_str()),
        ("ops", "/")
    );
    let people: Vec<String> = access.people.iter().map(heeler_proto::Person::id).collect();
    assert_eq!(people, ["ada@pve", "pi@pam"]);
    assert_eq!(access.people[1].right.as_ref().unwrap().role.as_str(), "PVEVMUser");
}

#[test]
fn a_mirror_of_proxmox_needs_only_the_fingerprint() {
    let official = parse(&format!("{FULL}\n[proxmox]\nsource = \"official\"\n")).unwrap();
    let official = official.proxmox.unwrap().value.repositories;
    assert_eq!(official.uri.as_str(), "http://download.proxmox.com/debian/pve");
    let mirror = "[proxmox.source]\nuri = \"https://mirror/debian/pve\"\nsuite = \"trixie\"\n\
                  components = [\"pve-no-subscription\"]\nkey = \"24b3 0f06 ecc1 836a 4e5e  fecb a7bc d142 0bfe 778e\"\n";
    let wanted = parse(&format!("{FULL}\n{mirror}")).unwrap().wanted_nodes();
    let mirror = wanted[0].repositories.clone().unwrap();
    assert_eq!(mirror.uri.as_str(), "https://mirror/debian/pve");
    assert_eq!((mirror.key, mirror.public_key), (official.key, official.public_key));
}

#[test]
fn another_key_is_given_whole() {
    let key = include_str!("tests/other-key.asc");
    let text = format!(
        "{FULL}\n[proxmox]\nsource = \"pxvirt\"\nkey = \"CD9BF7BBE3C899D1C14AE47E9B09CBEB81847B8D\"\npublic_key = \"\"\"\n{key}\"\"\"\n"
    );
    let source = parse(&text).unwrap().proxmox.unwrap().value.repositories;
    assert_eq!(
        (source.uri.host(), source.public_key.as_str()),
        ("mirrors.lierfang.com", key)
    );
}

#[test]
fn a_dir_storage_is_where_its_dataset_is_mounted() {
    let written = r#"
[storages.local-nvme]
type = "zfspool"
dataset = "data/vm"
content = ["images", "rootdir"]

[storages.files]
type = "dir"
dataset = "data/pve-files"
content = ["iso", "backup"]

[storages.local]
disabled = true
"#;
    let config = parse(&format!("{FULL}{written}")).unwrap();
    let storages = config.wanted_nodes()[0].storages.clone().unwrap();
    let spec = serde_json::to_string(&storages).unwrap();
    assert_eq!(
        spec,
        r#"{"storages":[{"name":"local-nvme","place":{"zfspool":{"dataset":"data/vm","sparse":true}},"content":["images","rootdir"]},{"name":"files","place":{"dir":{"dataset":"data/pve-files","path":"/data/pve-files"}},"content":["backup","iso"]},{"name":"local","place":"card","content":[],"disabled":true}]}"#
    );

    let without = FULL.replace("disks = [\"S6XNNS0W100001\", \"S6XNNS0W100002\"]\n", "");
    let config = parse(&format!("{without}{written}")).unwrap();
    let storages = config.wanted_nodes()[0].storages.clone().unwrap().storages;
    assert_eq!(storages.len(), 1);
    assert_eq!(storages[0].name.as_str(), "local");
}
