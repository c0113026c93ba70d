//! What options take and what may be done with them.

use secant_optim::{L1, Method};

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
