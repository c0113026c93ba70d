//! The table of options: every number that a method, a search, a schedule or a driver takes, at every value that is likely to be wrong. Each
//! is refused by name, value and range, or the run ends with finite numbers.

use secant_core::problem::SampledObjective;
use secant_optim::line_search::{Backtracking, HagerZhang, LineSearch, StrongWolfe};
use secant_optim::{
    AdaGrad, AdaGradRule, Adadelta, AdadeltaRule, Adam, AdamRule, AdamW, AdamWRule, AdaptiveCubic,
    Auto, Bfgs, BoundedLevenbergMarquardt, Bounds, Decay, GaussNewton, GradientDescent,
    GradientDescentRule, L1, LassoPath, Lbfgs, LbfgsB, LeastSquaresFn, LevenbergMarquardt, Method,
    Minibatches, Momentum, MomentumRule, Nesterov, NesterovRule, Newton, NewtonCg, NonlinearCg,
    OptimError, OwlQn, Preconditioner, ProximalNewton, RateFinder, RegularizedNewton, RmsProp,
    RmsPropRule, RobustLeastSquares, Schedule, Span, Sr1, StepLength, Stopping, Tron, TrustRegion,
    TrustRegionRule, VariableProjection, minimize_sampled,
};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const REALS: [f64; 22] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -1.0,
    -f64::MIN_POSITIVE,
    -0.0,
    0.0,
    5e-324,
    1e-300,
    1e-20,
    f64::EPSILON,
    1e-3,
    0.1,
    0.5,
    1.0 - f64::EPSILON,
    1.0,
    1.0 + f64::EPSILON,
    2.0,
    1e9,
    1e16,
    1e300,
    f64::MAX,
];

const COUNTS: [u64; 14] = [
    0,
    1,
    2,
    3,
    7,
    100,
    1000,
    1 << 20,
    1 << 31,
    u32::MAX as u64,
    1 << 40,
    1 << 53,
    1 << 62,
    u64::MAX,
];

/// Bytes that a run of the table may take.
const MEMORY: u64 = 64 << 20;
/// The whole table takes seconds; what never ends is told by this.
const PATIENCE: Duration = Duration::from_secs(120);

type Outcome = Result<f64, OptimError>;

/// The name of an option, and a run with it.
struct Entry<T> {
    of: String,
    option: &'static str,
    run: Box<dyn Fn(T) -> Outcome>,
}

/// θ₀·e^(−θ₁t) + θ₂ through six points: linear in θ₀ and θ₂.
/// A number option of a `T`, by name.
type Number<T> = (&'static str, fn(f64) -> T);

fn decay() -> LeastSquaresFn<'static> {
    LeastSquaresFn::new(3, 6, |b, r| {
        for (i, r) in r.iter_mut().enumerate() {
            let t = i as f64;
            *r = b[0] * f64::exp(-b[1] * t) + b[2] - 2.0 * f64::exp(-0.4 * t) - 0.3;
        }
    })
    .with_jacobian(|b, mut j| {
        for i in 0..6 {
            let t = i as f64;
            let e = f64::exp(-b[1] * t);
            (j[(i, 0)], j[(i, 1)], j[(i, 2)]) = (e, -b[0] * t * e, 1.0);
        }
    })
    .with_linear(0..1)
    .with_linear(2..3)
}

const START: [f64; 3] = [1.0, 0.6, 0.1];

fn stopping() -> Stopping {
    Stopping { max_iterations: 3, ..Stopping::default() }
}

/// A few steps.
fn run(method: impl Into<Method>) -> Outcome {
    let mut method: Method = method.into();
    let most = method.stopping().max_iterations.min(3);
    method.stopping_mut().max_iterations = most;
    let solution = method.minimize_within(&decay(), &START, Some(MEMORY))?;
    assert!(solution.theta.iter().all(|theta| theta.is_finite()), "{:?}", solution.theta);
    Ok(solution.report.value)
}

/// mean of ½(θ − i)² over ten samples.
struct Mean;

impl SampledObjective for Mean {
    fn parameters(&self) -> usize {
        1
    }
    fn samples(&self) -> usize {
        10
    }
    fn value_gradient_on(&self, indices: &[usize], theta: &[f64], gradient: &mut [f64]) -> f64 {
        let errors = || indices.iter().map(|&i| theta[0] - i as f64);
        gradient[0] = errors().sum::<f64>() / indices.len() as f64;
        errors().map(|e| 0.5 * e * e).sum::<f64>() / indices.len() as f64
    }
}

fn sampled(minibatches: &Minibatches) -> Outcome {
    let late = Stopping { max_time: Some(Duration::from_millis(20)), ..stopping() };
    let solver = GradientDescent::fixed(0.1).with_stopping(late);
    Ok(minimize_sampled(&Mean, solver, minibatches, &[0.5])?.report.value)
}

fn entry<T, M: Into<Method>>(
    of: &str,
    option: &'static str,
    make: impl Fn(T) -> M + 'static,
) -> Entry<T> {
    Entry { of: of.into(), option, run: Box::new(move |value| run(make(value))) }
}

/// One of every kind, with what the table does not change.
fn all() -> Vec<Method> {
    let bounds = Bounds::default;
    let l1 = || L1::new(0.1);
    vec![
        Newton::default().into(),
        RegularizedNewton::default().into(),
        NewtonCg::default().into(),
        TrustRegion::default().into(),
        AdaptiveCubic::default().into(),
        Tron::new(bounds()).into(),
        Bfgs::default().into(),
        Sr1::default().into(),
        Lbfgs::default().into(),
        LbfgsB::new(bounds()).into(),
        OwlQn::new(l1()).into(),
        ProximalNewton::new(l1()).into(),
        NonlinearCg::default().into(),
        GradientDescent::default().into(),
        GradientDescent::fixed(0.01).into(),
        Momentum::default().into(),
        Nesterov::default().into(),
        AdaGrad::default().into(),
        RmsProp::default().into(),
        Adadelta::default().into(),
        Adam::default().into(),
        AdamW::default().into(),
        GaussNewton::default().into(),
        LevenbergMarquardt::default().into(),
        BoundedLevenbergMarquardt::new(bounds()).into(),
        VariableProjection::default().into(),
        Auto::default().into(),
    ]
}

/// Those of [`Stopping`], in every method.
fn of_stopping() -> (Vec<Entry<f64>>, Vec<Entry<u64>>) {
    type Set<T> = fn(&mut Stopping, T);
    let reals: [(&str, Set<f64>); 5] = [
        ("gradient_tolerance", |s, v| s.gradient_tolerance = v),
        ("gradient_absolute", |s, v| s.gradient_absolute = v),
        ("step_tolerance", |s, v| s.step_tolerance = v),
        ("value_tolerance", |s, v| s.value_tolerance = v),
        ("target", |s, v| s.target = Some(v)),
    ];
    let counts: [(&str, Set<u64>); 2] = [
        ("max_iterations", |s, v| s.max_iterations = v),
        ("max_evaluations", |s, v| s.max_evaluations = Some(v)),
    ];
    let (mut real_entries, mut count_entries) = (Vec::new(), Vec::new());
    for method in all() {
        for (option, set) in reals {
            let method = method.clone();
            real_entries.push(entry(method.name(), option, move |value| {
                let mut method = method.clone();
                set(method.stopping_mut(), value);
                method
            }));
        }
        for (option, set) in counts {
            let method = method.clone();
            count_entries.push(entry(method.name(), option, move |value| {
                let mut method = method.clone();
                set(method.stopping_mut(), value);
                method
            }));
        }
    }
    (real_entries, count_entries)
}

/// Those of the searches, each in a method that has one.
fn of_searches() -> (Vec<Entry<f64>>, Vec<Entry<u64>>) {
    let wolfe: [Number<StrongWolfe>; 4] = [
        ("decrease", |decrease| StrongWolfe { decrease, ..StrongWolfe::default() }),
        ("curvature", |curvature| StrongWolfe { curvature, ..StrongWolfe::default() }),
        ("max_growth", |max_growth| StrongWolfe { max_growth, ..StrongWolfe::default() }),
        ("noise", |noise| StrongWolfe { noise, ..StrongWolfe::default() }),
    ];
    let secant: [Number<HagerZhang>; 4] = [
        ("decrease", |decrease| HagerZhang { decrease, ..HagerZhang::default() }),
        ("curvature", |curvature| HagerZhang { curvature, ..HagerZhang::default() }),
        ("max_growth", |max_growth| HagerZhang { max_growth, ..HagerZhang::default() }),
        ("noise", |noise| HagerZhang { noise, ..HagerZhang::default() }),
    ];
    let backward: [Number<Backtracking>; 3] = [
        ("decrease", |decrease| Backtracking { decrease, ..Backtracking::default() }),
        ("contraction", |contraction| Backtracking { contraction, ..Backtracking::default() }),
        ("noise", |noise| Backtracking { noise, ..Backtracking::default() }),
    ];
    let mut reals = Vec::new();
    for (option, make) in wolfe {
        let search = move |value| LineSearch::MoreThuente(make(value));
        reals.extend([
            entry("Newton", option, move |v| Newton { search: make(v), ..Newton::default() }),
            entry("Newton–CG", option, move |v| NewtonCg {
                search: make(v),
                ..NewtonCg::default()
            }),
            entry("BFGS", option, move |v| Bfgs { search: search(v), ..Bfgs::default() }),
            entry("L-BFGS", option, move |v| Lbfgs { search: search(v), ..Lbfgs::default() }),
            entry("L-BFGS-B", option, move |v| LbfgsB { search: make(v), ..LbfgsB::default() }),
            entry("CG", option, move |v| NonlinearCg { search: make(v), ..NonlinearCg::default() }),
            entry("gradient descent", option, move |v| {
                let step_length = StepLength::Search(make(v));
                GradientDescent::from(GradientDescentRule { step_length })
            }),
        ]);
    }
    for (option, make) in secant {
        let search = move |value| LineSearch::HagerZhang(make(value));
        reals.extend([
            entry("BFGS", option, move |v| Bfgs { search: search(v), ..Bfgs::default() }),
            entry("L-BFGS", option, move |v| Lbfgs { search: search(v), ..Lbfgs::default() }),
        ]);
    }
    for (option, make) in backward {
        let search = move |value| LineSearch::Backtracking(make(value));
        reals.extend([
            entry("BFGS", option, move |v| Bfgs { search: search(v), ..Bfgs::default() }),
            entry("Gauss–Newton", option, move |v| GaussNewton {
                search: make(v),
                ..GaussNewton::default()
            }),
        ]);
    }
    let trials = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let counts = vec![
        entry("Newton", "max_trials", move |v| Newton {
            search: StrongWolfe { max_trials: trials(v), ..StrongWolfe::default() },
            ..Newton::default()
        }),
        entry("L-BFGS", "max_trials", move |v| Lbfgs {
            search: HagerZhang { max_trials: trials(v), ..HagerZhang::default() }.into(),
            ..Lbfgs::default()
        }),
        entry("Gauss–Newton", "max_trials", move |v| GaussNewton {
            search: Backtracking { max_trials: trials(v), ..Backtracking::default() },
            ..GaussNewton::default()
        }),
    ];
    (reals, counts)
}

/// Those of methods with curvature.
fn of_curvature() -> (Vec<Entry<f64>>, Vec<Entry<u64>>) {
    let reals = vec![
        entry("Newton–CG", "forcing", |forcing| NewtonCg { forcing, ..NewtonCg::default() }),
        entry("Newton–CG", "cost_ratio", |ratio| NewtonCg {
            cost_ratio: Some(ratio),
            ..NewtonCg::default()
        }),
        entry("TR", "acceptance", |acceptance| TrustRegion {
            acceptance,
            ..TrustRegion::default()
        }),
        entry("TR", "forcing", |forcing| TrustRegion { forcing, ..TrustRegion::default() }),
        entry("TR", "initial_radius", |radius| TrustRegion {
            initial_radius: Some(radius),
            ..TrustRegion::default()
        }),
        entry("ARC", "acceptance", |acceptance| AdaptiveCubic {
            acceptance,
            ..AdaptiveCubic::default()
        }),
        entry("ARC", "forcing", |forcing| AdaptiveCubic { forcing, ..AdaptiveCubic::default() }),
        entry("ARC", "initial_radius", |radius| AdaptiveCubic {
            initial_radius: Some(radius),
            ..AdaptiveCubic::default()
        }),
        entry("SR1", "acceptance", |acceptance| Sr1 { acceptance, ..Sr1::default() }),
        entry("SR1", "forcing", |forcing| Sr1 { forcing, ..Sr1::default() }),
        entry("SR1", "initial_radius", |radius| Sr1 {
            initial_radius: Some(radius),
            ..Sr1::default()
        }),
        entry("Gauss–Newton", "offset_tolerance", |offset_tolerance| GaussNewton {
            offset_tolerance,
            ..GaussNewton::default()
        }),
        entry("LM", "initial_damping", |initial_damping| LevenbergMarquardt {
            initial_damping,
            ..LevenbergMarquardt::default()
        }),
        entry("LM", "accept", |accept| LevenbergMarquardt {
            accept,
            ..LevenbergMarquardt::default()
        }),
        entry("LM", "acceleration_limit", |limit| LevenbergMarquardt {
            acceleration_limit: Some(limit),
            ..LevenbergMarquardt::default()
        }),
        entry("LM", "offset_tolerance", |offset_tolerance| LevenbergMarquardt {
            offset_tolerance,
            ..LevenbergMarquardt::default()
        }),
        entry("bounded LM", "initial_damping", |initial_damping| BoundedLevenbergMarquardt {
            initial_damping,
            ..BoundedLevenbergMarquardt::default()
        }),
        entry("VP", "ridge", |ridge| VariableProjection { ridge, ..VariableProjection::default() }),
        entry("VP", "rank_tolerance", |rank_tolerance| VariableProjection {
            rank_tolerance,
            ..VariableProjection::default()
        }),
        entry("OWL-QN", "l1", |lambda| OwlQn { l1: L1::new(lambda), ..OwlQn::default() }),
        entry("OWL-QN", "l1", |weight| OwlQn::new(L1::per_parameter([0.1, weight, 0.0]))),
        entry("proximal Newton", "l1", |lambda| ProximalNewton {
            l1: L1::new(lambda),
            ..ProximalNewton::default()
        }),
    ];
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let counts = vec![
        entry("Newton–CG", "max_products", move |v| NewtonCg {
            max_products: size(v),
            ..NewtonCg::default()
        }),
        entry("Newton–CG", "memory", move |v| NewtonCg {
            preconditioner: Preconditioner::Pairs { memory: size(v) },
            ..NewtonCg::default()
        }),
        entry("Newton–CG", "rank", move |v| NewtonCg {
            preconditioner: Preconditioner::Nystrom { rank: size(v), refresh: 1 },
            ..NewtonCg::default()
        }),
        entry("Newton–CG", "refresh", move |v| NewtonCg {
            preconditioner: Preconditioner::Nystrom {
                rank: 2,
                refresh: u32::try_from(v).unwrap_or(u32::MAX),
            },
            ..NewtonCg::default()
        }),
        entry("TR", "max_products", move |v| TrustRegion {
            max_products: size(v),
            ..TrustRegion::default()
        }),
        entry("TR", "history", move |v| {
            let rule = TrustRegionRule { history: size(v), ..TrustRegionRule::default() };
            TrustRegion { rule, ..TrustRegion::default() }
        }),
        entry("ARC", "max_products", move |v| AdaptiveCubic {
            max_products: size(v),
            ..AdaptiveCubic::default()
        }),
        entry("TRON", "max_products", move |v| Tron { max_products: size(v), ..Tron::default() }),
        entry("L-BFGS", "memory", move |v| Lbfgs { memory: size(v), ..Lbfgs::default() }),
        entry("L-BFGS-B", "memory", move |v| LbfgsB { memory: size(v), ..LbfgsB::default() }),
        entry("OWL-QN", "memory", move |v| OwlQn { memory: size(v), ..OwlQn::default() }),
        entry("Auto", "memory_limit", |v| Auto { memory_limit: Some(v), ..Auto::default() }),
    ];
    (reals, counts)
}

/// Those of first-order rules and schedules.
fn of_first_order() -> (Vec<Entry<f64>>, Vec<Entry<u64>>) {
    let scheduled = |schedule: Schedule| Adam { schedule, ..Adam::default() };
    let by = move |decay: Decay| scheduled(Schedule::from(decay));
    let reals = vec![
        entry("gradient descent", "rate", GradientDescent::fixed),
        entry("momentum", "rate", |rate| {
            Momentum::from(MomentumRule { rate, ..MomentumRule::default() })
        }),
        entry("momentum", "momentum", |momentum| {
            Momentum::from(MomentumRule { momentum, ..MomentumRule::default() })
        }),
        entry("Nesterov", "rate", |rate| {
            Nesterov::from(NesterovRule { rate, ..NesterovRule::default() })
        }),
        entry("Nesterov", "momentum", |momentum| {
            Nesterov::from(NesterovRule { momentum, ..NesterovRule::default() })
        }),
        entry("AdaGrad", "rate", |rate| {
            AdaGrad::from(AdaGradRule { rate, ..AdaGradRule::default() })
        }),
        entry("AdaGrad", "delta", |delta| {
            AdaGrad::from(AdaGradRule { delta, ..AdaGradRule::default() })
        }),
        entry("RMSProp", "rate", |rate| {
            RmsProp::from(RmsPropRule { rate, ..RmsPropRule::default() })
        }),
        entry("RMSProp", "decay", |decay| {
            RmsProp::from(RmsPropRule { decay, ..RmsPropRule::default() })
        }),
        entry("RMSProp", "delta", |delta| {
            RmsProp::from(RmsPropRule { delta, ..RmsPropRule::default() })
        }),
        entry("Adadelta", "rate", |rate| {
            Adadelta::from(AdadeltaRule { rate, ..AdadeltaRule::default() })
        }),
        entry("Adadelta", "decay", |decay| {
            Adadelta::from(AdadeltaRule { decay, ..AdadeltaRule::default() })
        }),
        entry("Adadelta", "epsilon", |epsilon| {
            Adadelta::from(AdadeltaRule { epsilon, ..AdadeltaRule::default() })
        }),
        entry("Adam", "rate", |rate| Adam::from(AdamRule { rate, ..AdamRule::default() })),
        entry("Adam", "decay_mean", |decay_mean| {
            Adam::from(AdamRule { decay_mean, ..AdamRule::default() })
        }),
        entry("Adam", "decay_square", |decay_square| {
            Adam::from(AdamRule { decay_square, ..AdamRule::default() })
        }),
        entry("Adam", "delta", |delta| Adam::from(AdamRule { delta, ..AdamRule::default() })),
        entry("AdamW", "weight_decay", |weight_decay| {
            AdamW::from(AdamWRule { weight_decay, ..AdamWRule::default() })
        }),
        entry("AdamW", "rate", |rate| AdamW::from(AdamWRule { rate, ..AdamWRule::default() })),
        entry("Adam", "schedule.start", move |start| {
            scheduled(Schedule { warm_up: 2, start, ..Schedule::default() })
        }),
        entry("Adam", "schedule.factor", move |factor| by(Decay::Step { every: 2, factor })),
        entry("Adam", "schedule.floor", move |floor| by(Decay::Cosine { steps: 3, floor })),
        entry("Adam", "schedule.decay", move |decay| by(Decay::InverseTime { decay })),
    ];
    let counts = vec![
        entry("Adam", "schedule.warm_up", move |warm_up| {
            scheduled(Schedule { warm_up, start: 0.1, ..Schedule::default() })
        }),
        entry("Adam", "schedule.every", move |every| by(Decay::Step { every, factor: 0.5 })),
        entry("Adam", "schedule.steps", move |steps| by(Decay::Cosine { steps, floor: 0.1 })),
    ];
    (reals, counts)
}

/// Those of what runs methods: minibatches, the search of a rate, a path, a robust loss.
fn of_drivers() -> (Vec<Entry<f64>>, Vec<Entry<u64>>) {
    fn of<T: 'static>(
        name: &str,
        option: &'static str,
        run: impl Fn(T) -> Outcome + 'static,
    ) -> Entry<T> {
        Entry { of: name.into(), option, run: Box::new(run) }
    }
    let rates = |finder: RateFinder| {
        let method = Method::from(GradientDescent::fixed(1.0).with_stopping(stopping()));
        let found = finder.full_batch(&method, &decay(), &START)?;
        Ok(found.best.map_or(0.0, |(_, solution)| solution.report.value))
    };
    let path = |path: LassoPath| {
        let path = path.run(&decay(), &START)?;
        Ok(path.last().map_or(0.0, |point| point.solution.report.value))
    };
    let few = || LassoPath { points: 3, ..LassoPath::default() };
    let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let reals = vec![
        of("rates", "lowest", move |lowest: f64| {
            let highest = if lowest.is_finite() { lowest.max(1.0) } else { 1.0 };
            rates(RateFinder { lowest, highest, ..RateFinder::default() })
        }),
        of("rates", "highest", move |highest| {
            rates(RateFinder { highest, ..RateFinder::default() })
        }),
        of("path", "ratio", move |ratio| path(LassoPath { ratio, ..few() })),
        of("path", "lambdas", move |l| path(LassoPath { lambdas: Some(vec![l]), ..few() })),
        of("path", "l1", move |l| path(LassoPath { l1: L1::new(l), ..few() })),
        of("robust", "scale", |scale| {
            let problem = decay();
            let rho = secant_core::rho::Rho::Huber;
            let robust = RobustLeastSquares::new(&problem, rho, scale)?;
            let method = Method::from(Bfgs::default().with_stopping(stopping()));
            Ok(method.minimize(&robust, &START)?.report.value)
        }),
    ];
    let counts = vec![
        of("rates", "per_decade", move |v| {
            let narrow = RateFinder { lowest: 0.1, highest: 0.2, ..RateFinder::default() };
            rates(RateFinder { per_decade: small(v), ..narrow })
        }),
        of("rates", "refinements", move |v| {
            rates(RateFinder { refinements: small(v), ..RateFinder::default() })
        }),
        of("rates", "growth", move |v| {
            rates(RateFinder { growth: small(v), ..RateFinder::default() })
        }),
        of("path", "points", move |v| path(LassoPath { points: size(v), ..few() })),
        of("minibatches", "size", move |v| {
            sampled(&Minibatches { size: size(v), ..Minibatches::of(3).with_steps(3) })
        }),
        of("minibatches", "seed", |seed| {
            sampled(&Minibatches { seed, ..Minibatches::of(3).with_steps(3) })
        }),
        of("minibatches", "limit", |v| {
            sampled(&Minibatches { limit: Span::Epochs(v), ..Minibatches::of(3) })
        }),
        of("minibatches", "evaluate_every", |v| {
            let evaluate_every = Span::Epochs(v);
            sampled(&Minibatches { evaluate_every, ..Minibatches::of(3).with_steps(3) })
        }),
    ];
    (reals, counts)
}

/// What is wrong with the outcome of `entry` at a value; nothing where it is refused in full or has run to finite numbers.
fn fault<T>(
    entry: &Entry<T>,
    given: f64,
    outcome: Outcome,
    may_need_memory: bool,
) -> Option<String> {
    let at = format!("{}: {} = {given:e}", entry.of, entry.option);
    match outcome {
        Ok(value) if value.is_finite() => None,
        Ok(value) => Some(format!("{at} ends at {value}")),
        Err(OptimError::Memory { .. }) if may_need_memory => None,
        Err(error) => {
            let text = error.to_string();
            let OptimError::OptionOutOfRange { option, value, allowed, .. } = error else {
                return Some(format!("{at}: {text}"));
            };
            let named = option == entry.option
                && (value == given || (value.is_nan() && given.is_nan()))
                && !allowed.is_empty()
                && text.contains(option)
                && text.contains(allowed)
                && text.len() < 200;
            (!named).then(|| format!("{at}: {text}"))
        }
    }
}

fn faults_of_the_table() -> (usize, Vec<String>) {
    let tables = [of_stopping(), of_searches(), of_curvature(), of_first_order(), of_drivers()];
    let (mut runs, mut faults) = (0, Vec::new());
    for (reals, counts) in tables {
        for entry in &reals {
            runs += REALS.len();
            faults.extend(REALS.iter().filter_map(|&v| fault(entry, v, (entry.run)(v), false)));
        }
        for entry in &counts {
            runs += COUNTS.len();
            let exact = |v: u64| if entry.run_is_small() { v.min(u32::MAX.into()) } else { v };
            let at = |&v: &u64| fault(entry, exact(v) as f64, (entry.run)(v), true);
            faults.extend(COUNTS.iter().filter_map(at));
        }
    }
    (runs, faults)
}

impl Entry<u64> {
    /// Whether the option is an `u32`.
    fn run_is_small(&self) -> bool {
        let small = ["max_trials", "per_decade", "refinements", "growth", "refresh"];
        small.contains(&self.option)
    }
}

#[test]
fn every_number_option_is_refused_by_name_value_and_range_or_runs_to_finite_numbers() {
    let (tell, told) = mpsc::channel();
    // Not joined: what hangs does not end.
    thread::spawn(move || tell.send(faults_of_the_table()));
    let (runs, faults) = told.recv_timeout(PATIENCE).expect("no panic, and no run without an end");
    assert!(runs > 129 * 22, "{runs} runs");
    assert!(faults.is_empty(), "{} of {runs}:\n{}", faults.len(), faults.join("\n"));
}

/// A method can be shared by threads, and sent to them.
#[test]
fn a_method_is_send_and_sync() {
    fn shared<T: Send + Sync>() {}
    shared::<Method>();
}

/// Ranges of free parameters beyond n cost nothing.
#[test]
fn free_parameters_beyond_n_are_ignored_at_once() {
    let weights = L1::new(0.5).without(1..2).without(3..usize::MAX).without(7..usize::MAX);
    assert_eq!(weights.weights(5), [0.5, 0.0, 0.5, 0.0, 0.0]);
    let reversed = std::ops::Range { start: 3, end: 1 };
    assert_eq!(L1::new(0.5).without(reversed).weights(2), [0.5, 0.5]);
    assert_eq!(L1::per_parameter([1.0, 2.0]).without(0..usize::MAX).weights(2), [0.0, 0.0]);
}
