//! The keys of `[system]` about the boot, swap and the journal.

use heeler_proto::{Journal, PageSize, Pcie, Swap};

use super::reader::Unfit;
use super::values;

pub(super) fn pages(text: &str) -> Result<PageSize, Unfit> {
    match text {
        "4KiB" => Ok(PageSize::Small),
        "16KiB" => Ok(PageSize::Large),
        _ => Err(Unfit::not(text, "a page size", "\"4KiB\" or \"16KiB\"")),
    }
}

pub(super) fn pcie(text: &str) -> Result<Pcie, Unfit> {
    match text {
        "gen2" => Ok(Pcie::Gen2),
        "gen3" => Ok(Pcie::Gen3),
        _ => Err(Unfit::not(text, "a speed of PCIe", "\"gen2\" or \"gen3\"")),
    }
}

pub(super) fn swap(text: &str) -> Result<Swap, Unfit> {
    match text {
        "off" => Ok(Swap::Off),
        _ => Err(Unfit::not(
            text,
            "a value of swap",
            "\"off\"; without the key, swap stays as it is",
        )),
    }
}

pub(super) fn journal(text: &str) -> Result<Journal, Unfit> {
    if text == "memory" {
        return Ok(Journal::Memory);
    }
    let unfit = || {
        let hint = "\"memory\", or its most on the SD card: \"16MiB\" to \"4GiB\"";
        Unfit::not(text, "a place of the journal", hint)
    };
    let bytes = values::size(text).map_err(|_| unfit())?;
    let fits = (Journal::LEAST..=Journal::MOST).contains(&bytes) && bytes % (1 << 20) == 0;
    fits.then_some(Journal::Card(bytes)).ok_or_else(unfit)
}
