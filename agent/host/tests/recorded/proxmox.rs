//! What Proxmox's programs print.

use heeler_host::pvesm::{self, Storage};
use heeler_host::pveum::{self, Permission, Realm, User, Whose};
use heeler_host::{Output, RunError};

use crate::machine::{Recorded, output};

fn recorded(name: &str) -> Recorded {
    Recorded::saying(output(&format!("proxmox-9.1.8/{name}")))
}

#[tokio::test]
async fn users_of_an_unknown_realm_are_users_too() {
    let user = |id: &str| User {
        id: id.to_owned(),
        enabled: true,
    };
    let fresh = pveum::users(&recorded("pveum-user-list-fresh")).await.unwrap();
    assert_eq!(fresh, [user("root@pam")]);
    let users = pveum::users(&recorded("pveum-user-list-unknown-realm")).await.unwrap();
    assert_eq!(users, ["alice@pam", "bob@pve", "noreal@nosuch", "root@pam"].map(user));
}

#[tokio::test]
async fn permissions_say_whose_they_are_and_whether_they_propagate() {
    let permission = |path: &str, whose: Whose, role: &str, propagates| Permission {
        path: path.to_owned(),
        whose,
        role: role.to_owned(),
        propagates,
    };
    let alice = || Whose::User("alice@pam".to_owned());
    let all = |name| async move { pveum::permissions(&recorded(name)).await.unwrap() };
    assert_eq!(all("pveum-acl-list-fresh").await, []);
    let administrator = permission("/", alice(), "Administrator", true);
    let ops = permission("/", Whose::Group("ops".to_owned()), "PVEAdmin", true);
    assert_eq!(all("pveum-acl-list").await, [administrator.clone(), ops]);
    let narrow = permission("/vms/100", alice(), "PVEVMUser", false);
    assert_eq!(all("pveum-acl-list-narrow").await, [administrator, narrow]);
}

#[tokio::test]
async fn realms_have_a_type() {
    let realms = pveum::realms(&recorded("pveum-realm-list")).await.unwrap();
    let realm = |name: &str| Realm {
        name: name.to_owned(),
        kind: name.to_owned(),
    };
    assert_eq!(realms, ["pam", "pve"].map(realm));
}

#[tokio::test]
async fn without_pmxcfs_the_error_is_the_programs_own() {
    let error = pveum::users(&recorded("pveum-user-list-down")).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, RunError::Failed { code: 111, .. }), "{text}");
    assert!(
        text.ends_with("Unable to load access control list: Connection refused"),
        "{text}"
    );
}

#[tokio::test]
async fn text_above_the_json_is_skipped() {
    let mut answer = output("proxmox-9.1.8/pveum-user-list-fresh");
    answer
        .stdout
        .insert_str(0, "forcing overwrite of configured node 'pve3'\n");
    let users = pveum::users(&Recorded::saying(answer)).await.unwrap();
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn other_json_than_a_list_of_users_is_an_error() {
    for text in ["", "[]x\n", "{}\n", "7\n", "[7]\n", "[{\"userid\":7}]\n"] {
        let answer = Output {
            stdout: text.to_owned(),
            ..Output::default()
        };
        let error = pveum::users(&Recorded::saying(answer)).await.unwrap_err();
        assert!(matches!(error, RunError::Unreadable { .. }), "{text}: {error}");
    }
}

async fn storages(name: &str) -> Vec<Storage> {
    pvesm::storages(&recorded(name)).await.unwrap()
}

#[tokio::test]
async fn storages_are_read_whatever_the_order_of_their_content() {
    let fresh = storages("pvesh-storage-fresh").await;
    let local = &fresh[0];
    assert_eq!(
        (local.kind.as_str(), local.place.as_str(), local.disabled),
        ("dir", "/var/lib/vz", false)
    );
    let content = Vec::from_iter(local.content.iter().map(String::as_str));
    assert_eq!(content, ["backup", "images", "iso", "rootdir", "snippets", "vztmpl"]);
    let again = storages("pvesh-storage-dirs").await;
    assert_eq!(again[0], *local);
    let names = Vec::from_iter(again.iter().map(|storage| storage.name.as_str()));
    assert_eq!(names, ["local", "d4", "d1", "d2"]);
}

#[tokio::test]
async fn a_zfspool_says_its_dataset_and_that_it_is_sparse() {
    let mut answer = output("proxmox-9.1.8/pvesh-storage-zp");
    answer.stdout = format!("[{}]\n", answer.stdout.trim_end());
    let all = pvesm::storages(&Recorded::saying(answer)).await.unwrap();
    assert_eq!(
        (all[0].place.as_str(), all[0].sparse, all[0].only_mounted),
        ("tank/vmdata", true, false)
    );
}

#[tokio::test]
async fn active_storages_are_those_that_the_node_can_use() {
    let active = pvesm::active(&recorded("pvesh-node-storage")).await.unwrap();
    assert_eq!(Vec::from_iter(active), ["local", "zp"]);
    let volumes = pvesm::volumes(&recorded("pvesh-content"), "d4").await.unwrap();
    assert_eq!(
        (volumes[0].id.as_str(), volumes[0].content.as_str()),
        ("d4:100/vm-100-disk-0.raw", "images")
    );
}
