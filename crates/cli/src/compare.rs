//! `secant compare`.

use crate::args::{CompareArgs, LimitArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::methods;
use crate::models::{self, Judge, Spec, Strength};
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::writable;
use crate::told::{Written, command_line, head, indented};
use secant::compare;
use secant::core::files::write_atomically;
use serde_json::json;

/// Most parameters for methods with a dense Hessian, unless they are named.
const DENSE: usize = 1_000;
/// Most parameters for a dense approximation of it.
const QUASI: usize = 3_000;
/// Iterations of methods of first order, which rarely end by themselves.
const FIRST_ORDER: u64 = 2_000;

pub fn run(args: &CompareArgs, screen: &Screen) -> Result<Exit, Failure> {
    for path in [&args.report, &args.out].into_iter().flatten() {
        writable(path)?;
    }
    let spec = Spec::read(&args.model.model)?;
    if models::ridge(args.model.ridge.as_deref())? == Strength::Auto {
        return Err(Failure::advised("--ridge auto is no problem to compare on", "`--ridge 1e-3`"));
    }
    if args.model.l1.is_some() {
        return Err(Failure::new("--l1 is for one method: nothing to compare"));
    }
    let table = args.table.read(&args.data)?;
    let read = Read::of(&table);
    let encoded = table.into_dataset(&args.columns.roles(&args.table))?;
    let built = models::build(&spec, &args.model, &encoded.data)?;
    let parameters =
        built.network.graph().map_err(|error| Failure::new(error.to_string()))?.parameters().dim();
    let sentences = tables::sentences(&read, &encoded);
    screen.heading("Data");
    screen.sentences(&sentences);
    let named = |names: &[String]| {
        names
            .iter()
            .map(|name| Ok((name.clone(), methods::by_name(name)?)))
            .collect::<Result<Vec<_>, Failure>>()
    };
    let chosen = if args.methods.is_empty() {
        named(&suited(parameters).map(str::to_owned).collect::<Vec<_>>())?
    } else {
        named(&args.methods)?
    };
    let mut set = compare();
    for (name, method) in chosen {
        let first_order = args.methods.is_empty() && name == "adam";
        let iterations = args.limits.max_iterations.or(first_order.then_some(FIRST_ORDER));
        let method = LimitArgs { max_iterations: iterations, ..args.limits }.on(method);
        set = set.method(name, method);
    }
    let mut fit = secant::fit(&built.network, &encoded.data)
        .shared_penalty(built.penalty.clone())
        .standardize(models::standardize(args.model.standardize))
        .seed(args.seed);
    fit = match &built.judge {
        Judge::Default => fit,
        Judge::Loss(loss) => fit.shared_loss(loss.clone()),
        Judge::Rho(rho) => fit.robust(*rho),
    };
    let comparison = fit.compare(&set)?;
    screen.heading(&format!("{}, {parameters} parameters", built.name));
    screen.say("");
    screen.result(&indented(&comparison.to_string()));
    let mut written = Written::default();
    written.put("table", args.out.as_deref(), |path| {
        write_atomically(path, comparison.csv().as_bytes())
    });
    written.put("report", args.report.as_deref(), |path| {
        let page = comparison
            .html()
            .title(format!("{}: methods", read.file))
            .command(command_line())
            .read(sentences);
        page.save(path)
    });
    written.tell(screen);
    written.end()?;
    let mut object = head("compare", &read, &encoded);
    object.insert("model".into(), json!({"name": built.name, "parameters": parameters}));
    object.insert("best_value".into(), crate::told::number(comparison.best_value));
    object.insert("methods".into(), serde_json::to_value(&comparison.rows).unwrap_or_default());
    object.insert("exit".into(), Exit::Done.number().into());
    screen.json(object);
    Ok(Exit::Done)
}

/// Methods that a problem of this size can bear.
fn suited(parameters: usize) -> impl Iterator<Item = &'static str> {
    let all = [
        ("newton", DENSE),
        ("trust-region", usize::MAX),
        ("newton-cg", usize::MAX),
        ("bfgs", QUASI),
        ("lbfgs", usize::MAX),
        ("adam", usize::MAX),
    ];
    all.into_iter().filter(move |(_, most)| parameters <= *most).map(|(name, _)| name)
}
