//! Methods by name.

use crate::failure::Failure;
use secant::Method;
use secant::core::text::quoted;
use secant::optim::OptimError;

/// The method of this name.
pub fn by_name(name: &str) -> Result<Method, Failure> {
    Method::by_name(name).map_err(|error| match error {
        OptimError::UnknownMethod { name, nearest, known } => {
            let words = format!("no method `{}`{nearest}", quoted(&name));
            Failure::advised(words, format!("one of {known}"))
        }
        error => Failure::new(error.to_string()),
    })
}
