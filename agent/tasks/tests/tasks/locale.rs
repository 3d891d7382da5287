//! The node's locale.

use std::path::Path;

use heeler_host::sim::Fault;
use heeler_host::{Output, System as _, locale};
use heeler_proto::Task;
use heeler_tasks::engine::Outcome;

use crate::every_point::at_every_point;
use crate::life::{Life, blocked, pi};

const LIST: &str = "/etc/locale.gen";
const CONF: &str = "/etc/locale.conf";
const DEFAULT: &str = "/etc/default/locale";
const OURS: &str = "# heeler begin locale\nLANG=en_AU.UTF-8\n# heeler end locale\n";

fn task(name: &str) -> Task {
    Task::read("ensure locale", format!(r#"{{"locale":"{name}"}}"#).as_bytes()).unwrap()
}

async fn node() -> Life {
    let life = Life::of(pi().build());
    let text = "# mine\nLANG=en_GB.UTF-8\nLANGUAGE=de\nLC_TIME=\"de_DE.UTF-8\"\n";
    life.machine.put_file(CONF, text.as_bytes()).unwrap();
    life
}

fn text(life: &Life, path: &str) -> String {
    String::from_utf8(life.machine.file(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_locale_is_set_wherever_it_is_interrupted() {
    at_every_point(node, &task("en_AU.UTF-8"), async |life, outcome, at| {
        assert_eq!(outcome, Outcome::Done, "{at}");
        for name in ["en_AU.UTF-8", "en_GB.UTF-8"] {
            assert!(locale::is_there(&life.machine, name).await.unwrap(), "{name} {at}");
        }
        let list = text(life, LIST);
        assert_eq!(
            list,
            "# en_AU.UTF-8 UTF-8\nen_GB.UTF-8 UTF-8\n# heeler begin locale\nen_AU.UTF-8 UTF-8\n# heeler end locale\n"
        );
        let before = "# mine\nLANG=en_GB.UTF-8\nLANGUAGE=de\nLC_TIME=\"de_DE.UTF-8\"\n";
        assert_eq!(text(life, CONF), format!("{before}{OURS}"), "{at}");
        let path = life.machine.resolve(Path::new(DEFAULT)).await.unwrap();
        assert_eq!(path, Path::new(CONF), "still a link: {at}");
    })
    .await;
}

#[tokio::test]
async fn the_locale_in_use_changes_nothing() {
    for (lang, wanted) in [("en_GB.utf8", "en_GB.UTF-8"), ("C.UTF-8", "C.UTF-8"), ("\"C\"", "C")] {
        let mut life = node().await;
        let conf = format!("LANG={lang}\n");
        life.machine.put_file(CONF, conf.as_bytes()).unwrap();
        assert_eq!(life.apply(&task(wanted)).await, Outcome::Done);
        assert_eq!(life.changes(), [""; 0], "{lang}");
    }
}

#[tokio::test]
async fn built_in_and_generated_locales_need_no_locale_gen() {
    for wanted in ["C", "POSIX", "C.UTF-8", "en_GB.UTF-8"] {
        let mut life = node().await;
        life.machine.put_file(CONF, b"LANG=sv_SE.UTF-8\n").unwrap();
        life.machine.remove(Path::new("/usr/sbin/locale-gen")).await.unwrap();
        assert_eq!(life.apply(&task(wanted)).await, Outcome::Done);
        assert!(text(&life, CONF).contains(&format!("\nLANG={wanted}\n")));
    }
}

#[tokio::test]
async fn a_locale_with_modifier_is_generated_from_its_source() {
    let mut life = node().await;
    assert_eq!(life.apply(&task("sr_RS.UTF-8@latin")).await, Outcome::Done);
    let listed = life.machine.by_hand("locale", &["-a"]).stdout;
    assert!(listed.contains("sr_RS.utf8@latin\n"), "{listed}");
}

#[tokio::test]
async fn a_later_locale_replaces_the_earlier_one() {
    let mut life = node().await;
    for name in ["en_AU.UTF-8", "de_DE.UTF-8"] {
        assert_eq!(life.apply(&task(name)).await, Outcome::Done);
    }
    assert_eq!(locale::lang(&text(&life, CONF)), Some("de_DE.UTF-8"));
    assert!(!text(&life, CONF).contains("en_AU"));
}

#[tokio::test]
async fn a_missing_default_is_created_where_programs_read_it() {
    // A link without a target, as on Debian 13, and no file at all, as on Debian 12.
    for (gone, written) in [(CONF, CONF), (DEFAULT, DEFAULT)] {
        let mut life = node().await;
        life.machine.remove(Path::new(gone)).await.unwrap();
        assert_eq!(life.apply(&task("en_AU.UTF-8")).await, Outcome::Done);
        assert_eq!(text(&life, written), OURS);
        assert_eq!(text(&life, DEFAULT), OURS);
    }
}

#[tokio::test]
async fn without_the_package_the_person_installs_it() {
    let mut life = node().await;
    life.machine.remove(Path::new("/usr/sbin/locale-gen")).await.unwrap();
    let (found, _, next) = blocked(life.apply(&task("en_AU.UTF-8")).await);
    assert!(found.contains("locale-gen is not installed"), "{found}");
    assert!(next.contains("apt install locales"), "{next}");
    assert!(!text(&life, LIST).contains("heeler"));
}

#[tokio::test]
async fn a_locale_that_the_node_cannot_generate_blocks() {
    let mut life = node().await;
    let (found, _, next) = blocked(life.apply(&task("en_UA.UTF-8")).await);
    assert!(found.contains("does not know en_UA.UTF-8"), "{found}");
    assert!(next.contains("heeler.toml"), "{next}");
    assert!(!text(&life, LIST).contains("heeler"));
}

#[tokio::test]
async fn exit_code_0_without_a_locale_is_a_failure() {
    let mut life = node().await;
    let nothing = Fault::Answers(Output::default());
    life.machine.fail_next("locale-gen", nothing);
    let outcome = life.apply(&task("en_AU.UTF-8")).await;
    let Outcome::Failed { step, reason } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(step, "LocaleGenerated");
    assert!(reason.contains("still missing: locale-gen"), "{reason}");
    assert!(!text(&life, CONF).contains("en_AU"), "not set before it is there");
}

#[tokio::test]
async fn a_lang_below_the_block_blocks() {
    let mut life = node().await;
    assert_eq!(life.apply(&task("en_AU.UTF-8")).await, Outcome::Done);
    let conf = text(&life, CONF) + "LANG=de_DE.UTF-8\n";
    life.machine.put_file(CONF, conf.as_bytes()).unwrap();
    let (found, _, next) = blocked(life.apply(&task("en_AU.UTF-8")).await);
    assert!(found.contains("/etc/locale.conf sets LANG once more"), "{found}");
    assert!(next.contains("remove that line"), "{next}");
    assert_eq!(text(&life, CONF), conf);
}
