use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::{Content, Folder, FolderAction, Secret};

fn text(path: &str, text: &str) -> File {
    File::text(path, text)
}

#[tokio::test]
async fn a_file_is_replaced_completely_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    let secret = File {
        path: "/etc/heeler/agent.json".into(),
        content: Content::Secret(Secret::new(b"one".to_vec())),
        mode: 0o600,
    };
    host.write(&text("/etc/heeler/agent.json", "a much longer text"))
        .await
        .unwrap();
    host.write(&secret).await.unwrap();
    assert_eq!(host.read(&secret.path).await.unwrap(), b"one");
    assert_eq!(host.mode(&secret.path).await.unwrap(), 0o600);
    assert_eq!(host.list(Path::new("/etc/heeler")).await.unwrap(), ["agent.json"]);
}

#[tokio::test]
async fn the_folder_of_a_private_file_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    host.append(Path::new("/var/lib/heeler-agent/journal"), b"1\n")
        .await
        .unwrap();
    host.write(&text("/etc/modprobe.d/x.conf", "")).await.unwrap();
    let mode = |path: &str| {
        let path = folder.path().join(path);
        path.metadata().unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("var/lib/heeler-agent"), 0o700);
    assert_eq!(mode("var/lib/heeler-agent/journal"), 0o600);
    assert_eq!(mode("etc/modprobe.d"), 0o755);
}

#[test]
fn files_written_at_once_share_a_new_folder() {
    const WRITERS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let start = std::sync::Barrier::new(WRITERS);
        let write = &|n: usize| {
            let path = folder.path().join(format!("{round}/below/{n}"));
            start.wait();
            files::write(&File::text(path, "kept"))
        };
        let written = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS).map(|n| scope.spawn(move || write(n))).collect();
            writers.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(written.iter().all(Result::is_ok), "{written:?}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    host.write(&text("/a/old", "old")).await.unwrap();
    // A folder is in the place of the file, so the last step fails.
    host.write(&text("/a/folder/inside", "")).await.unwrap();
    assert!(host.write(&text("/a/folder", "new")).await.is_err());
    assert_eq!(host.list(Path::new("/a")).await.unwrap(), ["folder", "old"]);
}

#[tokio::test]
async fn appended_bytes_stay_until_truncated() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    let journal = Path::new("/journal");
    host.append(journal, b"one\n").await.unwrap();
    host.append(journal, b"two").await.unwrap();
    host.truncate(journal, 4).await.unwrap();
    assert_eq!(host.read(journal).await.unwrap(), b"one\n");
    host.remove(journal).await.unwrap();
    host.remove(journal).await.unwrap();
    assert_eq!(host.read(journal).await.unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn no_path_leads_out_of_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    for path in ["/../etc/passwd", "etc/passwd", "/a/../../b"] {
        assert_eq!(
            host.read(Path::new(path)).await.unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }
    for path in ["/etc/passwd", "/sys/../etc/passwd"] {
        assert!(host.set_parameter(Path::new(path), "0").await.is_err());
    }
}

#[tokio::test]
async fn a_parameter_is_set_where_it_is_and_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    let parameter = Path::new("/sys/module/zfs/parameters/zfs_arc_max");
    assert_eq!(
        host.set_parameter(parameter, "1").await.unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    host.write(&text(parameter.to_str().unwrap(), "0")).await.unwrap();
    host.set_parameter(parameter, "7").await.unwrap();
    assert_eq!(host.read(parameter).await.unwrap(), b"7");
}

#[tokio::test]
async fn a_device_is_never_read_beyond_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    host.write(&text("/dev/disk", "0123456789")).await.unwrap();
    let disk = Path::new("/dev/disk");
    assert_eq!(host.read_device(disk, 4, 3).await.unwrap(), b"456");
    assert_eq!(host.read_device(disk, 8, 4).await.unwrap(), b"89");
    assert_eq!(host.read_device(disk, 20, 4).await.unwrap(), b"");
}

#[tokio::test]
async fn a_link_resolves_to_a_path_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let host = RealSystem::with_root(folder.path());
    host.write(&text("/dev/nvme0n1", "")).await.unwrap();
    host.write(&text("/dev/disk/by-id/x", "")).await.unwrap();
    let link = folder.path().join("dev/disk/by-id/nvme-A");
    std::os::unix::fs::symlink("../../nvme0n1", link).unwrap();
    let found = host.resolve(Path::new("/dev/disk/by-id/nvme-A")).await.unwrap();
    assert_eq!(found, Path::new("/dev/nvme0n1"));
}

fn shell(script: &str) -> Command {
    Command::look("sh").args(["-c", script])
}

#[tokio::test]
async fn exclusive_programs_never_run_together() {
    let folder = tempfile::tempdir().unwrap();
    let room = folder.path().join("room").display().to_string();
    let host = RealSystem::new();
    let enter = |stay: &str| shell(&format!("mkdir {room} && {stay} && rmdir {room}"));
    let alone = enter("seq 200000 > /dev/null").alone();
    let (one, two, three) = tokio::join!(host.run(&alone), host.run(&alone), host.run(&alone));
    for output in [one, two, three] {
        assert_eq!(output.unwrap(), Output::default());
    }
    // A program that hangs is killed, and the next one runs.
    let hangs = shell("sleep 60").alone().timeout(Duration::from_millis(50));
    let (hung, next) = tokio::join!(host.run(&hangs), host.run(&alone));
    assert!(matches!(hung, Err(RunError::Timeout { .. })), "{hung:?}");
    assert_eq!(next.unwrap(), Output::default());
}

fn copies_in(mountpoint: &str) -> Folder {
    Folder {
        mountpoint: mountpoint.into(),
        below: ".heeler/copies",
    }
}

#[tokio::test]
async fn files_within_a_folder_are_appended_written_listed_and_removed() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("data")).unwrap();
    let (host, copies) = (RealSystem::with_root(root.path()), copies_in("/data"));
    let act = async |name, action| host.within(&copies, name, action).await.unwrap();
    act("a", FolderAction::Remove).await;
    act("a", FolderAction::Append(b"one".to_vec())).await;
    act("a", FolderAction::Append(b"two".to_vec())).await;
    act("b", FolderAction::Write(b"three".to_vec())).await;
    assert_eq!(act("", FolderAction::List).await, ["a", "b"]);
    assert_eq!(host.read(&copies.path().join("a")).await.unwrap(), b"onetwo");
    assert_eq!(host.mode(&copies.path().join("b")).await.unwrap(), 0o600);
    assert_eq!(host.mode(&copies.path()).await.unwrap(), 0o700);
    act("a", FolderAction::Remove).await;
    assert_eq!(act("", FolderAction::List).await, ["b"]);
    for name in ["../c", "/etc/c", "c/d", ".."] {
        let done = host.within(&copies, name, FolderAction::Remove).await;
        assert_eq!(done.unwrap_err().kind(), io::ErrorKind::InvalidInput, "{name}");
    }
}

#[tokio::test]
async fn no_link_within_a_folder_is_followed() {
    use std::os::unix::fs::symlink;
    let actions = || {
        [
            FolderAction::List,
            FolderAction::Append(vec![1]),
            FolderAction::Write(vec![1]),
            FolderAction::Remove,
        ]
    };
    for link in ["data/.heeler", "data/.heeler/copies"] {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("target");
        std::fs::create_dir_all(target.join("copies")).unwrap();
        for file in ["a", "copies/a"] {
            std::fs::write(target.join(file), "mine").unwrap();
        }
        let link = root.path().join(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&target, &link).unwrap();
        let host = RealSystem::with_root(root.path());
        for action in actions() {
            let name = if action == FolderAction::List { "" } else { "a" };
            let done = host.within(&copies_in("/data"), name, action.clone()).await;
            assert!(done.unwrap_err().to_string().contains("is a link"), "{action:?}");
        }
        for file in ["a", "copies/a"] {
            assert_eq!(std::fs::read(target.join(file)).unwrap(), b"mine");
        }
    }
}

#[tokio::test]
async fn a_link_is_never_written_through() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let (host, copies) = (RealSystem::with_root(root.path()), copies_in("/data"));
    let folder = root.path().join("data/.heeler/copies");
    std::fs::create_dir_all(&folder).unwrap();
    let mine = root.path().join("mine");
    std::fs::write(&mine, "mine").unwrap();
    let append = || host.within(&copies, "a", FolderAction::Append(vec![1]));
    symlink(&mine, folder.join("a")).unwrap();
    assert!(append().await.is_err());
    host.within(&copies, "a", FolderAction::Write(b"new".to_vec()))
        .await
        .unwrap();
    assert_eq!(host.read(&copies.path().join("a")).await.unwrap(), b"new");
    host.within(&copies, "a", FolderAction::Remove).await.unwrap();
    std::fs::hard_link(&mine, folder.join("a")).unwrap();
    assert!(append().await.is_err());
    host.within(&copies, "a", FolderAction::Remove).await.unwrap();
    assert_eq!(std::fs::read(&mine).unwrap(), b"mine");
}

#[tokio::test]
async fn another_mount_within_a_folder_is_not_entered() {
    let proc = Folder {
        mountpoint: "/".into(),
        below: "proc/self",
    };
    let listed = RealSystem::new().within(&proc, "", FolderAction::List).await;
    assert!(listed.unwrap_err().to_string().contains("proc is a link, a mount"));
}

#[tokio::test(start_paused = true)]
async fn a_hung_disk_is_given_up_a_slow_one_not() {
    let reads = AtomicU64::new(0);
    let slow = async {
        for _ in 0..20 {
            tokio::time::sleep(ONE_DISK - Duration::from_secs(1)).await;
            reads.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    while_it_moves(slow, &reads).await.unwrap();
    let begun = tokio::time::Instant::now();
    let hung = while_it_moves(std::future::pending::<io::Result<()>>(), &reads).await;
    assert_eq!(hung.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() <= 2 * ONE_DISK);
}
