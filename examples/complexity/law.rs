//! The exponent of a power law y = c·n^p, by least squares on logarithms, with its confidence interval.

/// Two-sided 95 % quantiles of Student's t for 1, 2 … degrees of freedom; the last one stands for more.
const STUDENT: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// p with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponent {
    pub power: f64,
    pub low: f64,
    pub high: f64,
}

/// The law through the points (n, y), of which at least three are needed: the interval rests on what is left over.
pub fn exponent(points: &[(usize, f64)]) -> Option<Exponent> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(n, y)| ((*n as f64).ln(), y.ln())).collect();
    let count = logs.len();
    if count < 3 || logs.iter().any(|(x, y)| !(x.is_finite() && y.is_finite())) {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count as f64;
    let (x_mean, y_mean) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = logs.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    let joint: f64 = logs.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let slope = joint / spread;
    let left: f64 = logs.iter().map(|(x, y)| (y - y_mean - slope * (x - x_mean)).powi(2)).sum();
    let freedom = count - 2;
    let student = STUDENT[freedom.min(STUDENT.len()) - 1];
    let half = student * (left / freedom as f64 / spread).sqrt();
    Some(Exponent { power: slope, low: slope - half, high: slope + half })
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_found_and_noise_widens_its_interval() {
        let exact: Vec<(usize, f64)> =
            [100, 200, 400, 800].iter().map(|&n| (n, 3.0 * (n as f64).powf(2.5))).collect();
        let law = exponent(&exact).unwrap();
        assert!((law.power - 2.5).abs() < 1e-12 && law.high - law.low < 1e-6, "{law:?}");
        let noisy: Vec<(usize, f64)> =
            exact.iter().zip([1.1, 0.9, 1.1, 0.9]).map(|((n, y), e)| (*n, y * e)).collect();
        let law = exponent(&noisy).unwrap();
        assert!(law.low < 2.5 && 2.5 < law.high && law.high - law.low > 0.1, "{law:?}");
        assert_eq!(exponent(&exact[..2]), None);
    }
}
