use std::collections::BinaryHeap;

use ring::digest::{SHA256, digest};

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// The bytes that a signature or a hash covers. Two values of one kind never have the same bytes, and neither have two
/// kinds: each begins with its label, which ends with a zero byte.
///
/// A number is 8 bytes, big-endian, and so is the length before each text and the count before each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Begins with the label, which names what is encoded and the version of the encoding, and has no zero byte.
    pub fn new(label: &str) -> Self {
        Self([label.as_bytes(), &[0]].concat())
    }

    /// Adds a number, also one that stands for a case.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// Adds bytes of any length, after their length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64).0.extend_from_slice(bytes);
        self
    }

    /// Adds a text, after its length in bytes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a SHA-256, which always has the same length.
    pub fn hash(&mut self, hash: &[u8; 32]) -> &mut Self {
        self.0.extend_from_slice(hash);
        self
    }

    /// Adds a list whose order means nothing: its count, then each item in ascending order.
    pub(crate) fn set<T: Clone + Ord>(&mut self, all: &[T], add: impl Fn(&mut Self, &T)) {
        self.number(all.len() as u64);
        // A heap, because for these types a sort would make four times as much code in the agent.
        for one in &BinaryHeap::from(all.to_vec()).into_sorted_vec() {
            add(self, one);
        }
    }

    /// What was added.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of what was added.
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}
