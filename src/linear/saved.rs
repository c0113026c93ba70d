//! A linear solution in its file.

use crate::model_file::{Contents, ModelFileError, ModelFileFault, ModelKind, Stored, Tensor};
use secant_optim::LinearSolution;
use serde::{Deserialize, Serialize};

const COEFFICIENTS: &str = "coefficients";
const RESIDUALS: &str = "residuals";
const ERRORS: &str = "standard_errors";
const SUM: &str = "residual_sum_of_squares";
const CONDITION: &str = "condition";
const CORRECTION: &str = "last_correction";

/// All of a solution but its arrays.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    coefficients: usize,
    residuals: usize,
    /// With empty arrays.
    solution: LinearSolution,
}

impl Stored for LinearSolution {
    const KIND: ModelKind = ModelKind::Linear;
    type Content = Content;

    fn store(&self) -> Result<(Content, Vec<Tensor<'_>>), ModelFileError> {
        let mut tensors = vec![
            Tensor::list(COEFFICIENTS, &self.coefficients),
            Tensor::list(RESIDUALS, &self.residuals),
            Tensor::number(SUM, self.residual_sum_of_squares),
            Tensor::number(CONDITION, self.condition),
            Tensor::number(CORRECTION, self.last_correction),
        ];
        tensors.extend(self.standard_errors.as_ref().map(|errors| Tensor::list(ERRORS, errors)));
        let (coefficients, residuals) = (self.coefficients.len(), self.residuals.len());
        let mut solution = self.clone();
        (solution.coefficients, solution.residuals) = (Vec::new(), Vec::new());
        solution.standard_errors = None;
        Ok((Content { coefficients, residuals, solution }, tensors))
    }

    fn restore(content: Content, arrays: &mut Contents<'_>) -> Result<Self, ModelFileFault> {
        let Content { coefficients, residuals, mut solution } = content;
        let errors = arrays.has(ERRORS).then_some(ERRORS);
        let all = [COEFFICIENTS, RESIDUALS, SUM, CONDITION, CORRECTION];
        arrays.require_no_other(all.into_iter().chain(errors))?;
        solution.coefficients = arrays.list(COEFFICIENTS, coefficients)?;
        solution.residuals = arrays.list(RESIDUALS, residuals)?;
        solution.standard_errors =
            errors.map(|errors| arrays.list(errors, coefficients)).transpose()?;
        solution.residual_sum_of_squares = arrays.number(SUM)?;
        solution.condition = arrays.number(CONDITION)?;
        solution.last_correction = arrays.number(CORRECTION)?;
        Ok(solution)
    }
}
