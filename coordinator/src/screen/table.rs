use super::line::width;
use super::{Ink, Line};

/// Rows below headings; each column is as wide as its widest cell. Only the screen's edge breaks cells, so the
/// longest column must be last; its further rows begin below it.
pub(super) fn table(heads: &[&str], rows: Vec<Vec<(Ink, String)>>) -> Vec<Line> {
    let mut widths: Vec<usize> = heads.iter().map(|head| width(head)).collect();
    for row in &rows {
        for (column, (_, cell)) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let line = |cells: Vec<(Ink, String)>| {
        let mut column = 0;
        let mut line = Line::new();
        let mut last = 0;
        for ((ink, cell), width) in cells.into_iter().zip(&widths) {
            line = line.to(column, 0).ink(ink, cell);
            last = column;
            column += width + 2;
        }
        line.hanging(last)
    };
    let head = line(heads.iter().map(|head| (Ink::Dim, (*head).to_owned())).collect());
    std::iter::once(head).chain(rows.into_iter().map(line)).collect()
}

pub(super) fn plain(text: impl Into<String>) -> (Ink, String) {
    (Ink::Plain, text.into())
}
