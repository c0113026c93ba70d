//! Does a fit over several ranks take the steps of one process? Prints a line for each method: a number for the bits of θ, the value, the
//! reason. `fits plain FOLDER` runs in one process without MPI, and leaves its samples as `.npy` files, which `fits files FOLDER` reads; `fits`, the same over the ranks of `mpirun`. `fits fault NAME` is what becomes of a
//! fault on rank 1, `fits run FILE EVALUATIONS` and `fits resume FILE` a run with checkpoints whose rank 1 is killed. `fits table FILE BYTES` writes a
//! large CSV file, which `fits csv FILE` fits, and `fits plain-csv FILE` in one process; `fits fit`, `fits resume-fit` and `fits plain-fit` do so by
//! `secant::fit`.

mod data;
mod faults;
mod large;
mod model;
mod traffic;

use data::{SAMPLES, class_data, curve_data, own_rows, write_npy};
use model::Plan;
use secant_core::data::{NpyOptions, Standardizer};
use secant_core::graph::Graph;
use secant_core::loss::{SoftmaxCrossEntropy, SquaredError};
use secant_core::network::Network;
use secant_core::op::Activation;
use secant_core::penalty::Ridge;
use secant_core::problem::{Curvature, SampledObjective};
use secant_core::random::hashed;
use secant_core::risk::Risk;
use secant_mpi::{Distributed, Ranks, Shared};
use secant_optim::{
    Adam, Bfgs, Factorization, Lbfgs, LevenbergMarquardt, Method, Minibatches, Newton, NewtonCg,
    Solution, Stopping, Update, VariableProjection, minimize, minimize_sampled,
};
use std::error::Error;

type Failure = Box<dyn Error>;

const ITERATIONS: u64 = 50;
/// Of what is slow in a debug build.
const FEW: u64 = 4;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => over_ranks(),
        ["plain", folder] => in_one_process(folder),
        ["files", folder] => of_files(folder),
        ["fault", name] => faults::fault(name),
        ["run", file, evaluations] => faults::run(file, evaluations.parse()?),
        ["resume", file] => faults::resume(file),
        ["table", file, bytes] => large::write(file, bytes.parse()?),
        ["csv", file] => large::fit(file, false),
        ["plain-csv", file] => large::fit(file, true),
        ["traffic"] => traffic::count(),
        ["plain-fit", file, iterations] => model::plain(file, iterations.parse()?),
        ["fit", file, iterations, checkpoint] => {
            model::across(&Plan { file, iterations: iterations.parse()?, checkpoint, resume: false })
        }
        ["resume-fit", file, iterations, checkpoint] => {
            model::across(&Plan { file, iterations: iterations.parse()?, checkpoint, resume: true })
        }
        _ => Err("usage: fits [traffic | plain FOLDER | files FOLDER | fault NAME | run FILE EVALUATIONS | resume FILE | table FILE BYTES | csv FILE | plain-csv FILE | plain-fit FILE ITERATIONS | fit FILE ITERATIONS CHECKPOINT | resume-fit FILE ITERATIONS CHECKPOINT]".into()),
    }
}

fn in_one_process(folder: &str) -> Result<(), Failure> {
    let network = curve();
    let (graph, data) = (network.graph()?, curve_data(0..SAMPLES)?);
    write_npy(&format!("{folder}/x.npy"), 4, data.inputs())?;
    write_npy(&format!("{folder}/y.npy"), 2, data.targets().values().unwrap_or_default())?;
    let risk = Risk::new(graph, &data, SquaredError, Ridge(1e-4))?;
    print(&fits(&risk, &network.draw(7)?, CURVE)?);
    let network = classes();
    let (graph, data) = (network.graph()?, class_data(0..SAMPLES)?);
    let data = Standardizer::fit_inputs(&data).transform_inputs(&data)?;
    let risk = Risk::new(graph, &data, SoftmaxCrossEntropy, Ridge(1e-4))?;
    print(&fits(&risk, &network.draw(7)?, CLASSES)?);
    Ok(())
}

fn over_ranks() -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = curve();
        let rows = own_rows(ranks, curve_data)?;
        let shared = Shared::new(ranks, network.graph()?, rows)?;
        let all = shared_curve(ranks, network.graph()?, &shared)?;
        let lines = fits(&all, &network.draw(7)?, CURVE)?;
        all.verdict()?;
        if ranks.is_first() {
            print(&lines);
        }
        let network = classes();
        let rows = own_rows(ranks, class_data)?;
        let (shared, _) = Shared::new(ranks, network.graph()?, rows)?.standardized(ranks)?;
        let (loss, penalty) = (SoftmaxCrossEntropy, Ridge(1e-4));
        let all = Distributed::new(ranks, network.graph()?, &shared, loss, penalty)?;
        let lines = fits(&all, &network.draw(7)?, CLASSES)?;
        all.verdict()?;
        if ranks.is_first() {
            print(&lines);
            let traffic = ranks.traffic();
            eprintln!(
                "{} rank(s): {} collectives, {} bytes sent by rank 0, {} received",
                ranks.size(),
                traffic.collectives,
                traffic.sent_bytes,
                traffic.received_bytes
            );
        }
        Ok(())
    });
    Ok(())
}

/// L-BFGS alone, of the files.
fn of_files(folder: &str) -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = curve();
        let files = (format!("{folder}/x.npy"), format!("{folder}/y.npy"));
        let shared = Shared::from_npy(ranks, network.graph()?, files, &NpyOptions::default())?;
        let all = shared_curve(ranks, network.graph()?, &shared)?;
        let stopping = Stopping { max_iterations: ITERATIONS, ..Stopping::default() };
        let solution = minimize(&all, Lbfgs::default().with_stopping(stopping), &network.draw(7)?)?;
        all.verdict_of(&solution)?;
        if ranks.is_first() {
            println!("{}", line("L-BFGS", &solution));
        }
        Ok(())
    });
    Ok(())
}

fn shared_curve<'a>(
    ranks: &'a Ranks,
    graph: &'a Graph,
    shared: &'a Shared,
) -> Result<Distributed<'a>, Failure> {
    Ok(Distributed::new(ranks, graph, shared, SquaredError, Ridge(1e-4))?)
}

/// A method with what it is called here, and its most iterations.
type Named = (&'static str, u64, fn() -> Method);

const CURVE: &[Named] = &[
    ("L-BFGS", ITERATIONS, || Lbfgs::default().into()),
    ("self-scaled Broyden", ITERATIONS, || {
        Bfgs::default().with_update(Update::SelfScaledBroyden).into()
    }),
    ("Newton", ITERATIONS, || Newton::default().into()),
    ("Newton–CG", ITERATIONS, || NewtonCg::default().into()),
    ("Levenberg–Marquardt", ITERATIONS, || LevenbergMarquardt::default().into()),
    ("Levenberg–Marquardt by QR", FEW, || by(Factorization::Qr)),
    ("Levenberg–Marquardt by LSMR", FEW, || by(Factorization::Lsmr)),
    ("variable projection", FEW, || VariableProjection::default().into()),
    ("Auto", ITERATIONS, Method::auto),
];

const CLASSES: &[Named] = &[
    ("Newton, linear classes", ITERATIONS, || Newton::default().into()),
    ("Auto, linear classes", ITERATIONS, Method::auto),
];

fn by(factorization: Factorization) -> Method {
    LevenbergMarquardt { factorization, ..LevenbergMarquardt::default() }.into()
}

fn fits<P: Curvature + SampledObjective>(
    problem: &P,
    start: &[f64],
    methods: &[Named],
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for (name, most, method) in methods {
        let stopping = Stopping { max_iterations: *most, ..Stopping::default() };
        let solution = method().with_stopping(stopping).minimize(problem, start)?;
        lines.push(line(name, &solution));
    }
    let batches = Minibatches::of(64).with_steps(ITERATIONS).with_seed(3);
    let solution = minimize_sampled(problem, Adam::default(), &batches, start)?;
    lines.push(line("Adam on minibatches", &solution));
    Ok(lines)
}

fn line(name: &str, solution: &Solution) -> String {
    let bits = solution.theta.iter().fold(0, |code, entry| hashed(code, entry.to_bits()));
    let report = &solution.report;
    format!("{name}: {bits:016x} f = {:?}, {:?}", report.value, report.reason)
}

fn print(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

fn curve() -> Network {
    Network::mlp([4, 6, 2], Activation::Tanh)
}

fn classes() -> Network {
    Network::linear(15, 3)
}
