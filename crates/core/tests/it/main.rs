//! The tests of the crate from outside, as one program: one module per subject.

mod blocks;
mod description;
mod dropout;
mod features;
mod hessians;
mod image_nodes;
mod jax;
mod likelihoods;
mod nodes;
mod parts;
mod pytorch_convolutions;
mod readers;
mod real;
mod shared;
mod single;
mod sparse;
