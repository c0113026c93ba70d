//! The problems of Moré, Garbow & Hillstrom (1981), ACM Trans. Math. Softw. 7: f(x) = Σᵢ fᵢ(x)², no factor ½.
//!
//! Residuals with their first and second derivatives written out, as entries: most residuals touch few variables. Indices in
//! the formulas begin at 1 as in the paper, those of the code at 0.
#![allow(dead_code, reason = "every user takes some of them")]
#![allow(clippy::unreadable_literal, reason = "the digits stand as published")]

use faer::MatMut;
use secant_core::problem::{Curvature, LeastSquares, Linearization, Objective};

/// Which function. A problem that exists for several n takes it from [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rosenbrock,
    FreudensteinRoth,
    PowellBadlyScaled,
    BrownBadlyScaled,
    Beale,
    JennrichSampson,
    HelicalValley,
    Bard,
    PowellSingular,
    Wood,
    KowalikOsborne,
    BrownDennis,
    Osborne1,
    Watson,
    Penalty1,
    VariablyDimensioned,
    Trigonometric,
    BroydenTridiagonal,
    LinearFullRank,
}

/// One function at one n and m.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    pub id: &'static str,
    pub kind: Kind,
    pub n: usize,
    pub m: usize,
    /// f(x₀) and ‖∇f(x₀)‖₂, to check the formulas.
    pub start_value: f64,
    pub start_gradient: f64,
    /// The global minimum.
    pub minimum: f64,
    /// Values of local minima and of f far away at which methods are known to end.
    pub others: &'static [f64],
}

const fn problem(
    (id, kind): (&'static str, Kind),
    (n, m): (usize, usize),
    (start_value, start_gradient): (f64, f64),
    minimum: f64,
    others: &'static [f64],
) -> Problem {
    Problem { id, kind, n, m, start_value, start_gradient, minimum, others }
}

/// The first is the published one. The function has many more; the others are ends of the methods here, each with
/// ‖∇f‖∞ ≤ 1e-10 and a positive definite Hessian.
const TRIGONOMETRIC_50: &[f64] = &[
    1.1142463390505659e-6,
    1.548626238767621e-6,
    2.893042935217561e-6,
    3.819859342421353e-6,
    5.429951133685e-6,
    5.451715701609109e-6,
    8.265100442362301e-6,
];

/// Every instance, with the reference values in 17 digits.
pub const PROBLEMS: &[Problem] = &[
    problem(("rosenbrock", Kind::Rosenbrock), (2, 2), (24.2, 232.86768775422664), 0.0, &[]),
    problem(
        ("freudenstein_roth", Kind::FreudensteinRoth),
        (2, 2),
        (400.5, 1272.3537244021413),
        0.0,
        &[48.98425367924002],
    ),
    problem(
        ("powell_badly_scaled", Kind::PowellBadlyScaled),
        (2, 2),
        (1.1352617173483783, 20000.735560712845),
        0.0,
        &[],
    ),
    problem(
        ("brown_badly_scaled", Kind::BrownBadlyScaled),
        (2, 3),
        (999998000003.0, 2000000.0),
        0.0,
        &[],
    ),
    problem(("beale", Kind::Beale), (2, 3), (14.203125, 27.75), 0.0, &[]),
    problem(
        ("jennrich_sampson", Kind::JennrichSampson),
        (2, 10),
        (4171.306161960493, 93708.81831993311),
        124.36218235561485,
        &[],
    ),
    problem(("helical_valley", Kind::HelicalValley), (3, 3), (2500.0, 1879.635494200523), 0.0, &[]),
    problem(
        ("bard", Kind::Bard),
        (3, 15),
        (41.681695861678, 84.63081807785564),
        0.008214877306578975,
        &[17.4286],
    ),
    problem(
        ("powell_singular", Kind::PowellSingular),
        (4, 4),
        (215.0, 458.77663410422286),
        0.0,
        &[],
    ),
    problem(("wood", Kind::Wood), (4, 6), (19192.0, 16397.125601763255), 0.0, &[]),
    problem(
        ("kowalik_osborne", Kind::KowalikOsborne),
        (4, 11),
        (0.005313172272108542, 0.13434406556509493),
        0.00030750560384923745,
        &[0.00102734],
    ),
    problem(
        ("brown_dennis", Kind::BrownDennis),
        (4, 20),
        (7926693.336997433, 2140490.672431666),
        85822.20162635634,
        &[],
    ),
    problem(
        ("osborne1", Kind::Osborne1),
        (5, 33),
        (0.8790262935446405, 418.8115115173095),
        5.464894697482907e-05,
        &[],
    ),
    problem(
        ("watson_6", Kind::Watson),
        (6, 31),
        (30.0, 136.9717445722617),
        0.0022876700535524363,
        &[],
    ),
    problem(
        ("watson_9", Kind::Watson),
        (9, 31),
        (30.0, 177.57910434783236),
        1.39976013809902e-06,
        &[],
    ),
    problem(
        ("watson_12", Kind::Watson),
        (12, 31),
        (30.0, 213.59297911112498),
        4.722381105891757e-10,
        &[],
    ),
    problem(
        ("ext_rosenbrock_10", Kind::Rosenbrock),
        (10, 10),
        (121.0, 520.7079795816461),
        0.0,
        &[],
    ),
    problem(
        ("ext_rosenbrock_100", Kind::Rosenbrock),
        (100, 100),
        (1210.0, 1646.623211302452),
        0.0,
        &[],
    ),
    problem(
        ("ext_powell_12", Kind::PowellSingular),
        (12, 12),
        (645.0, 794.6244395939506),
        0.0,
        &[],
    ),
    problem(
        ("ext_powell_100", Kind::PowellSingular),
        (100, 100),
        (5375.0, 2293.8831705211146),
        0.0,
        &[],
    ),
    problem(
        ("penalty1_4", Kind::Penalty1),
        (4, 5),
        (885.06264, 651.7899164608223),
        2.249977500899937e-05,
        &[],
    ),
    problem(
        ("penalty1_10", Kind::Penalty1),
        (10, 11),
        (148032.56535, 30197.360899833617),
        7.087651467090369e-05,
        &[],
    ),
    problem(
        ("vardim_8", Kind::VariablyDimensioned),
        (8, 10),
        (423478.5, 948049.6188885632),
        0.0,
        &[],
    ),
    problem(
        ("vardim_64", Kind::VariablyDimensioned),
        (64, 66),
        (3814235365567.1484, 3264986932724.2026),
        0.0,
        &[],
    ),
    problem(
        ("trigonometric_10", Kind::Trigonometric),
        (10, 10),
        (0.007075759466222202, 0.09914014334344791),
        0.0,
        &[2.7950561218794563e-05],
    ),
    problem(
        ("trigonometric_50", Kind::Trigonometric),
        (50, 50),
        (0.0016165655783877833, 0.0475933739266062),
        0.0,
        TRIGONOMETRIC_50,
    ),
    problem(
        ("broyden_tridiagonal_10", Kind::BroydenTridiagonal),
        (10, 10),
        (21.0, 50.35871324805669),
        0.0,
        &[],
    ),
    problem(
        ("broyden_tridiagonal_100", Kind::BroydenTridiagonal),
        (100, 100),
        (111.0, 91.0823802938856),
        0.0,
        &[],
    ),
    problem(
        ("linear_full_rank", Kind::LinearFullRank),
        (10, 20),
        (50.0, 12.649110640673518),
        10.0,
        &[],
    ),
];

pub const BARD: [f64; 15] =
    [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
pub const KOWALIK_Y: [f64; 11] =
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
pub const KOWALIK_U: [f64; 11] =
    [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
pub const OSBORNE1: [f64; 33] = [
    0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
    0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
    0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
];

/// fᵢ with the entries of its gradient and of the lower triangle of its Hessian. Entries may repeat; they add.
#[derive(Clone, Debug, Default)]
struct Residual {
    value: f64,
    first: Vec<(usize, f64)>,
    /// (row, column, entry) with row ≥ column
    second: Vec<(usize, usize, f64)>,
}

impl Residual {
    fn clear(&mut self, value: f64) {
        self.value = value;
        self.first.clear();
        self.second.clear();
    }
    /// ∂f/∂xⱼ
    fn d(&mut self, j: usize, entry: f64) {
        self.first.push((j, entry));
    }
    /// ∂²f/∂xⱼ∂xₖ
    fn dd(&mut self, j: usize, k: usize, entry: f64) {
        self.second.push((j.max(k), j.min(k), entry));
    }
    /// value = s², from s and ∂s at (j, entry): s is affine.
    fn square_of(&mut self, factor: f64, s: f64, terms: &[(usize, f64)]) {
        self.clear(factor * s * s);
        for &(j, a) in terms {
            self.d(j, 2.0 * factor * s * a);
            for &(k, b) in terms.iter().filter(|(k, _)| *k <= j) {
                self.dd(j, k, 2.0 * factor * a * b);
            }
        }
    }
    fn affine(&mut self, value: f64, terms: &[(usize, f64)]) {
        self.clear(value);
        self.first.extend_from_slice(terms);
    }
}

impl Problem {
    /// By its name in the table.
    pub fn named(id: &str) -> Option<Self> {
        PROBLEMS.iter().find(|problem| problem.id == id).copied()
    }

    /// x₀, the standard start.
    pub fn start(&self) -> Vec<f64> {
        let n = self.n;
        let cycle = |values: &[f64]| (0..n).map(|j| values[j % values.len()]).collect();
        match self.kind {
            Kind::Rosenbrock => cycle(&[-1.2, 1.0]),
            Kind::FreudensteinRoth => vec![0.5, -2.0],
            Kind::PowellBadlyScaled => vec![0.0, 1.0],
            Kind::BrownBadlyScaled | Kind::Beale | Kind::Bard | Kind::LinearFullRank => {
                vec![1.0; n]
            }
            Kind::JennrichSampson => vec![0.3, 0.4],
            Kind::HelicalValley => vec![-1.0, 0.0, 0.0],
            Kind::PowellSingular => cycle(&[3.0, -1.0, 0.0, 1.0]),
            Kind::Wood => vec![-3.0, -1.0, -3.0, -1.0],
            Kind::KowalikOsborne => vec![0.25, 0.39, 0.415, 0.39],
            Kind::BrownDennis => vec![25.0, 5.0, -5.0, -1.0],
            Kind::Osborne1 => vec![0.5, 1.5, -1.0, 0.01, 0.02],
            Kind::Watson => vec![0.0; n],
            Kind::Penalty1 => (1..=n).map(|j| j as f64).collect(),
            Kind::VariablyDimensioned => (1..=n).map(|j| 1.0 - j as f64 / n as f64).collect(),
            Kind::Trigonometric => vec![1.0 / n as f64; n],
            Kind::BroydenTridiagonal => vec![-1.0; n],
        }
    }

    /// fᵢ at x into `r`, i from 0.
    fn residual(&self, i: usize, x: &[f64], r: &mut Residual) {
        let n = self.n;
        match self.kind {
            // 10(x₂ − x₁²), 1 − x₁ on pairs
            Kind::Rosenbrock => rosenbrock(i, i - i % 2, x, r),
            // −13 + x₁ + ((5 − x₂)x₂ − 2)x₂ and −29 + x₁ + ((x₂ + 1)x₂ − 14)x₂
            Kind::FreudensteinRoth => {
                let (a, b, c, d) =
                    if i == 0 { (-13.0, -1.0, 5.0, -2.0) } else { (-29.0, 1.0, 1.0, -14.0) };
                let y = x[1];
                r.clear(a + x[0] + ((b * y + c) * y + d) * y);
                r.d(0, 1.0);
                r.d(1, (3.0 * b * y + 2.0 * c) * y + d);
                r.dd(1, 1, 6.0 * b * y + 2.0 * c);
            }
            // 10⁴x₁x₂ − 1, e^−x₁ + e^−x₂ − 1.0001
            Kind::PowellBadlyScaled => {
                if i == 0 {
                    r.clear(1e4 * x[0] * x[1] - 1.0);
                    r.d(0, 1e4 * x[1]);
                    r.d(1, 1e4 * x[0]);
                    r.dd(1, 0, 1e4);
                } else {
                    let e = [(-x[0]).exp(), (-x[1]).exp()];
                    r.clear(e[0] + e[1] - 1.0001);
                    for j in 0..2 {
                        r.d(j, -e[j]);
                        r.dd(j, j, e[j]);
                    }
                }
            }
            // x₁ − 10⁶, x₂ − 2·10⁻⁶, x₁x₂ − 2
            Kind::BrownBadlyScaled => match i {
                0 => r.affine(x[0] - 1e6, &[(0, 1.0)]),
                1 => r.affine(x[1] - 2e-6, &[(1, 1.0)]),
                _ => {
                    r.affine(x[0] * x[1] - 2.0, &[(0, x[1]), (1, x[0])]);
                    r.dd(1, 0, 1.0);
                }
            },
            // yᵢ − x₁(1 − x₂ⁱ)
            Kind::Beale => {
                let y = [1.5, 2.25, 2.625][i];
                let k = i32::try_from(i + 1).unwrap();
                let power = |p: i32| if p < 0 { 0.0 } else { x[1].powi(p) };
                let (kf, ff) = (f64::from(k), f64::from(k * (k - 1)));
                r.clear(y - x[0] * (1.0 - power(k)));
                r.d(0, power(k) - 1.0);
                r.d(1, x[0] * kf * power(k - 1));
                r.dd(1, 0, kf * power(k - 1));
                r.dd(1, 1, x[0] * ff * power(k - 2));
            }
            // 2 + 2i − e^(ix₁) − e^(ix₂)
            Kind::JennrichSampson => {
                let k = i as f64 + 1.0;
                let e = [(k * x[0]).exp(), (k * x[1]).exp()];
                r.clear(2.0 + 2.0 * k - (e[0] + e[1]));
                for j in 0..2 {
                    r.d(j, -k * e[j]);
                    r.dd(j, j, -k * k * e[j]);
                }
            }
            Kind::HelicalValley => helical_valley(i, x, r),
            // yᵢ − x₁ − uᵢ/(vᵢx₂ + wᵢx₃)
            Kind::Bard => {
                let u = i as f64 + 1.0;
                let v = 16.0 - u;
                let w = u.min(v);
                let s = v * x[1] + w * x[2];
                r.affine(BARD[i] - (x[0] + u / s), &[(0, -1.0), (1, u * v / (s * s))]);
                r.d(2, u * w / (s * s));
                let cube = 2.0 * u / (s * s * s);
                r.dd(1, 1, -cube * v * v);
                r.dd(2, 1, -cube * v * w);
                r.dd(2, 2, -cube * w * w);
            }
            // x₁ + 10x₂, √5(x₃ − x₄), (x₂ − 2x₃)², √10(x₁ − x₄)² on fours
            Kind::PowellSingular => {
                let k = i - i % 4;
                match i % 4 {
                    0 => r.affine(x[k] + 10.0 * x[k + 1], &[(k, 1.0), (k + 1, 10.0)]),
                    1 => {
                        let c = 5.0_f64.sqrt();
                        r.affine(c * (x[k + 2] - x[k + 3]), &[(k + 2, c), (k + 3, -c)]);
                    }
                    2 => {
                        let s = x[k + 1] - 2.0 * x[k + 2];
                        r.square_of(1.0, s, &[(k + 1, 1.0), (k + 2, -2.0)]);
                    }
                    _ => {
                        let s = x[k] - x[k + 3];
                        r.square_of(10.0_f64.sqrt(), s, &[(k, 1.0), (k + 3, -1.0)]);
                    }
                }
            }
            // 10(x₂ − x₁²), 1 − x₁, √90(x₄ − x₃²), 1 − x₃, √10(x₂ + x₄ − 2), (x₂ − x₄)/√10
            Kind::Wood => {
                let (c, d) = (90.0_f64.sqrt(), 10.0_f64.sqrt());
                match i {
                    0 | 1 => rosenbrock(i, 0, x, r),
                    2 => {
                        r.affine(c * (x[3] - x[2] * x[2]), &[(2, -2.0 * c * x[2]), (3, c)]);
                        r.dd(2, 2, -2.0 * c);
                    }
                    3 => r.affine(1.0 - x[2], &[(2, -1.0)]),
                    4 => r.affine(d * (x[1] + x[3] - 2.0), &[(1, d), (3, d)]),
                    _ => r.affine((x[1] - x[3]) / d, &[(1, 1.0 / d), (3, -1.0 / d)]),
                }
            }
            // yᵢ − x₁(u² + ux₂)/(u² + ux₃ + x₄) = yᵢ − x₁a/b
            Kind::KowalikOsborne => {
                let u = KOWALIK_U[i];
                let a = u * u + u * x[1];
                let b = u * u + u * x[2] + x[3];
                r.clear(KOWALIK_Y[i] - x[0] * a / b);
                r.d(0, -a / b);
                r.d(1, -x[0] * u / b);
                r.dd(1, 0, -u / b);
                // ∂b = (0, 0, u, 1)
                for (j, bj) in [(2, u), (3, 1.0)] {
                    r.d(j, x[0] * a * bj / (b * b));
                    r.dd(j, 0, a * bj / (b * b));
                    r.dd(j, 1, x[0] * u * bj / (b * b));
                    for (k, bk) in [(2, u), (3, 1.0)] {
                        if k <= j {
                            r.dd(j, k, -2.0 * x[0] * a * bj * bk / (b * b * b));
                        }
                    }
                }
            }
            // (x₁ + tx₂ − eᵗ)² + (x₃ + x₄ sin t − cos t)²
            Kind::BrownDennis => {
                let t = (i as f64 + 1.0) / 5.0;
                let a = x[0] + t * x[1] - t.exp();
                let b = x[2] + x[3] * t.sin() - t.cos();
                r.square_of(1.0, a, &[(0, 1.0), (1, t)]);
                let mut other = Residual::default();
                other.square_of(1.0, b, &[(2, 1.0), (3, t.sin())]);
                r.value += other.value;
                r.first.append(&mut other.first);
                r.second.append(&mut other.second);
            }
            // yᵢ − (x₁ + x₂e^(−tx₄) + x₃e^(−tx₅))
            Kind::Osborne1 => {
                let t = 10.0 * i as f64;
                let e = [(-t * x[3]).exp(), (-t * x[4]).exp()];
                r.clear(OSBORNE1[i] - (x[0] + x[1] * e[0] + x[2] * e[1]));
                r.d(0, -1.0);
                for j in 0..2 {
                    r.d(1 + j, -e[j]);
                    r.d(3 + j, x[1 + j] * t * e[j]);
                    r.dd(3 + j, 1 + j, t * e[j]);
                    r.dd(3 + j, 3 + j, -x[1 + j] * t * t * e[j]);
                }
            }
            Kind::Watson => watson(i, x, r),
            // √10⁻⁵(xᵢ − 1), Σxⱼ² − ¼
            Kind::Penalty1 => {
                let c = 1e-5_f64.sqrt();
                if i < n {
                    r.affine(c * (x[i] - 1.0), &[(i, c)]);
                } else {
                    r.clear(x.iter().map(|x| x * x).sum::<f64>() - 0.25);
                    for j in 0..n {
                        r.d(j, 2.0 * x[j]);
                        r.dd(j, j, 2.0);
                    }
                }
            }
            // xᵢ − 1, s = Σj(xⱼ − 1), s²
            Kind::VariablyDimensioned => {
                if i < n {
                    return r.affine(x[i] - 1.0, &[(i, 1.0)]);
                }
                let terms: Vec<(usize, f64)> = (0..n).map(|j| (j, j as f64 + 1.0)).collect();
                let s = terms.iter().map(|(j, weight)| weight * (x[*j] - 1.0)).sum();
                if i == n { r.affine(s, &terms) } else { r.square_of(1.0, s, &terms) }
            }
            // n − Σcos xⱼ + i(1 − cos xᵢ) − sin xᵢ
            Kind::Trigonometric => {
                let k = i as f64 + 1.0;
                // Σ(1 − cos xⱼ) by half angles: no cancellation where x is small.
                let gap = |x: f64| 2.0 * (0.5 * x).sin().powi(2);
                r.clear(x.iter().map(|x| gap(*x)).sum::<f64>() + k * gap(x[i]) - x[i].sin());
                for j in 0..n {
                    r.d(j, x[j].sin());
                    r.dd(j, j, x[j].cos());
                }
                r.d(i, k * x[i].sin() - x[i].cos());
                r.dd(i, i, k * x[i].cos() + x[i].sin());
            }
            // (3 − 2xᵢ)xᵢ − xᵢ₋₁ − 2xᵢ₊₁ + 1
            Kind::BroydenTridiagonal => {
                let before = if i > 0 { x[i - 1] } else { 0.0 };
                let after = if i + 1 < n { x[i + 1] } else { 0.0 };
                r.clear((3.0 - 2.0 * x[i]) * x[i] - before - 2.0 * after + 1.0);
                r.d(i, 3.0 - 4.0 * x[i]);
                r.dd(i, i, -4.0);
                if i > 0 {
                    r.d(i - 1, -1.0);
                }
                if i + 1 < n {
                    r.d(i + 1, -2.0);
                }
            }
            // xᵢ − (2/m)Σxⱼ − 1 and −(2/m)Σxⱼ − 1
            Kind::LinearFullRank => {
                let c = 2.0 / self.m as f64;
                let own = if i < n { x[i] } else { 0.0 };
                r.clear(own - c * x.iter().sum::<f64>() - 1.0);
                for j in 0..n {
                    r.d(j, -c);
                }
                if i < n {
                    r.d(i, 1.0);
                }
            }
        }
    }
}

/// 10(x₂ − x₁²) for even i, 1 − x₁ for odd i, on the pair that begins at k.
fn rosenbrock(i: usize, k: usize, x: &[f64], r: &mut Residual) {
    if i.is_multiple_of(2) {
        r.affine(10.0 * (x[k + 1] - x[k] * x[k]), &[(k, -20.0 * x[k]), (k + 1, 10.0)]);
        r.dd(k, k, -20.0);
    } else {
        r.affine(1.0 - x[k], &[(k, -1.0)]);
    }
}

/// 10(x₃ − 10θ), 10(ρ − 1), x₃ with polar coordinates (ρ, 2πθ) of (x₁, x₂), θ ∈ (−¼, ¾).
fn helical_valley(i: usize, x: &[f64], r: &mut Residual) {
    use std::f64::consts::TAU;
    let (a, b) = (x[0], x[1]);
    let square = a * a + b * b;
    match i {
        0 => {
            let theta = (b / a).atan() / TAU + if a < 0.0 { 0.5 } else { 0.0 };
            let c = -100.0 / TAU;
            // ∇atan(b/a) = (−b, a)/ρ²
            r.affine(10.0 * (x[2] - 10.0 * theta), &[(0, -c * b / square), (1, c * a / square)]);
            r.d(2, 10.0);
            let fourth = square * square;
            r.dd(0, 0, c * 2.0 * a * b / fourth);
            r.dd(1, 0, c * (b * b - a * a) / fourth);
            r.dd(1, 1, -c * 2.0 * a * b / fourth);
        }
        1 => {
            let radius = square.sqrt();
            r.affine(10.0 * (radius - 1.0), &[(0, 10.0 * a / radius), (1, 10.0 * b / radius)]);
            let cube = radius * square;
            r.dd(0, 0, 10.0 * b * b / cube);
            r.dd(1, 0, -10.0 * a * b / cube);
            r.dd(1, 1, 10.0 * a * a / cube);
        }
        _ => r.affine(x[2], &[(2, 1.0)]),
    }
}

/// p′(t) − p(t)² − 1 with p(t) = Σxⱼtʲ⁻¹ at t = i/29, then x₁ and x₂ − x₁² − 1.
fn watson(i: usize, x: &[f64], r: &mut Residual) {
    if i == 29 {
        return r.affine(x[0], &[(0, 1.0)]);
    }
    if i == 30 {
        r.affine(x[1] - x[0] * x[0] - 1.0, &[(0, -2.0 * x[0]), (1, 1.0)]);
        return r.dd(0, 0, -2.0);
    }
    let t = (i as f64 + 1.0) / 29.0;
    let power = |j: usize| t.powi(i32::try_from(j).unwrap());
    let p: f64 = x.iter().enumerate().map(|(j, x)| x * power(j)).sum();
    let slope: f64 = x.iter().enumerate().skip(1).map(|(j, x)| j as f64 * x * power(j - 1)).sum();
    r.clear(slope - p * p - 1.0);
    for j in 0..x.len() {
        let own = if j > 0 { j as f64 * power(j - 1) } else { 0.0 };
        r.d(j, own - 2.0 * p * power(j));
        for k in 0..=j {
            r.dd(j, k, -2.0 * power(j) * power(k));
        }
    }
}

impl Objective for Problem {
    fn dim(&self) -> usize {
        self.n
    }
    fn value(&self, x: &[f64]) -> f64 {
        let mut r = Residual::default();
        let mut value = 0.0;
        for i in 0..self.m {
            self.residual(i, x, &mut r);
            value += r.value * r.value;
        }
        value
    }
    fn value_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut r = Residual::default();
        let mut value = 0.0;
        gradient.fill(0.0);
        for i in 0..self.m {
            self.residual(i, x, &mut r);
            value += r.value * r.value;
            for &(j, d) in &r.first {
                gradient[j] += 2.0 * r.value * d;
            }
        }
        value
    }
}

/// f, ∇f, H = 2Σ(∇fᵢ∇fᵢᵀ + fᵢ∇²fᵢ) and G = 2Σ∇fᵢ∇fᵢᵀ, both column-major n × n.
pub struct At {
    value: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    gauss_newton: Vec<f64>,
}

impl Curvature for Problem {
    type At<'a> = At;
    fn linearize(&self, x: &[f64]) -> At {
        let n = self.n;
        let mut gradient = vec![0.0; n];
        let value = self.value_gradient(x, &mut gradient);
        let (mut hessian, mut gauss_newton) = (vec![0.0; n * n], vec![0.0; n * n]);
        let mut r = Residual::default();
        for i in 0..self.m {
            self.residual(i, x, &mut r);
            for &(j, a) in &r.first {
                for &(k, b) in &r.first {
                    gauss_newton[j * n + k] += 2.0 * a * b;
                }
            }
            for &(j, k, entry) in &r.second {
                hessian[j * n + k] += 2.0 * r.value * entry;
                if j != k {
                    hessian[k * n + j] += 2.0 * r.value * entry;
                }
            }
        }
        for (h, g) in hessian.iter_mut().zip(&gauss_newton) {
            *h += g;
        }
        At { value, gradient, hessian, gauss_newton }
    }
    fn as_least_squares(&self) -> Option<Box<dyn LeastSquares + '_>> {
        Some(Box::new(self))
    }
}

impl At {
    fn multiply(matrix: &[f64], v: &[f64], out: &mut [f64]) {
        for (row, out) in matrix.chunks_exact(v.len()).zip(out) {
            *out = row.iter().zip(v).map(|(a, v)| a * v).sum();
        }
    }
    fn copy(matrix: &[f64], mut out: MatMut<'_, f64>) {
        let n = out.nrows();
        for j in 0..n {
            for i in 0..n {
                out[(i, j)] = matrix[j * n + i];
            }
        }
    }
}

impl Linearization for At {
    fn value(&self) -> f64 {
        self.value
    }
    fn gradient(&self) -> &[f64] {
        &self.gradient
    }
    fn hessian_vector(&self, v: &[f64], out: &mut [f64]) {
        Self::multiply(&self.hessian, v, out);
    }
    fn gauss_newton_vector(&self, v: &[f64], out: &mut [f64]) {
        Self::multiply(&self.gauss_newton, v, out);
    }
    fn hessian(&self, out: MatMut<'_, f64>) {
        Self::copy(&self.hessian, out);
    }
    fn gauss_newton(&self, out: MatMut<'_, f64>) {
        Self::copy(&self.gauss_newton, out);
    }
}

/// r = √2·(f₁ … f_m), so that ½‖r‖² = f.
impl LeastSquares for Problem {
    fn residual_len(&self) -> usize {
        self.m
    }
    fn residuals(&self, x: &[f64], residuals: &mut [f64]) -> f64 {
        let mut r = Residual::default();
        for (i, out) in residuals.iter_mut().enumerate() {
            self.residual(i, x, &mut r);
            *out = 2.0_f64.sqrt() * r.value;
        }
        0.5 * residuals.iter().map(|r| r * r).sum::<f64>()
    }
    fn jacobian_vector(&self, x: &[f64], v: &[f64], out: &mut [f64]) {
        let mut r = Residual::default();
        for (i, out) in out.iter_mut().enumerate() {
            self.residual(i, x, &mut r);
            *out = 2.0_f64.sqrt() * r.first.iter().map(|(j, d)| d * v[*j]).sum::<f64>();
        }
    }
    fn jacobian_transpose_vector(&self, x: &[f64], u: &[f64], out: &mut [f64]) {
        let mut r = Residual::default();
        out.fill(0.0);
        for (i, u) in u.iter().enumerate() {
            self.residual(i, x, &mut r);
            for &(j, d) in &r.first {
                out[j] += 2.0_f64.sqrt() * d * u;
            }
        }
    }
    fn normal_equations(&self, x: &[f64], normal: MatMut<'_, f64>, gradient: &mut [f64]) -> f64 {
        let at = self.linearize(x);
        at.gauss_newton(normal);
        gradient.copy_from_slice(&at.gradient);
        at.value
    }
    fn jacobian(&self, x: &[f64], residuals: &mut [f64], mut jacobian: MatMut<'_, f64>) -> f64 {
        let mut r = Residual::default();
        for i in 0..self.m {
            self.residual(i, x, &mut r);
            for j in 0..self.n {
                jacobian[(i, j)] = 0.0;
            }
            for &(j, d) in &r.first {
                jacobian[(i, j)] += 2.0_f64.sqrt() * d;
            }
        }
        self.residuals(x, residuals)
    }
    fn linearization(&self, x: &[f64]) -> Option<Box<dyn Linearization + '_>> {
        Some(Box::new(self.linearize(x)))
    }
}
