/// The offset of the first byte that is not zero. Compares whole pages first: that is fast in unoptimised builds too.
pub(crate) fn first_data(bytes: &[u8]) -> Option<usize> {
    const ZERO: [u8; 4096] = [0; 4096];
    let page = bytes.chunks(ZERO.len()).position(|page| page != &ZERO[..page.len()])?;
    let start = page * ZERO.len();
    let at = bytes[start..].iter().position(|byte| *byte != 0)?;
    Some(start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_non_zero_byte_is_found_anywhere() {
        for at in [0, 1, 4095, 4096, 9000, 9999] {
            let mut bytes = vec![0; 10_000];
            bytes[at..].fill(7);
            assert_eq!(first_data(&bytes), Some(at));
        }
        assert_eq!(first_data(&[0; 10_000]), None);
    }
}
