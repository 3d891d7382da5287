//! Advice from messages that programs print in the C locale. An unknown message changes only the advice: marks and
//! exit codes decide what happened.

/// Advice for a login that works but does not run our script.
pub fn of_login(words: &str, destination: &str) -> String {
    let says = |any: &[&str]| any.iter().any(|one| words.contains(one));
    if says(&["assword change required", "assword has expired", "change your password"]) {
        format!("the password has expired. Type `ssh {destination}`, change it there, then add the node again")
    } else if says(&["account is currently not available", "nologin", "account has expired"]) {
        "this user may not log in. Name another one with --ssh USER@HOST".to_owned()
    } else {
        format!(
            "`ssh {destination} true` must end by itself, and without an error. Look for a forced command (command= in \
             authorized_keys, ForceCommand in sshd_config), for a shell that takes no commands, and for a question in \
             the shell's start-up files; or log in another way with --ssh USER@HOST"
        )
    }
}

/// Advice for a sudo that ended without running the installer.
pub fn of_sudo(words: &str, destination: &str) -> String {
    let says = |any: &[&str]| any.iter().any(|one| words.contains(one));
    if says(&["must have a tty"]) {
        "sudo needs a terminal (requiretty). On the node type `sudo visudo -f /etc/sudoers.d/heeler` and write the line \
         `Defaults !requiretty`; or log in as root with --ssh root@HOST"
            .to_owned()
    } else if says(&["is expired", "has expired", "change your password"]) {
        format!("the password has expired. Type `ssh {destination}`, change it there, then add the node again")
    } else if says(&["is locked", "temporarily locked"]) {
        "too many wrong passwords: wait until the account is unlocked, then add the node again".to_owned()
    } else if says(&[
        "sudoers file",
        "not allowed",
        "may not run",
        "afraid I can't do that",
        "I'm sorry",
    ]) {
        "this user may not become root. Name one who may with --ssh USER@HOST".to_owned()
    } else {
        format!("`ssh -t {destination} sudo true` must work; or log in as root with --ssh root@HOST")
    }
}
