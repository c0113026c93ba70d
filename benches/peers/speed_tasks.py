"""Tasks of `run.py` beside the twelve of `python_table.py`: gradients, products and Hessians of four networks, long tables, sparse tables,
sparse weights.

What counts is judged in NumPy here too: derivatives against those by hand (products by a complex step, which has no error of a
difference), fits by the gradient or the value at the solution.
"""

from python_table import TASKS
from tasks import data, derivatives, linear, networks, sparse_weights
from tasks.harness import main

SPEED = {
    **{f"gradient {name}": (lambda folder, name=name: derivatives.gradient_task(name)) for name in derivatives.NETS},
    **{f"product {name}": (lambda folder, name=name: derivatives.product_task(name)) for name in derivatives.NETS},
    "hessian 1-20-20-1": lambda folder: derivatives.hessian_task("1-20-20-1"),
    "long-regression": linear.long_regression,
    "sparse-a9a": lambda folder: linear.sparse_logistic("logistic, a9a on CSR", *data.libsvm(folder, "a9a.libsvm.gz"), True),
    "sparse-w8a": lambda folder: linear.sparse_logistic("logistic, w8a on CSR", *data.libsvm(folder, "w8a.libsvm.gz"), True),
    "sparse-generated": lambda folder: linear.sparse_logistic("logistic, 200,000 × 50,000 of 50 entries a row", *data.generated(), False),
    "lasso": sparse_weights.lasso,
    "lasso-path": sparse_weights.path,
    "logistic-l1": sparse_weights.logistic,
    "airfoil": networks.airfoil,
}


if __name__ == "__main__":
    main({**TASKS, **SPEED}, "The tasks of python_table.py and of this file; `run.py` makes an environment for them.")
