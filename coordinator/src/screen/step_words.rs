//! The names of steps as words.

/// A step's name as words: `PoolExists` becomes "pool exists".
pub(super) fn spoken(step: &str) -> String {
    match step {
        "ArcCapped" => return "ARC limit set".to_owned(),
        "BootTried" => return "started with the new configuration".to_owned(),
        "BootConfigured" => return "starts so from now on".to_owned(),
        "JournalBounded" => return "journal is kept as wanted".to_owned(),
        "SwapOff" => return "swap is off".to_owned(),
        "PropertiesKept" => return "properties are correct".to_owned(),
        "ZfsLoaded" => return "ZFS is loaded".to_owned(),
        "ProxmoxUp" => return "Proxmox runs".to_owned(),
        "ScrubbedOnce" => return "other scrub timers off".to_owned(),
        _ => {}
    }
    let mut words = String::new();
    for c in step.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// What a step would do, for a step that still waits: `DatasetsExist` becomes "create datasets".
pub(super) fn intent(step: &str) -> String {
    match step {
        "PropertiesKept" => "set properties",
        "ArcCapped" => "limit the ARC",
        "DatasetsExist" => "create datasets",
        "SnapshotsScheduled" => "schedule snapshots",
        "ScrubsScheduled" => "schedule scrubs",
        "CopiesScheduled" => "schedule copies",
        "ScrubbedOnce" => "switch other scrub timers off",
        "ZfsUnitsEnabled" => "enable the ZFS units",
        "PoolExists" => "create or import the pool",
        "BackplaneUp" => "configure the backplane",
        "AddressFree" => "check that the address is free",
        "GroupsExist" => "add groups",
        "PeopleExist" => "add people",
        "RolesGiven" => "give roles",
        "StoragesExist" => "set up storages",
        "StoragesActive" => "check that the storages can be used",
        other => return spoken(other),
    }
    .to_owned()
}

/// What must be true first, as the end of a sentence: `PoolExists` becomes "the pool exists".
pub(super) fn condition(step: &str) -> String {
    match step {
        "PoolExists" => "the pool exists".to_owned(),
        "NicChosen" => "a network card is chosen".to_owned(),
        "NothingHalfDone" => "the interrupted network change is undone".to_owned(),
        other => spoken(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_in_plain_words() {
        let shown = ["PoolExists", "ArcCapped", "ScrubbedOnce"].map(spoken);
        assert_eq!(shown, ["pool exists", "ARC limit set", "other scrub timers off"]);
    }
}
