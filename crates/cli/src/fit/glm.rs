//! Generalised linear models.

use crate::args::FitArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::models::{self, Strength};
use crate::screen::Screen;
use crate::tables::{self, Read};
use crate::told::{Written, command_line, ended, head, indented, number, run_json};
use secant::data::Table;
use secant::{Family, GlmFit, Stopping};
use serde_json::{Map, Value, json};

/// Of intervals.
const LEVEL: f64 = 0.95;

pub fn run(
    args: &FitArgs,
    family: Family,
    estimates: bool,
    screen: &Screen,
) -> Result<Exit, Failure> {
    refuse(args)?;
    let mut glm = models::glm_of(family, estimates, args.link.as_deref())?;
    match models::ridge(args.model.ridge.as_deref())? {
        Strength::Nothing => {}
        Strength::Given(lambda) => glm = glm.ridge(lambda),
        Strength::Auto => {
            return Err(Failure::advised(
                "--ridge auto is of networks and linear models",
                "`--model linear --loss poisson` has the same scores",
            ));
        }
    }
    let run = &args.run;
    if run.limits.any() {
        let mut stopping =
            Stopping { gradient_tolerance: 1e-12, max_iterations: 200, ..Stopping::default() };
        run.limits.set(&mut stopping);
        glm = glm.stopping(stopping);
    }
    let table = args.table.read(&args.data)?;
    let read = Read::of(&table);
    let exposure = args.exposure.as_deref().map(|name| exposure(&table, name)).transpose()?;
    let mut roles = args.columns.roles(&args.table);
    roles.ignored.extend(args.exposure.clone());
    let encoded = table.into_dataset(&roles)?;
    if let Some(all) = &exposure {
        let own: Vec<f64> = encoded.rows.iter().map(|row| all[*row]).collect();
        glm = glm.exposure(&own);
    }
    let mut sentences = tables::sentences(&read, &encoded);
    sentences.extend(args.exposure.as_ref().map(|name| format!("Exposure: {name}.")));
    screen.heading("Data");
    screen.sentences(&sentences);

    glm = glm.interrupt(&interrupt::on_signals()?);
    if screen.shows_progress() {
        glm = glm.progress();
    }
    let fit = glm.fit(&encoded.data)?;
    let exit = Exit::of(fit.report.reason);
    let mut written = Written::default();
    written.put("model", args.out.as_deref(), |path| fit.save(path));
    screen.heading("Fit");
    screen.sentences(&ended(&fit.report));
    screen.say("");
    screen.say(&indented(&fit.to_string()));
    let told = advice(args, &fit);
    written.put("report", args.report.as_deref(), |path| -> Result<(), Failure> {
        let page = fit
            .html(&encoded.data)?
            .title(format!("{}: {}", read.file, encoded.data.target_names().join(", ")))
            .command(command_line())
            .read(sentences)
            .advice(told.iter().cloned());
        Ok(page.save(path)?)
    });
    written.tell(screen);
    if !told.is_empty() {
        screen.heading("Next");
        screen.sentences(&told);
    }
    written.end()?;
    let mut object = head("fit", &read, &encoded);
    object.insert(
        "model".into(),
        json!({
            "kind": "glm",
            "name": fit.family.name(),
            "link": fit.link.name(),
            "parameters": fit.coefficients.len(),
        }),
    );
    run_json(&mut object, &fit.report, exit);
    object.insert("coefficients".into(), coefficients(&fit));
    measures(&mut object, &fit);
    object.insert("files".into(), json!({"model": args.out, "report": args.report}));
    object.insert("advice".into(), told.into());
    screen.json(object);
    Ok(exit)
}

/// What only other models have.
fn refuse(args: &FitArgs) -> Result<(), Failure> {
    let (formula, run) = (&args.formula, &args.run);
    let given = [
        ("--loss", args.model.loss.is_some()),
        ("--l1", args.model.l1.is_some()),
        ("--method", run.method.is_some()),
        ("--starts", run.starts > 1),
        ("--patience", run.patience.is_some()),
        ("--start", !formula.start.is_empty()),
        ("--bounds", !formula.bounds.is_empty()),
        ("--fix", !formula.fix.is_empty()),
        ("--tie", !formula.tie.is_empty()),
        ("--sigma", formula.sigma.is_some()),
        ("--checkpoint", args.checkpoint.is_some()),
        ("--resume", args.resume.is_some()),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!(
            "{option}: a generalised linear model is fitted by Newton's method, which does not take it"
        )));
    }
    match args.run.valid.as_deref() {
        None | Some("0") => Ok(()),
        Some(_) => Err(Failure::advised(
            "--valid: errors and deviance of a generalised linear model are of all rows",
            "`--model linear --loss poisson` holds rows out",
        )),
    }
}

/// The exposure of every row, NaN where it is missing.
fn exposure(table: &Table, name: &str) -> Result<Vec<f64>, Failure> {
    let Some(column) = table.names().iter().position(|known| known == name) else {
        let known = table.names().iter().map(String::as_str);
        let nearest = secant::core::text::did_you_mean(name, known);
        let name = secant::core::text::quoted(name);
        return Err(Failure::new(format!("no column \"{name}\" for the exposure{nearest}")));
    };
    Ok(table.column(column).collect())
}

fn coefficients(fit: &GlmFit) -> Value {
    let rows = fit.coefficients.iter().map(|one| {
        let [low, high] = one.confidence_interval(LEVEL).unwrap_or([f64::NAN; 2]);
        json!({
            "name": one.name,
            "class": one.class,
            "value": number(one.estimate),
            "standard_error": number(one.standard_error),
            "status": format!("{:?}", one.status),
            "z": number(one.z()),
            "p": number(one.p_value()),
            "low": number(low),
            "high": number(high),
        })
    });
    rows.collect()
}

fn measures(object: &mut Map<String, Value>, fit: &GlmFit) {
    let all = [
        ("deviance", fit.deviance),
        ("null_deviance", fit.null_deviance),
        ("pearson", fit.pearson),
        ("log_likelihood", fit.log_likelihood),
        ("dispersion", fit.dispersion),
        ("residual_degrees", fit.residual_degrees),
        ("aic", fit.aic()),
        ("bic", fit.bic()),
    ];
    let measures: Map<String, Value> =
        all.into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
    object.insert("measures".into(), measures.into());
    object.insert("alpha".into(), fit.alpha.map_or(Value::Null, |alpha| {
        json!({"value": number(alpha.estimate), "standard_error": number(alpha.standard_error)})
    }));
    object.insert("power".into(), fit.power.map_or(Value::Null, |power| {
        json!({"value": number(power.estimate), "standard_error": number(power.standard_error)})
    }));
    object.insert("notes".into(), fit.notes.clone().into());
}

/// What to do next.
fn advice(args: &FitArgs, fit: &GlmFit) -> Vec<String> {
    let mut told = Vec::new();
    let spread = fit.pearson / fit.residual_degrees;
    if fit.family == Family::Poisson && fit.alpha.is_none() && spread > 1.5 {
        told.push(format!(
            "The counts vary {spread:.1} times more than a Poisson's: errors are too small; `--model glm:negative-binomial`."
        ));
    }
    match &args.out {
        Some(path) => {
            let path = crate::failure::quoted(&path.display().to_string());
            told.push(format!("`secant predict {path} NEW.csv` applies the model."));
        }
        None => told.push("`--out model.safetensors` keeps the model.".to_owned()),
    }
    told
}
