//! `/etc/hosts`: names and their addresses, without DNS (hosts(5)).

use std::net::IpAddr;

/// Its path.
pub const PATH: &str = "/etc/hosts";

/// One line with an address.
#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line as it is in the file.
    pub text: &'a str,
    /// Its address.
    pub address: IpAddr,
    /// The canonical name, then the others; at least one.
    pub names: Vec<&'a str>,
}

/// The lines with an address and a name. Lines that the resolver cannot read are left out, as it skips them.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().filter_map(|text| {
        let said = text.split('#').next()?;
        let mut words = said.split_whitespace();
        // A zone, as in fe80::1%eth0, does not change whose address it is.
        let address = words.next()?.split('%').next()?.parse().ok()?;
        let names: Vec<&str> = words.collect();
        (!names.is_empty()).then_some(Line { text, address, names })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_what_is_no_address_are_skipped() {
        let text = "# 10.0.0.1 a\n127.0.0.1\tlocalhost\n\n10.0.0.2 b.lan b # the second\nfe80::1%eth0 c\n10.0.0.3\nd 10.0.0.4\n";
        let found: Vec<_> = lines(text).map(|line| (line.address.to_string(), line.names)).collect();
        let expected = [
            ("127.0.0.1".to_owned(), vec!["localhost"]),
            ("10.0.0.2".to_owned(), vec!["b.lan", "b"]),
            ("fe80::1".to_owned(), vec!["c"]),
        ];
        assert_eq!(found, expected);
    }
}
