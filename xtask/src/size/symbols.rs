//! Which crates and symbols a program's bytes belong to.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::run;

/// Lines of each list.
const SHOWN: usize = 40;

/// Prints the largest crates and symbols of an unstripped program. Fails when GNU nm (binutils) is missing or cannot
/// read it.
pub fn print(program: &Path) -> Result<()> {
    let listed = run::output(run::program("nm").args(["--print-size", "--demangle"]).arg(program))?;
    let symbols: Vec<(u64, &str)> = listed.lines().filter_map(symbol).collect();
    let mut crates: BTreeMap<&str, u64> = BTreeMap::new();
    for (bytes, name) in &symbols {
        *crates.entry(owner(name)).or_default() += bytes;
    }
    let total: u64 = crates.values().sum();
    println!("{total} bytes have a symbol.\n\nCrates (of a generic function, the crate that wrote it):");
    list(crates.into_iter().map(|(name, bytes)| (bytes, name)));
    println!("\nSymbols:");
    list(symbols.into_iter());
    Ok(())
}

fn list<'a>(all: impl Iterator<Item = (u64, &'a str)>) {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    for (bytes, name) in all.into_iter().take(SHOWN) {
        let name: String = name.chars().take(200).collect();
        println!("{bytes:9}  {name}");
    }
}

/// Size and name of a line "ADDRESS SIZE TYPE NAME"; None for a symbol without a size.
fn symbol(line: &str) -> Option<(u64, &str)> {
    let mut parts = line.splitn(4, ' ');
    let (_, size, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Of .bss nothing is in the file.
    let in_file = kind.len() == 1 && !kind.eq_ignore_ascii_case("b");
    u64::from_str_radix(size, 16)
        .ok()
        .filter(|_| in_file)
        .map(|size| (size, name))
}

/// The crate whose code it is: of `<alloc::vec::Vec<T> as core::clone::Clone>::clone` alloc. Names without a path are
/// C, but for the pieces that the compiler shares between functions.
fn owner(name: &str) -> &str {
    if name.starts_with("OUTLINED_FUNCTION_") {
        return "(shared pieces of functions)";
    }
    let Some((before, _)) = name.split_once("::") else {
        return "C";
    };
    match before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next() {
        // The methods of `<[T]>` and `<str>`.
        None | Some("") => "core",
        Some(owner) => owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_belongs_to_the_crate_that_wrote_it() {
        assert_eq!(owner("<alloc::vec::Vec<T> as core::clone::Clone>::clone"), "alloc");
        assert_eq!(
            owner("<&mut serde_json::de::Deserializer<R> as serde::de::Deserializer>::x"),
            "serde_json"
        );
        assert_eq!(owner("heeler_host::zpool::status::look::{{closure}}"), "heeler_host");
        assert_eq!(owner("<[usize]>::sort_unstable_by::<F>"), "core");
        assert_eq!(owner("<u64 as core::fmt::Display>::fmt"), "core");
        assert_eq!(owner("ring_core_0_17_8_p256_point_mul"), "C");
        assert_eq!(owner("OUTLINED_FUNCTION_12"), "(shared pieces of functions)");
    }

    #[test]
    fn only_symbols_with_bytes_in_the_file_count() {
        assert_eq!(
            symbol("0000000000210000 0000000000000010 T heeler_agent::main"),
            Some((16, "heeler_agent::main"))
        );
        assert_eq!(symbol("0000000000210000 0000000000000010 b buffer"), None);
        assert_eq!(symbol("                 U abort"), None);
    }
}
