use clap::CommandFactory as _;

use super::fake::Stage;
use crate::cli::Exit;
use crate::cli::args::Heeler;

/// Every command with its parents: "node list".
fn all(command: &clap::Command, way: &str) -> Vec<String> {
    let mut ways = vec![way.to_owned()];
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        ways.extend(all(below, format!("{way} {}", below.get_name()).trim()));
    }
    ways
}

#[tokio::test]
async fn every_command_explains_itself_within_80_columns() {
    let stage = Stage::empty();
    let ways = all(&Heeler::command(), "");
    assert!(ways.len() > 15, "{ways:?}");
    for way in ways {
        for flag in ["-h", "--help"] {
            let outcome = stage.types(&format!("{way} {flag}")).await;
            assert_eq!(outcome.exit, Exit::Fine, "{way}");
            let widest = outcome
                .out
                .lines()
                .max_by_key(|line| line.chars().count())
                .unwrap_or_default();
            assert!(widest.chars().count() <= 80, "{way} {flag}: {widest}");
        }
    }
}

fn texts(command: &clap::Command) -> Vec<String> {
    let own = [command.get_after_help(), command.get_after_long_help()];
    let own = own.into_iter().flatten().map(ToString::to_string);
    own.chain(command.get_subcommands().flat_map(texts)).collect()
}

#[test]
fn lines_of_help_are_not_broken_twice() {
    let texts = texts(&Heeler::command());
    assert!(texts.len() > 5);
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() < 80, "{line}");
    }
}

#[tokio::test]
async fn help_lists_one_first_step_a_line() {
    let shown = Stage::empty().types("-h").await.out;
    let (_, steps) = shown.split_once("First steps:\n").unwrap();
    let steps: Vec<&str> = steps.lines().take_while(|line| !line.is_empty()).collect();
    assert!(steps.iter().all(|line| line.starts_with("  heeler ")), "{steps:?}");
}

#[tokio::test]
async fn a_mistyped_command_suggests_the_nearest() {
    let outcome = Stage::empty().types("aply").await;
    assert_eq!(outcome.exit, Exit::Usage);
    assert!(outcome.err.contains("apply"), "{}", outcome.err);
}

#[tokio::test]
async fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let outcome = Stage::empty().types(&format!("completions {shell}")).await;
        // The script asks the program for commands and names, so it must set this variable.
        assert!(outcome.out.contains("HEELER_COMPLETE"), "{shell}: {}", outcome.out);
        assert!(
            !outcome.out.contains("target/"),
            "{shell}: it is for the installed program"
        );
    }
}
