//! `secant curve`, and `secant fit --model formula:…`.

mod grouped;
mod many;

use crate::args::{ColumnArgs, CurveArgs, FitArgs, FormulaArgs, LimitArgs, TableArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::methods;
use crate::models::{self, Judge, Strength};
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::writable;
use crate::told::{
    Written, command_line, ended, estimates_json, head, indented, kept, number, run_json,
    score_json,
};
use secant::core::formula::Formula;
use secant::data::{Encoded, Roles, Table, TargetKind};
use secant::{
    Curve, CurveError, CurveFit, Dataset, Inference, LevenbergMarquardt, Method, Model, Origin,
    Rho, Stopping,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A curve to be fitted, whichever command asked for it.
struct Asked<'a> {
    command: &'static str,
    data: &'a Path,
    formulas: Vec<String>,
    target: Vec<String>,
    weights: Option<String>,
    offset: Option<String>,
    ignored: Vec<String>,
    parameters: &'a FormulaArgs,
    robust: Option<Rho>,
    level: f64,
    seed: u64,
    method: Option<String>,
    limits: LimitArgs,
    out: Option<PathBuf>,
    report: Option<PathBuf>,
    plot: Option<PathBuf>,
    table: &'a TableArgs,
}

/// `secant curve`.
pub fn run(args: &CurveArgs, screen: &Screen) -> Result<Exit, Failure> {
    let asked = Asked {
        command: "curve",
        data: &args.data,
        formulas: args.formula.clone(),
        target: args.target.clone(),
        weights: args.weights.clone(),
        offset: None,
        ignored: Vec::new(),
        parameters: &args.parameters,
        robust: args.robust.as_deref().map(models::rho).transpose()?,
        level: args.level,
        seed: args.run.seed,
        method: None,
        limits: args.run.limits,
        out: args.out.clone(),
        report: args.report.clone(),
        plot: args.plot.clone(),
        table: &args.table,
    };
    match (&args.by, &args.groups) {
        (Some(key), _) => many::run(&asked, key, screen),
        (None, Some(key)) => grouped::run(&asked, key, &args.own, screen),
        (None, None) => asked.run(screen),
    }
}

/// `secant fit --model formula:…`.
pub fn of_fit(args: &FitArgs, formula: &str, screen: &Screen) -> Result<Exit, Failure> {
    let given = [
        ("--ridge", models::ridge(args.model.ridge.as_deref())? != Strength::Nothing),
        ("--l1", args.model.l1.is_some()),
        ("--starts", args.run.starts > 1),
        ("--patience", args.run.patience.is_some()),
        ("--valid", args.run.valid.as_deref().is_some_and(|valid| valid != "0")),
        ("--link", args.link.is_some()),
        ("--exposure", args.exposure.is_some()),
        ("--checkpoint", args.checkpoint.is_some()),
        ("--resume", args.resume.is_some()),
        ("--classes", args.columns.classes),
        ("--features", !args.columns.features.is_empty()),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!(
            "{option}: a formula is fitted by least squares, which does not take it"
        )));
    }
    let robust = match models::loss(args.model.loss.as_deref())? {
        Judge::Default => None,
        Judge::Rho(rho) => Some(rho),
        Judge::Loss(loss) if loss.name() == "squared" => None,
        Judge::Loss(loss) => {
            return Err(Failure::advised(
                format!("--loss {}: a formula is fitted by least squares", loss.name()),
                "squared, huber, soft-l1, cauchy, tukey",
            ));
        }
    };
    let ColumnArgs { target, weights, offset, ignore, .. } = &args.columns;
    let asked = Asked {
        command: "fit",
        data: &args.data,
        formulas: vec![formula.to_owned()],
        target: target.clone(),
        weights: weights.clone(),
        offset: offset.clone(),
        ignored: ignore.clone(),
        parameters: &args.formula,
        robust,
        level: 0.95,
        seed: args.run.seed,
        method: args.run.method.clone(),
        limits: args.run.limits,
        out: args.out.clone(),
        report: args.report.clone(),
        plot: None,
        table: &args.table,
    };
    asked.run(screen)
}

impl Asked<'_> {
    /// The names in the formulas and in what is tied.
    fn formula_names(&self) -> Result<Vec<String>, Failure> {
        let formula = Formula::several::<_, &str>(&self.formulas, &[]).map_err(CurveError::from);
        let formula = formula.map_err(secant::FitError::from)?;
        Ok(formula.parameters().to_vec())
    }

    /// The columns that the formulas name, and that of σ.
    fn roles(&self, table: &Table) -> Result<Roles, Failure> {
        let mut features: Vec<String> = self.formula_names()?;
        features.retain(|name| table.names().contains(name));
        if features.is_empty() {
            let names = secant::core::text::list(table.names().iter().map(String::as_str));
            return Err(Failure::advised(
                format!(
                    "{}: the formula names no column; columns are {names}",
                    secant::core::text::path(table.file())
                ),
                "a name with signs that mean something in a formula stands between backquotes: `time (s)`",
            ));
        }
        features.extend(self.parameters.sigma.clone());
        Ok(Roles {
            targets: self.target.clone(),
            task: TargetKind::Values,
            features,
            ignored: self.ignored.clone(),
            weights: self.weights.clone(),
            offset: self.offset.clone(),
            missing: self.table.missing(),
            ..Roles::default()
        })
    }

    /// The curve as the library has it.
    fn curve(&self) -> Result<Curve, Failure> {
        let mut curve = Curve::several(&self.formulas)?;
        let parameters = self.parameters;
        curve = curve.start(parameters.start.iter().map(|(name, value)| (name, *value)));
        for (name, low, high) in &parameters.bounds {
            curve = curve.bounds(name, *low..=*high);
        }
        for (name, value) in &parameters.fix {
            curve = curve.fix(name, *value);
        }
        for (name, formula) in &parameters.tie {
            curve = curve.tie(name, formula);
        }
        if let Some(column) = &parameters.sigma {
            curve = curve.sigma_column(column).absolute_sigma(parameters.absolute_sigma);
        }
        if let Some(rho) = self.robust {
            curve = curve.robust(rho);
        }
        let mut method: Method = LevenbergMarquardt::default().into();
        if let Some(name) = &self.method {
            method = methods::by_name(name)?;
            curve = curve.method(method.clone());
        }
        if self.limits.any() {
            let mut stopping = method.stopping().clone();
            self.limits.set(&mut stopping);
            curve = curve.stopping(stopping);
        }
        Ok(curve.seed(self.seed))
    }

    fn run(&self, screen: &Screen) -> Result<Exit, Failure> {
        for path in [&self.out, &self.report, &self.plot].into_iter().flatten() {
            writable(path)?;
        }
        let curve = self.curve()?;
        let table = self.table.read(self.data)?;
        let read = Read::of(&table);
        let encoded = table.clone().into_dataset(&self.roles(&table)?)?;
        drop(table);
        let mut sentences = tables::sentences(&read, &encoded);
        sentences.extend(
            self.parameters.sigma.as_ref().map(|name| format!("Standard deviations: {name}.")),
        );
        screen.heading("Data");
        screen.sentences(&sentences);

        let interrupt = interrupt::on_signals()?;
        let fit = curve.interrupt(&interrupt).fit(&encoded.data)?;
        let exit = Exit::of(fit.report().reason);
        let mut written = Written::default();
        written.put("model", self.out.as_deref(), |path| self.kept(&fit, &encoded.data).save(path));
        screen.heading("Fit");
        screen.sentences(&[format!(
            "{} = {}",
            encoded.data.target_names().join(", "),
            fit.written().to_unicode()
        )]);
        screen.sentences(&ended(fit.report()));
        let level = self.level;
        let inference = if self.robust.is_some() {
            None
        } else {
            Some(fit.inference_with(|infer| infer.level(level))?)
        };
        screen.say("");
        screen.result(&match &inference {
            Some(table) => indented(&table.to_string()),
            None => values(&fit),
        });
        let told = self.advice(&fit, exit);
        written.put("report", self.report.as_deref(), |path| -> Result<(), Failure> {
            let page = fit
                .html()?
                .title(format!("{}: {}", read.file, encoded.data.target_names().join(", ")))
                .command(command_line())
                .read(sentences)
                .advice(told.iter().cloned());
            Ok(page.save(path)?)
        });
        written.put("picture", self.plot.as_deref(), |path| fit.plot(path));
        written.tell(screen);
        if !told.is_empty() {
            screen.heading("Next");
            screen.sentences(&told);
        }
        written.end()?;
        let object = self.json(&read, &encoded, &fit, inference.as_ref(), exit, &told)?;
        screen.json(object);
        Ok(exit)
    }

    /// The model with what intervals of predictions need, where nothing holds or weighs its parameters otherwise.
    fn kept(&self, fit: &CurveFit, data: &Dataset) -> Model {
        let FormulaArgs { bounds, fix, tie, sigma, .. } = self.parameters;
        let plain = bounds.is_empty() && fix.is_empty() && tie.is_empty() && sigma.is_none();
        kept(fit.model(), data, plain && self.robust.is_none())
    }

    fn json(
        &self,
        read: &Read,
        encoded: &Encoded,
        fit: &CurveFit,
        inference: Option<&Inference>,
        exit: Exit,
        told: &[String],
    ) -> Result<serde_json::Map<String, Value>, Failure> {
        let mut object = head(self.command, read, encoded);
        object.insert(
            "model".into(),
            json!({
                "kind": "formula",
                "name": self.formulas.join("; "),
                "parameters": fit.report().parameters,
            }),
        );
        run_json(&mut object, fit.report(), exit);
        object.insert("training".into(), score_json(&fit.model().score(&encoded.data)?));
        let origins = fit.parameters().iter().map(|one| {
            let (origin, start) = match &one.origin {
                Origin::Free { start, .. } => ("free", Some(*start)),
                Origin::Tied { .. } => ("tied", None),
                _ => ("fixed", None),
            };
            json!({"name": one.name, "value": number(one.value), "origin": origin, "start": start})
        });
        object.insert("parameters".into(), origins.collect());
        object.insert("coefficients".into(), inference.map_or(Value::Null, estimates_json));
        object.insert("measures".into(), inference.map_or(Value::Null, measures_json));
        object.insert(
            "files".into(),
            json!({"model": self.out, "report": self.report, "picture": self.plot}),
        );
        object.insert("advice".into(), told.into());
        Ok(object)
    }

    fn advice(&self, fit: &CurveFit, exit: Exit) -> Vec<String> {
        let mut told = Vec::new();
        let given = !self.parameters.start.is_empty();
        if exit == Exit::Failed || exit == Exit::Limit {
            told.push(if given {
                "Other starts may end lower; without `--start` they are looked for.".to_owned()
            } else {
                "`--start` with values that you expect, `--bounds` for those that cannot be."
                    .to_owned()
            });
        }
        if self.robust.is_some() {
            told.push(
                "Errors are of least squares: without the robust ρ they are computed.".to_owned(),
            );
        }
        let bound = |one: &&secant::CurveParameter| matches!(one.origin, Origin::Free { lower, upper, .. } if one.value == lower || one.value == upper);
        if let Some(one) = fit.parameters().iter().find(bound) {
            told.push(format!("`{}` is at the end of its range.", one.name));
        }
        told
    }
}

/// What the fit as a whole is worth.
fn measures_json(table: &Inference) -> Value {
    json!({
        "observations": table.observations,
        "degrees": table.degrees,
        "residual_sum_of_squares": number(table.residual_sum_of_squares),
        "residual_deviation": number(table.residual_deviation),
        "fit": serde_json::to_value(table.measures).unwrap_or_default(),
    })
}

/// The parameters alone.
fn values(fit: &CurveFit) -> String {
    let line = |one: &secant::CurveParameter| format!("  {:<12} {:>18.10e}", one.name, one.value);
    fit.parameters().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Where small fits stop.
fn stopping(asked: &Asked<'_>) -> Option<Stopping> {
    asked.limits.any().then(|| {
        let max_iterations = secant::optim::many::MAX_ITERATIONS;
        let mut stopping = Stopping { max_iterations, ..Stopping::default() };
        asked.limits.set(&mut stopping);
        stopping
    })
}
