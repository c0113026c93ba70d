//! The tests of the facade from outside, as one program: one module per promise.

mod auto;
mod checkpoints;
mod compare;
mod convergence;
mod derivatives;
mod determinism;
mod documents;
mod fit;
mod glm;
mod glm_links;
mod kernel_ridge;
mod l1;
mod learning_rates;
mod least_squares;
mod linear;
mod losses;
mod minibatches;
mod model_files;
mod predictions;
mod robust;
mod robustness;
mod saddles;
mod validation;
mod variable_projection;
mod watching;
mod weights;
