"""Solver for benchmark_ridge: ½‖y - Xw‖² + λ/2 ‖w‖², the bias free."""

import numpy as np
import secant
from benchopt import BaseSolver
from scipy import sparse


class Solver(BaseSolver):
    name = "secant"

    # `secant` is on no registry: its wheel is to be installed first (python/README.md).
    requirements = ["pip::numpy", "pip::scipy"]
    references = ["secant: full-batch fitting with exact curvature"]

    # auto is one Newton step, which is the solution, where n is not too large.
    parameters = {"method": ["auto", "newton-cg", "lbfgs"]}
    sampling_strategy = "tolerance"

    def skip(self, X, y, lmbd, fit_intercept=False):
        if sparse.issparse(X):
            return True, "secant takes dense data only"
        return False, None

    def set_objective(self, X, y, lmbd, fit_intercept=False):
        self.X, self.y = X, y
        # The engine's loss is a mean.
        self.ridge = lmbd / X.shape[0]
        self.net = secant.Network.linear(X.shape[1], 1, bias=bool(fit_intercept))
        self.beta = np.zeros(self.net.dim)

    def warm_up(self):
        # The threads start with the first fit.
        self.run_once(0.1)

    def get_next(self, tolerance):
        # A decade a point: with benchopt's own steps a method may give the same point for several of them, which reads as its end.
        return max(min(tolerance, 1.0) / 10.0, 1e-15)

    def run(self, tolerance):
        self.beta = np.zeros(self.net.dim)
        if tolerance >= 1.0:
            return
        risk = secant.Risk(self.net, self.X, self.y, penalty=self.ridge)
        options = {"gradient_tolerance": tolerance}
        self.beta = risk.minimize(self.beta, method=self.method, options=options).x

    def get_result(self):
        return dict(beta=self.beta)
