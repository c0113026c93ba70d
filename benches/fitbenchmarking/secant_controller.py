"""Controller for FitBenchmarking: `secant.least_squares` and `secant.minimize` on its problems.

FitBenchmarking looks for controllers in its own folder and keeps a list of the software it knows. `register()` enters this one into a running
FitBenchmarking; to install it for good, copy this file to fitbenchmarking/controllers/ and add the names below to utils/options.py.
"""

import sys

import numpy as np
import secant
from fitbenchmarking.controllers.base_controller import Controller

LEAST_SQUARES = ["secant-auto", "levenberg-marquardt", "gauss-newton"]
GENERAL = ["bfgs", "self-scaled-broyden", "lbfgs", "sr1", "nonlinear-cg"]
# With the Hessian where the problem gives one, else by differences of the gradient.
SECOND_ORDER = ["newton", "newton-cg", "trust-region", "adaptive-cubic"]
UNBOUNDED = ["gauss-newton", *GENERAL[:2], *GENERAL[3:], "newton", "newton-cg", "adaptive-cubic"]


class SecantController(Controller):
    """The minimizers of `secant`."""

    controller_name = "secant"

    algorithm_check = {
        "all": LEAST_SQUARES + GENERAL + SECOND_ORDER,
        "ls": LEAST_SQUARES,
        "deriv_free": [],
        "general": GENERAL + SECOND_ORDER,
        "simplex": [],
        "trust_region": ["trust-region", "adaptive-cubic", "sr1"],
        "levenberg-marquardt": ["levenberg-marquardt", "secant-auto"],
        "gauss_newton": ["gauss-newton"],
        "bfgs": ["bfgs", "self-scaled-broyden", "lbfgs"],
        "conjugate_gradient": ["nonlinear-cg", "newton-cg"],
        "steepest_descent": [],
        "global_optimization": [],
        "MCMC": [],
    }

    jacobian_enabled_solvers = LEAST_SQUARES + GENERAL + SECOND_ORDER
    hessian_enabled_solvers = SECOND_ORDER
    support_for_bounds = True
    no_bounds_minimizers = UNBOUNDED

    def __init__(self, cost_func):
        super().__init__(cost_func)
        self.result = None
        self._bounds = None

    def setup(self):
        """What is not timed."""
        self._bounds = None
        if self.value_ranges is not None:
            low, high = zip(*self.value_ranges)
            self._bounds = (np.array(low, dtype=float), np.array(high, dtype=float))

    def fit(self):
        """What is timed."""
        given = not self.cost_func.jacobian.use_default_jac
        # A limit as that of the other controllers.
        options = {"max_iterations": 500}
        if self.minimizer in LEAST_SQUARES:
            self.result = secant.least_squares(
                self.cost_func.eval_r,
                self.initial_params,
                jac=self.cost_func.jac_res if given else "2-point",
                bounds=self._bounds if self._bounds is not None else (-np.inf, np.inf),
                method="auto" if self.minimizer == "secant-auto" else self.minimizer,
                options=options,
            )
            return
        self.result = secant.minimize(
            self.cost_func.eval_cost,
            self.initial_params,
            method=self.minimizer,
            jac=self.cost_func.jac_cost if given else None,
            hess=self.cost_func.hes_cost if self.cost_func.hessian and self.minimizer in SECOND_ORDER else None,
            bounds=self._bounds,
            options=options,
        )

    def cleanup(self):
        """What FitBenchmarking reads."""
        if self.result.success:
            self.flag = 0
        elif self.result.status == 1:
            self.flag = 1
        else:
            self.flag = 2
        self.final_params = np.asarray(self.result.x)
        self.iteration_count = int(self.result.nit)
        self.func_evals = int(self.result.nfev)


def register():
    """Makes the controller known to this process's FitBenchmarking, all its minimizers switched on."""
    import fitbenchmarking.controllers
    from fitbenchmarking.utils.options import Options

    name = "fitbenchmarking.controllers.secant_controller"
    sys.modules[name] = sys.modules[__name__]
    fitbenchmarking.controllers.secant_controller = sys.modules[__name__]
    minimizers = SecantController.algorithm_check["all"]
    Options.VALID_MINIMIZERS["secant"] = minimizers
    Options.DEFAULTS["MINIMIZERS"]["secant"] = minimizers
    if "secant" not in Options.VALID_FITTING["software"]:
        Options.VALID_FITTING["software"].append("secant")
