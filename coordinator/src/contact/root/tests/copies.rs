//! Fetches copies from a dataset that other users can write to.

use super::*;

#[tokio::test]
async fn a_copy_below_a_mountpoint_with_spaces_is_fetched() {
    let (folder, ssh) = node(NO_PASSWORD);
    let place = folder.path().join("my  data/.heeler/copies");
    std::fs::create_dir_all(&place).unwrap();
    let path = place.join("coordinator-5.age");
    std::fs::write(&path, "backup").unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, b"backup");
    let copy = crate::contact::fetch::Copy {
        name: "coordinator-5.age".to_owned(),
        at_ms: 5,
        bytes: 6,
        sha256: heeler_proto::hex(digest.as_ref()),
        path: path.display().to_string(),
    };
    let mut person = Person::default();
    let mut keeper = crate::contact::fetch::Keeper::open(&ssh, &mut person).await.unwrap();
    let file = folder.path().join("fetched");
    keeper.fetch(&copy, &file).await.unwrap();
    keeper.close().await;
    assert_eq!(std::fs::read(file).unwrap(), b"backup");
}

#[tokio::test]
async fn no_link_below_a_dataset_is_read_as_a_copy() {
    let (folder, ssh) = node(NO_PASSWORD);
    let at = |path: &str| folder.path().join(path);
    let link = std::os::unix::fs::symlink::<PathBuf, PathBuf>;
    for place in [
        "secret",
        "moved/copies",
        "file/.heeler/copies",
        "top",
        "below/.heeler",
        "open/.heeler/copies",
    ] {
        std::fs::create_dir_all(at(place)).unwrap();
    }
    for name in ["secret", "moved/copies", "open/.heeler/copies"] {
        std::fs::write(at(name).join("coordinator-5.age"), "theirs").unwrap();
    }
    link(
        at("secret/coordinator-5.age"),
        at("file/.heeler/copies/coordinator-5.age"),
    )
    .unwrap();
    link(at("moved"), at("top/.heeler")).unwrap();
    link(at("secret"), at("below/.heeler/copies")).unwrap();
    let all = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(at("open/.heeler/copies"), all).unwrap();
    let (root, _) = open(&ssh, "").await;
    let mut root = root.unwrap();
    for dataset in ["file", "top", "below", "open", "nowhere"] {
        let path = at(dataset).join(".heeler/copies/coordinator-5.age");
        let order = format!("FETCH {}", path.display());
        let failed = root.order(&order).await.unwrap_err().to_string();
        assert!(failed.contains("cannot be read"), "{dataset}: {failed}");
    }
    let order = format!("FETCH {}", at("secret/coordinator-5.age").display());
    root.order(&order).await.unwrap_err();
    root.close().await;
}

#[tokio::test]
async fn copies_are_listed_without_following_links() {
    let (folder, mut ssh) = node(NO_PASSWORD);
    let at = |path: &str| folder.path().join(path);
    for place in ["good/.heeler/copies", "bad/.heeler", "secret"] {
        std::fs::create_dir_all(at(place)).unwrap();
    }
    let receipt = "coordinator-5.age.json";
    std::fs::write(at("good/.heeler/copies").join(receipt), "{\n}").unwrap();
    std::fs::write(at("secret").join(receipt), "{}").unwrap();
    std::os::unix::fs::symlink(at("secret"), at("bad/.heeler/copies")).unwrap();
    // The script sets its own PATH; the double of findmnt is put first there.
    let mounts = format!(
        "#!/bin/sh\necho {}\necho {}\n",
        at("bad").display(),
        at("good").display()
    );
    std::fs::create_dir(at("programs")).unwrap();
    program(&at("programs"), "findmnt", &mounts);
    let text = std::fs::read_to_string(ssh.program).unwrap();
    let path = format!("PATH={}:/usr/sbin", at("programs").display());
    let begin = "exec sh -c \"$last\"";
    let double = format!("exec sh -c \"$(printf %s \"$last\" | sed 's|PATH=/usr/sbin|{path}|')\"");
    assert!(text.contains(begin));
    ssh.program = program(folder.path(), "ssh", &text.replace(begin, &double));
    let (root, _) = open(&ssh, "").await;
    let mut root = root.unwrap();
    let lines = root.order("COPIES").await.unwrap();
    root.close().await;
    let path = at("good/.heeler/copies/coordinator-5.age");
    assert_eq!(lines, [format!("copy {}\t{{}}", path.display())]);
}
