//! Methods by name.

use crate::failure::Failure;
use secant::core::text::quoted;
use secant::optim::OptimError;
use secant::{Bounds, L1, Method};

/// The method of this name.
pub fn by_name(name: &str) -> Result<Method, Failure> {
    Method::by_name(name).map_err(|error| refused(error, "method"))
}

/// That for λ·‖w‖₁; chosen for the problem without a name.
pub fn with_l1(name: Option<&str>, l1: L1) -> Result<Method, Failure> {
    let method = Method::by_name_l1(name.unwrap_or(CHOSEN), l1);
    method.map_err(|error| refused(error, "method with --l1"))
}

/// That for parameters within bounds; chosen for the problem without a name.
pub fn within(name: Option<&str>, bounds: Bounds) -> Result<Method, Failure> {
    let method = Method::by_name_bounded(name.unwrap_or(CHOSEN), bounds);
    method.map_err(|error| refused(error, "method with --bounds"))
}

/// The name of what chooses.
const CHOSEN: &str = "auto";

fn refused(error: OptimError, what: &str) -> Failure {
    match error {
        OptimError::UnknownMethod { name, nearest, known } => {
            let words = format!("no {what} `{}`{nearest}", quoted(&name));
            Failure::advised(words, format!("one of {known}"))
        }
        error => Failure::new(error.to_string()),
    }
}
