//! serde for a `Mat<f64>`: its two sizes and its entries, column by column. For `#[serde(with = "crate::linalg::dense")]`.

use faer::Mat;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
struct Written {
    rows: usize,
    columns: usize,
    entries: Vec<f64>,
}

pub(crate) fn serialize<S: Serializer>(
    matrix: &Mat<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let (rows, columns) = (matrix.nrows(), matrix.ncols());
    let entries = (0..columns).flat_map(|j| matrix.col_as_slice(j).iter().copied()).collect();
    Written { rows, columns, entries }.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Mat<f64>, D::Error> {
    let Written { rows, columns, entries } = Written::deserialize(deserializer)?;
    if rows.checked_mul(columns) != Some(entries.len()) {
        let found = entries.len();
        return Err(D::Error::custom(format!("{found} entries of a {rows} × {columns} matrix")));
    }
    Ok(Mat::from_fn(rows, columns, |i, j| entries[j * rows + i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] Mat<f64>);

    #[test]
    fn every_bit_of_every_entry_comes_back() {
        for (rows, columns) in [(0, 0), (3, 0), (1, 4), (5, 2)] {
            let special = [f64::NAN, -0.0, f64::INFINITY, 5e-324, 1.0 / 3.0];
            let matrix = Mat::from_fn(rows, columns, |i, j| special[(i + 3 * j) % 5]);
            let bytes = postcard::to_allocvec(&Holder(matrix.clone())).unwrap();
            let Holder(back) = postcard::from_bytes(&bytes).unwrap();
            assert_eq!((back.nrows(), back.ncols()), (rows, columns));
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                assert_eq!(back[(i, j)].to_bits(), matrix[(i, j)].to_bits());
            }
        }
    }

    #[test]
    fn sizes_that_are_not_those_of_the_entries_are_refused() {
        for (rows, columns) in [(2, 2), (usize::MAX, 3), (0, 3)] {
            let written = Written { rows, columns, entries: vec![1.0; 3] };
            let bytes = postcard::to_allocvec(&written).unwrap();
            assert!(postcard::from_bytes::<Holder>(&bytes).is_err(), "{rows} × {columns}");
        }
    }
}
