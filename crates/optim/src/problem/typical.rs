//! Typical sizes of parameters: the one rule of what is allowed.

/// What is wrong with `typical` for n parameters; empty is none given.
pub(super) fn fault(typical: &[f64], n: usize) -> Option<String> {
    if typical.is_empty() {
        return None;
    }
    if typical.len() != n {
        return Some(format!("{} typical sizes for {n} parameters", typical.len()));
    }
    let wrong = typical.iter().position(|size| !(*size > 0.0 && size.is_finite()))?;
    Some(format!("typical size {wrong} is {}, allowed is (0, ∞)", typical[wrong]))
}
