use heeler_host::time_servers::{Follower, command};

use crate::machine::{Recorded, output};

async fn servers(follower: Follower, recording: &str) -> Vec<String> {
    let mut machine = Recorded::new("blank");
    machine.answer(&command(follower), output(recording));
    follower.servers(&machine).await.unwrap()
}

#[tokio::test]
async fn servers_in_use_are_read_as_they_were_written() {
    let used = servers(Follower::Timesyncd, "systemd-252/timedatectl-show-timesync").await;
    assert_eq!(used, ["10.10.80.1", "time.example.lan"]);
    let used = servers(Follower::Chrony, "chrony-4.3/chronyc-sources").await;
    assert_eq!(used[6..], ["2.debian.pool.ntp.org", "10.10.80.1", "time.example.lan"]);
}

#[tokio::test]
async fn a_stopped_program_uses_no_server() {
    for (follower, recording) in [
        (Follower::Timesyncd, "systemd-252/timedatectl-show-timesync-stopped"),
        (Follower::Chrony, "chrony-4.3/chronyc-sources-stopped"),
    ] {
        assert_eq!(servers(follower, recording).await, [""; 0]);
    }
}
