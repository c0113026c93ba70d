//! Every derivative is exact: nodes, losses, affine models, networks and graphs drawn at random, held against central
//! differences, against dense matrices and against formulas written down a second time.

mod affine;
mod images;
mod losses;
mod networks;
mod nodes;
mod penalties;
mod random_graphs;
mod support;
mod weights;
