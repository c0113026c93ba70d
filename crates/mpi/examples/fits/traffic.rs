//! What an evaluation sends, counted, beside what the formulas of docs/distributed.md say.

use crate::data::{curve_data, own_rows};
use crate::{Failure, curve, shared_curve};
use secant_core::problem::{Curvature, Linearization, Objective};
use secant_core::risk::Partials;
use secant_mpi::{Ranks, Shared};

/// Numbers before those that are sent.
const HEAD: usize = 5;
/// Bytes of a number.
const NUMBER: u64 = 8;

/// Prints a line for each evaluation; where the count is not that of the formula it ends in a fault.
pub fn count() -> Result<(), Failure> {
    let ranks = Ranks::initialize()?;
    ranks.guard(|ranks| {
        let network = curve();
        let shared = Shared::new(ranks, network.graph()?, own_rows(ranks, curve_data)?)?;
        let risk = shared_curve(ranks, network.graph()?, &shared)?;
        let (theta, n) = (network.draw(7)?, risk.dim());
        let mut out = vec![0.0; n];
        let layout = shared.layout();
        let parts = layout.split(ranks.size());
        let numbers = |width: usize, losses: bool| {
            let of = |blocks| {
                let of_shards = if losses { 2 * layout.shards_of(blocks) } else { 0 };
                HEAD + Partials::nodes_len(blocks, layout.blocks(), width) + of_shards
            };
            parts.iter().map(of).sum::<usize>() as u64
        };
        let told = |name: &str, expected: u64, work: &mut dyn FnMut()| {
            let before = ranks.traffic();
            work();
            let after = ranks.traffic();
            let collectives = after.collectives - before.collectives;
            let found = after.received_bytes - before.received_bytes;
            if (collectives, found) != (1, NUMBER * expected) {
                let words = format!(
                    "{name}: {collectives} collectives and {found} bytes, expected 1 and {}",
                    NUMBER * expected
                );
                return Err(words);
            }
            if ranks.is_first() {
                println!("{} rank(s), {name}: {found} bytes to every rank", ranks.size());
            }
            Ok(())
        };
        told("value", numbers(0, true), &mut || {
            risk.value(&theta);
        })?;
        told("value and gradient", numbers(n, true), &mut || {
            risk.value_gradient(&theta, &mut out);
        })?;
        let mut at = None;
        told("linearisation", numbers(n, true), &mut || at = Some(risk.linearize(&theta)))?;
        let at = at.ok_or("no linearisation")?;
        told("product with the Hessian", numbers(n, false), &mut || {
            at.hessian_vector(&theta, &mut out);
        })?;
        risk.verdict()?;
        Ok(())
    });
    Ok(())
}
