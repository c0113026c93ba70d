"""The Python package beside what people use, on twelve tasks in one run.

    venv/bin/pip install -r requirements-python.txt
    venv/bin/python python_table.py [DATA] [--tasks ridge,hvp] [--repeats 7] [--json FILE] [--all]

DATA (or SECANT_DATA): a folder with regression/, classification/ and images/; without it the tasks that need one say so. The others
read data/ of the checkout.

Every contestant runs at the loosest of its tolerances (1e-2, 1e-3, ...) that meets the task's accuracy, which is judged here: the script
evaluates the objective in NumPy at the solution and takes the gap to the least value that is known (certified, or the lowest that any
run reached). What never meets it, or runs for more than a minute, is shown with what it reached. The fastest of each side are then timed in
turn, secant first, `repeats` times; the ratio is the median of the rounds' ratios. JAX is compiled before it is timed, its compile time stands
beside.
"""

from tasks import curves, derivatives, functions, linear, networks
from tasks.harness import main

TASKS = {
    "ridge": linear.ridge,
    "logistic": linear.logistic,
    "softmax-digits": linear.softmax_digits,
    "softmax-fashion": linear.softmax_fashion,
    "poisson": linear.poisson,
    "curve-formula": curves.curve_formula,
    "curve-function": curves.curve_callable,
    "curves-5000": curves.fits_5000,
    "mlp": networks.mlp,
    "lm-network": networks.lm_network,
    "hvp": derivatives.hvp,
    "rosenbrock": functions.rosenbrock,
}


if __name__ == "__main__":
    main(TASKS, __doc__)
