use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::sim::random::Random;

const BLOCK: u64 = 4096;

/// The content of a disk: zero where nothing was written.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Bytes {
    size: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
    /// Ranges of block numbers with generated content that is not zero.
    full: Vec<Range<u64>>,
    /// The number of writes and clears, as the kernel counts them.
    writes: u64,
}

impl Bytes {
    pub(in crate::sim) const fn zero(size: u64) -> Self {
        Self {
            size,
            blocks: BTreeMap::new(),
            full: Vec::new(),
            writes: 0,
        }
    }

    pub(in crate::sim) const fn size(&self) -> u64 {
        self.size
    }

    pub(in crate::sim) const fn writes(&self) -> u64 {
        self.writes
    }

    /// The offset of the first byte in this range that is not zero.
    pub(in crate::sim) fn first_data(&self, from: u64, to: u64) -> Option<u64> {
        if from >= to {
            return None;
        }
        let blocks = from / BLOCK..to.div_ceil(BLOCK);
        let written = self.blocks.range(blocks.clone()).map(|(number, _)| *number);
        let full = self.full.iter().flat_map(|full| {
            let (start, end) = (full.start.max(blocks.start), full.end.min(blocks.end));
            // A generated block may begin with a zero, but two in sequence are never all zero.
            start..end.min(start + 2)
        });
        let mut candidates: Vec<u64> = Vec::new();
        candidates.extend(full);
        candidates.sort_unstable();
        let in_block = |number: u64| {
            let start = number * BLOCK;
            let (low, high) = (from.max(start), to.min(start + BLOCK));
            let block = self.block(number)?;
            let at = block[(low - start) as usize..(high.max(low) - start) as usize]
                .iter()
                .position(|byte| *byte != 0)?;
            Some(low + at as u64)
        };
        let first_written = written.into_iter().find_map(in_block);
        let first_full = candidates.into_iter().find_map(in_block);
        match (first_written, first_full) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    fn block(&self, number: u64) -> Option<Vec<u8>> {
        let made_up = || Random::new(number).bytes(BLOCK as usize);
        let full = || self.full.iter().any(|range| range.contains(&number));
        self.blocks.get(&number).cloned().or_else(|| full().then(made_up))
    }

    /// Returns fewer than `length` bytes at the end.
    pub(in crate::sim) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let end = self.size.min(offset.saturating_add(length as u64));
        let mut bytes = vec![0; end.saturating_sub(offset) as usize];
        if bytes.is_empty() {
            return bytes;
        }
        for number in offset / BLOCK..=(end - 1) / BLOCK {
            let Some(block) = self.block(number) else { continue };
            let start = number * BLOCK;
            let (from, to) = (offset.max(start), end.min(start + BLOCK));
            let target = &mut bytes[(from - offset) as usize..(to - offset) as usize];
            target.copy_from_slice(&block[(from - start) as usize..(to - start) as usize]);
        }
        bytes
    }

    /// Drops what is beyond the end of the disk.
    pub(in crate::sim) fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.writes += 1;
        let end = self.size.min(offset.saturating_add(bytes.len() as u64));
        let mut at = offset;
        while at < end {
            let (number, within) = (at / BLOCK, at % BLOCK);
            let count = (BLOCK - within).min(end - at);
            let mut block = self.block(number).unwrap_or_else(|| vec![0; BLOCK as usize]);
            let source = &bytes[(at - offset) as usize..(at - offset + count) as usize];
            block[within as usize..(within + count) as usize].copy_from_slice(source);
            self.blocks.insert(number, block);
            at += count;
        }
    }

    /// Fills whole blocks within the range with generated content.
    pub(in crate::sim) fn fill(&mut self, range: Range<u64>) {
        self.writes += 1;
        self.full.push(range.start / BLOCK..range.end.min(self.size) / BLOCK);
    }

    pub(in crate::sim) fn clear(&mut self, offset: u64, length: u64) {
        self.writes += 1;
        let end = self.size.min(offset.saturating_add(length));
        let whole = offset.div_ceil(BLOCK)..end / BLOCK;
        for edge in [offset..end.min(whole.start * BLOCK), offset.max(whole.end * BLOCK)..end] {
            if edge.start < edge.end && self.block(edge.start / BLOCK).is_some() {
                self.write(edge.start, &vec![0; (edge.end - edge.start) as usize]);
            }
        }
        if whole.is_empty() {
            return;
        }
        let touched: Vec<u64> = self.blocks.range(whole.clone()).map(|(number, _)| *number).collect();
        for number in touched {
            self.blocks.remove(&number);
        }
        let rest = |range: &Range<u64>| {
            [
                range.start..range.end.min(whole.start),
                range.start.max(whole.end)..range.end,
            ]
        };
        self.full = self
            .full
            .iter()
            .flat_map(rest)
            .filter(|range| !range.is_empty())
            .collect();
    }

    /// Equal as long as nothing is written or cleared.
    pub(in crate::sim) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.size, &self.full).hash(&mut hasher);
        let written = self
            .blocks
            .iter()
            .filter(|(_, block)| block.iter().any(|byte| *byte != 0));
        for (number, block) in written {
            (number, block).hash(&mut hasher);
        }
        hasher.finish()
    }

    pub(in crate::sim) fn is_zero(&self) -> bool {
        self.full.is_empty() && self.blocks.values().all(|block| block.iter().all(|byte| *byte == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_bytes_are_read_back_across_blocks() {
        let mut bytes = Bytes::zero(20_000);
        bytes.write(4_090, &[7; 10]);
        assert_eq!(bytes.read(4_088, 14), [0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0]);
        assert_eq!(bytes.read(19_998, 10), [0, 0]);
        assert!(bytes.read(20_000, 10).is_empty());
    }

    #[test]
    fn clearing_brings_back_the_hash_of_a_blank_disk() {
        let mut bytes = Bytes::zero(1 << 20);
        let blank = bytes.hash();
        bytes.write(100, &[1; 9_000]);
        bytes.fill(65_536..131_072);
        assert_ne!(bytes.hash(), blank);
        bytes.clear(50, 200_000);
        assert_eq!(bytes.hash(), blank);
        assert!(bytes.is_zero());
    }

    #[test]
    fn clearing_leaves_what_is_outside() {
        let mut bytes = Bytes::zero(1 << 20);
        bytes.write(0, &[1; 12_288]);
        bytes.clear(4_000, 4_400);
        assert_eq!(bytes.read(3_999, 2), [1, 0]);
        assert_eq!(bytes.read(8_399, 2), [0, 1]);
        bytes.fill(40_960..81_920);
        let before = bytes.read(61_438, 2);
        bytes.clear(50_000, 11_440);
        assert_eq!(bytes.read(61_438, 4)[..2], [0, 0]);
        assert_ne!(before, [0, 0]);
        assert_ne!(bytes.read(61_440, 8), [0; 8]);
    }
}
