use std::path::Path;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_program_sees_the_fixed_environment_alone() {
    let output = run(&Command::look("env")).await.unwrap();
    let mut lines: Vec<&str> = output.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["LANG=C.UTF-8", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    );
    let output = run(&Command::look("pwd")).await.unwrap();
    assert_eq!(output.stdout, "/\n");
}

fn shell(script: &str) -> Command {
    Command::look("sh").args(["-c", script])
}

#[tokio::test]
async fn exit_codes_signals_and_both_outputs_come_back() {
    let run = async |script: &str| crate::run(&shell(script)).await.unwrap();
    let output = run("echo out; echo err >&2; exit 3").await;
    assert_eq!(
        (output.code, output.stdout.as_str(), output.stderr.as_str()),
        (3, "out\n", "err\n")
    );
    assert_eq!(run("kill -9 $$").await.code, 137);
    assert_eq!(run("cat; echo end").await.stdout, "end\n");
}

#[tokio::test]
async fn a_missing_program_has_its_own_error() {
    let missing = run(&Command::look("heeler-no-such-program")).await;
    assert!(matches!(missing, Err(RunError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_secret_is_read_from_standard_input() {
    let command = Command {
        stdin: Stdin::Secret(Secret::new(b"hunter2".to_vec())),
        ..Command::look("cat")
    };
    assert_eq!(run(&command).await.unwrap().stdout, "hunter2");
    assert!(!format!("{command:?}").contains("hunter2"));
}

/// The shell's process group is killed with it; otherwise its child would keep the pipe open.
#[tokio::test]
async fn a_timeout_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group");
    let script = format!(
        "(sleep 1000 & echo $! >>{0}; wait) & echo $! >>{0}; wait",
        file.display()
    );
    let command = shell(&script).timeout(Duration::from_secs(3600));
    let lines = || std::fs::read_to_string(&file).map_or(0, |text| text.lines().count());
    let time_passes = async {
        while lines() < 2 {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        tokio::time::advance(command.timeout).await;
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = run(&command) => ended,
        () = time_passes => return,
    };
    assert!(matches!(ended, Err(RunError::Timeout { .. })), "{ended:?}");
    let ids: Vec<i32> = std::fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|id| id.parse().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        assert!(is_gone(id).await, "{id} lives");
    }
}

#[tokio::test]
async fn a_dropped_caller_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let script = format!("sleep 1000 & echo $! >{}.new; mv {0}.new {0}; wait", file.display());
    let command = shell(&script);
    let started = async {
        while !file.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = run(&command) => panic!("{ended:?}"),
        () = started => {}
    }
    let id = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    assert!(is_gone(id).await);
}

/// The process is reaped, or dead and waits for its new parent.
async fn is_gone(id: i32) -> bool {
    for _ in 0..1_000_000 {
        match std::fs::read_to_string(format!("/proc/{id}/stat")) {
            Ok(stat) if !stat.contains(") Z ") => tokio::task::yield_now().await,
            _ => return true,
        }
    }
    false
}

#[tokio::test]
async fn a_program_with_too_much_output_is_stopped() {
    let command = Command::look("head").args(["-c", "17825792", "/dev/zero"]);
    let said = run(&command).await;
    assert!(matches!(said, Err(RunError::Unreadable { .. })), "{said:?}");
}

#[tokio::test]
async fn a_program_ends_although_its_child_holds_the_output() {
    let command = shell("sleep 1000 & echo $!").timeout(Duration::from_secs(30));
    let output = run(&command).await.unwrap();
    let id: i32 = output.stdout.trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn a_followed_program_is_read_line_by_line() {
    let heard = std::sync::Mutex::new(Vec::new());
    let line = |line: &str| heard.lock().unwrap().push(line.to_owned());
    let failed = Command::look("false");
    assert_eq!(follow(&failed, &line).await.unwrap(), 1);
    let command = Command::look("printf").arg(format!("a\\nb c\\n{}\\nunended", "x".repeat(5000)));
    assert_eq!(follow(&command, &line).await.unwrap(), 0);
    let heard = heard.into_inner().unwrap();
    assert_eq!(heard[..2], ["a", "b c"]);
    assert_eq!((heard.len(), heard[2].len()), (3, 1024));
}

#[tokio::test]
async fn a_pipe_carries_bytes_and_both_exit_codes() {
    let printed = |count: &str| Command::look("head").args(["-c", count, "/dev/zero"]);
    let done = pipe(&printed("30000000"), &Command::look("wc").arg("-c"))
        .await
        .unwrap();
    assert!(done.ok(), "{done:?}");
    assert_eq!(
        (done.from.stdout.as_str(), done.into.stdout.as_str()),
        ("", "30000000\n")
    );
    let done = pipe(&shell("echo part; echo why >&2; exit 3"), &Command::look("cat"))
        .await
        .unwrap();
    assert_eq!((done.from.code, done.from.stderr.as_str()), (3, "why\n"));
    assert_eq!((done.into.code, done.into.stdout.as_str()), (0, "part\n"));
    assert!(!done.ok());
}

#[tokio::test]
async fn a_reader_that_ends_ends_the_printer() {
    let endless = Command::look("cat").arg("/dev/zero").timeout(Duration::from_secs(3600));
    let done = pipe(&endless, &shell("exit 2")).await.unwrap();
    assert_eq!((done.from.code, done.into.code), (128 + 13, 2));
    assert!(!done.ok());
}

#[tokio::test]
async fn both_ends_of_a_dropped_pipe_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let sleeper = |name: &str| {
        let path = file(name).display().to_string();
        shell(&format!("echo $$ >{path}.new; mv {path}.new {path}; exec sleep 1000"))
    };
    let started = async {
        while !(file("from").exists() && file("into").exists()) {
            tokio::task::yield_now().await;
        }
    };
    let (from, into) = (sleeper("from"), sleeper("into"));
    tokio::select! {
        ended = pipe(&from, &into) => panic!("{ended:?}"),
        () = started => {}
    }
    for name in ["from", "into"] {
        let id = std::fs::read_to_string(file(name)).unwrap().trim().parse().unwrap();
        assert!(is_gone(id).await, "{name} lives");
    }
}

#[tokio::test]
async fn a_missing_reader_ends_the_printer() {
    let endless = Command::look("cat").arg("/dev/zero");
    let done = pipe(&endless, &Command::look("heeler-no-such-program")).await;
    assert!(matches!(done, Err(RunError::Missing { .. })), "{done:?}");
}

#[tokio::test]
async fn a_persons_program_has_their_environment_and_folder() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap();
    let output = person::run_in(&place, &shell("pwd -P; echo \"$PATH\"")).await.unwrap();
    let path = std::env::var("PATH").unwrap();
    assert_eq!(output.stdout, format!("{}\n{path}\n", place.display()));
    let missing = person::run_in(Path::new("."), &Command::look("heeler-no-such-program")).await;
    assert!(matches!(missing, Err(RunError::Missing { .. })), "{missing:?}");
}
