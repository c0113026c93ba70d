//! Methods by name, with options by name: those of the engine's own types, read as their serialised form.

use crate::arrays::{Vector, optional};
use crate::errors;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use secant::core::text::{did_you_mean, quoted};
use secant::{Bounds, L1, Method};
use serde_json::{Map, Value};

/// What a method is for.
pub enum Within {
    Nothing,
    Bounds(Bounds),
    L1(L1),
}

/// Bounds, unless all are infinite.
pub fn bounds(lower: Option<Vector<'_>>, upper: Option<Vector<'_>>) -> PyResult<Option<Bounds>> {
    let (Some(lower), Some(upper)) = (optional(lower, "bounds")?, optional(upper, "bounds")?)
    else {
        return Ok(None);
    };
    let bounds = Bounds::new(lower, upper).map_err(|error| errors::of_optim(&error))?;
    Ok((!bounds.is_free()).then_some(bounds))
}

/// Weights of |θ|, unless there are none.
pub fn weights(l1: Option<Vector<'_>>) -> PyResult<Option<L1>> {
    let weights = optional(l1, "l1")?.filter(|weights| weights.iter().any(|w| *w != 0.0));
    Ok(weights.map(L1::per_parameter))
}

impl Within {
    /// What is asked of θ.
    pub fn of(
        lower: Option<Vector<'_>>,
        upper: Option<Vector<'_>>,
        l1: Option<Vector<'_>>,
    ) -> PyResult<Self> {
        match (bounds(lower, upper)?, weights(l1)?) {
            (None, None) => Ok(Self::Nothing),
            (Some(bounds), None) => Ok(Self::Bounds(bounds)),
            (None, Some(l1)) => Ok(Self::L1(l1)),
            (Some(_), Some(_)) => {
                Err(PyValueError::new_err("bounds and an L1 penalty at once: no method takes both"))
            }
        }
    }
}

/// Options that hold for every method: its `Stopping`.
const STOPPING: &str = "stopping";
/// Where a method keeps options beside its own: those of its rule, and the method that it is made of.
const PARTS: [&str; 3] = [STOPPING, "rule", "levenberg_marquardt"];
/// Fields that are no options: what the method was made for, and what a run keeps.
const HIDDEN: &[&str] = &[
    "bounds",
    "l1",
    "work",
    "caution",
    "line",
    "direction",
    "dropped",
    "skipped",
    "damped",
    "probe",
    "shifted",
    "last_shift",
    "raised",
    "refined",
    "turned",
    "inertia",
    "negative",
    "escapes",
    "shortened",
    "restarts",
    "run",
    "linear",
    "stopping",
    "rule",
    "levenberg_marquardt",
    "max_time",
];

/// The method of this name with these options, which are a JSON object.
pub fn method(name: &str, within: Within, options: &str) -> PyResult<Method> {
    let made = match within {
        Within::Nothing => Method::by_name(name),
        Within::Bounds(bounds) => Method::by_name_bounded(name, bounds),
        Within::L1(l1) => Method::by_name_l1(name, l1),
    };
    with_options(made.map_err(|error| errors::of_optim(&error))?, options)
}

fn with_options(method: Method, options: &str) -> PyResult<Method> {
    let wrong = |words: String| PyValueError::new_err(words);
    let options: Map<String, Value> =
        serde_json::from_str(options).map_err(|error| wrong(format!("options: {error}")))?;
    if options.is_empty() {
        return Ok(method);
    }
    let name = method.name();
    // Bounds may be infinite, which JSON does not write: what the method was made for stays aside.
    let (mut method, kept) = parted(method);
    for (key, value) in options {
        if key == "max_time" {
            let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            let seconds =
                seconds.ok_or_else(|| wrong(format!("max_time: expected seconds, got {value}")))?;
            method.stopping_mut().max_time = Some(std::time::Duration::from_secs_f64(seconds));
            continue;
        }
        let mut written = serde_json::to_value(&method).map_err(errors::wrong)?;
        let fields =
            fields_mut(&mut written).ok_or_else(|| wrong(format!("{name} has no options")))?;
        let Some(place) = place_mut(fields, &key) else {
            let known = names(fields);
            let nearest = did_you_mean(&key, known.iter().map(String::as_str));
            return Err(wrong(format!(
                "{name} has no option `{}`{nearest} (it has {})",
                quoted(&key),
                known.join(", ")
            )));
        };
        *place = value.clone();
        method = serde_json::from_value(written)
            .map_err(|error| wrong(format!("{name}: option `{key}` = {value}: {error}")))?;
    }
    Ok(joined(method, kept))
}

fn parted(mut method: Method) -> (Method, Within) {
    let kept = match &mut method {
        Method::LbfgsB(solver) => Within::Bounds(std::mem::take(&mut solver.bounds)),
        Method::Tron(solver) => Within::Bounds(std::mem::take(&mut solver.bounds)),
        Method::BoundedLevenbergMarquardt(solver) => {
            Within::Bounds(std::mem::take(&mut solver.bounds))
        }
        Method::OwlQn(solver) => Within::L1(std::mem::take(&mut solver.l1)),
        Method::ProximalNewton(solver) => Within::L1(std::mem::take(&mut solver.l1)),
        Method::Auto(auto) => match (auto.bounds.take(), auto.l1.take()) {
            (Some(bounds), _) => Within::Bounds(bounds),
            (None, Some(l1)) => Within::L1(l1),
            (None, None) => Within::Nothing,
        },
        _ => Within::Nothing,
    };
    (method, kept)
}

fn joined(mut method: Method, kept: Within) -> Method {
    match (&mut method, kept) {
        (Method::LbfgsB(solver), Within::Bounds(bounds)) => solver.bounds = bounds,
        (Method::Tron(solver), Within::Bounds(bounds)) => solver.bounds = bounds,
        (Method::BoundedLevenbergMarquardt(solver), Within::Bounds(bounds)) => {
            solver.bounds = bounds;
        }
        (Method::OwlQn(solver), Within::L1(l1)) => solver.l1 = l1,
        (Method::ProximalNewton(solver), Within::L1(l1)) => solver.l1 = l1,
        (Method::Auto(auto), Within::Bounds(bounds)) => auto.bounds = Some(bounds),
        (Method::Auto(auto), Within::L1(l1)) => auto.l1 = Some(l1),
        _ => {}
    }
    method
}

/// The fields of a method as it is serialised: `{"Lbfgs": {…}}`.
fn fields_mut(method: &mut Value) -> Option<&mut Map<String, Value>> {
    method.as_object_mut()?.values_mut().next()?.as_object_mut()
}

fn is_option(key: &str, value: &Value) -> bool {
    // What L-BFGS has learned, where other methods have a number of that name.
    !(HIDDEN.contains(&key) || key == "history" && value.is_object())
}

/// The option of this name: of the method, of its stopping, of its rule.
fn place_mut<'a>(fields: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Value> {
    if fields.get(key).is_some_and(|value| is_option(key, value)) {
        return fields.get_mut(key);
    }
    let part = PARTS.into_iter().find(|part| {
        let of = fields.get(*part).and_then(Value::as_object);
        of.and_then(|of| of.get(key)).is_some_and(|value| is_option(key, value))
    })?;
    fields.get_mut(part)?.as_object_mut()?.get_mut(key)
}

fn names(fields: &Map<String, Value>) -> Vec<String> {
    let parts = PARTS.into_iter().filter_map(|part| fields.get(part)?.as_object());
    let all = std::iter::once(fields).chain(parts);
    let mut names: Vec<String> = all
        .flat_map(|of| of.iter().filter(|(key, value)| is_option(key, value)))
        .map(|(key, _)| key.clone())
        .collect();
    names.push("max_time".to_owned());
    names
}

/// The names of the methods: those that take neither bounds nor an L1 penalty.
#[pyfunction]
pub fn method_names() -> Vec<&'static str> {
    Method::names().collect()
}

/// The options of a method and their defaults, as JSON.
#[pyfunction]
pub fn method_options(name: &str) -> PyResult<String> {
    let method = Method::by_name(name).map_err(|error| errors::of_optim(&error))?;
    let mut written = serde_json::to_value(&method).map_err(errors::wrong)?;
    let fields = fields_mut(&mut written).ok_or_else(|| PyValueError::new_err("no options"))?;
    let mut options = Map::new();
    for key in names(fields) {
        let value = place_mut(fields, &key).map_or(Value::Null, |value| value.clone());
        options.insert(key, value);
    }
    serde_json::to_string(&options).map_err(errors::wrong)
}
