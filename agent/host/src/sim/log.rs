/// Something that the machine was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A command as typed, or a verb and what it was done to: `write /etc/hostid`.
    pub what: String,
    /// It may have changed something that outlives it.
    pub mutates: bool,
}
