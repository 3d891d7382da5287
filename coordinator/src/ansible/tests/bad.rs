use super::{given, refused};

#[test]
fn every_bad_line_gets_its_number_and_cure() {
    let blocks: Vec<&str> = include_str!("bad.txt").trim().split("\n\n").skip(1).collect();
    assert!(blocks.len() > 30, "{}", blocks.len());
    let wrong = blocks.into_iter().filter_map(|block| {
        let lines = block.lines().filter_map(|line| line.strip_prefix("+ "));
        let inventory: String = lines.flat_map(|line| [line, "\n"]).collect();
        let expected: Vec<&str> = block.lines().filter(|line| !line.starts_with("+ ")).collect();
        let said = refused(inventory);
        (said != expected).then(|| format!("{block}\nsays: {}\n", said.join("\n")))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_inventory_may_have_windows_line_ends_and_a_mark() {
    let plain = given("[pve_nodes]\na ansible_host=10.0.0.1\n\n[pve_nodes:vars]\nuser_name=ada\n").toml;
    assert_eq!(
        given("[pve_nodes]\r\na ansible_host=10.0.0.1\r\n\r\n[pve_nodes:vars]\r\nuser_name=ada\r\n").toml,
        plain
    );
    assert_eq!(
        given("\u{feff}[pve_nodes]\na ansible_host=10.0.0.1\n[pve_nodes:vars]\nuser_name=ada").toml,
        plain
    );
}

#[test]
fn only_a_comment_may_be_in_another_encoding() {
    given(b"# gr\xfc\xdfe\n; \xff\na ansible_host=10.0.0.1\n");
    let utf8 = ["2: the line is not UTF-8 (save the file as UTF-8)"];
    assert_eq!(refused(b"# a\na note=gr\xfc\xdfe\n"), utf8);
    for bad in ["\u{0}", "\u{1b}[2J", "\u{202e}", "\r", "\u{200b}"] {
        let said = refused(format!("\na ansible_host=10.0.0.1 note=x{bad}y\n"));
        assert_eq!(
            said,
            ["2: there is an invisible character (delete it, or type the line again)"],
            "{bad:?}"
        );
    }
}

#[test]
fn everything_in_an_inventory_has_a_bound() {
    let host = "[pve_nodes]\na ansible_host=10.0.0.1\n";
    let long = "x".repeat(5000);
    let groups: String = (0..600).map(|number| format!("[g{number}]\n")).collect();
    let variables: String = (0..2100).map(|number| format!("v{number}=1\n")).collect();
    let mentions: String = (0..11).map(|number| format!("[g{number}]\nb[0:998]\n")).collect();
    for (inventory, part) in [
        ("#".repeat(300_000), "1: the inventory has more than 256 KiB"),
        (format!("{host}b note={long}\n"), "3: the line has more than 4096 bytes"),
        (format!("{host}b[0:999]\n"), "3: there are more than 1000 hosts"),
        (format!("{host}{mentions}"), "hosts are named more than 10000 times"),
        (format!("{host}{groups}"), "there are more than 500 groups"),
        (
            format!("{host}[all:vars]\n{variables}"),
            "2003: there are more than 2000 variables",
        ),
        (
            format!("{host}[all:vars]\n{}=1\n", "v".repeat(65)),
            "4: a variable's name is not one",
        ),
        (format!("[{}]\n", "g".repeat(65)), "1: a group's name is not one"),
        (format!("{}\n", "a".repeat(256)), "1: a host's name is not one"),
    ] {
        let said = refused(inventory);
        assert!(
            said.first().is_some_and(|first| first.contains(part)),
            "{part}: {said:?}"
        );
        assert!(said.len() <= 20, "{part}: {}", said.len());
    }
    // A comment may be long.
    given(format!("{host}# {long}\n"));
}
