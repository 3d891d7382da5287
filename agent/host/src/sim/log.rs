/// A call to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A command as typed, or a verb and its object: `write /etc/hostid`.
    pub what: String,
    /// Whether it may have a lasting effect.
    pub mutates: bool,
}
