//! How sure a fit is: distributions of test statistics.

pub mod distributions;
