"""The trials of MINPACK-2's line search (SciPy's DCSRCH) on the six functions of Moré & Thuente (1994) from their four starts: the fixture
`crates/optim/tests/fixtures/line_search.json`.

    python line_search.py > ../../crates/optim/tests/fixtures/line_search.json
"""

import json
import math

from scipy.optimize._dcsrch import DCSRCH


def one(a, beta=2.0):
    return -a / (a * a + beta), (a * a - beta) / (a * a + beta) ** 2


def two(a, beta=0.004):
    b = a + beta
    return b**5 - 2 * b**4, 5 * b**4 - 8 * b**3


def three(a, beta=0.01, waves=39):
    if a <= 1 - beta:
        value, slope = 1 - a, -1.0
    elif a >= 1 + beta:
        value, slope = a - 1, 1.0
    else:
        value, slope = (a - 1) ** 2 / (2 * beta) + beta / 2, (a - 1) / beta
    wave = waves * math.pi / 2
    return (
        value + 2 * (1 - beta) / (waves * math.pi) * math.sin(wave * a),
        slope + (1 - beta) * math.cos(wave * a),
    )


def yanai(first, second):
    def gamma(beta):
        return math.sqrt(1 + beta * beta) - beta

    def function(a):
        left, right = math.hypot(1 - a, second), math.hypot(a, first)
        value = gamma(first) * left + gamma(second) * right
        return value, gamma(first) * (a - 1) / left + gamma(second) * a / right

    return function


CASES = [
    (1, one, 1e-3, 0.1),
    (2, two, 0.1, 0.1),
    (3, three, 0.1, 0.1),
    (4, yanai(0.001, 0.001), 1e-3, 1e-3),
    (5, yanai(0.01, 0.001), 1e-3, 1e-3),
    (6, yanai(0.001, 0.01), 1e-3, 1e-3),
]

runs = []
for number, function, decrease, curvature in CASES:
    for start in (1e-3, 1e-1, 1e1, 1e3):
        trials = []

        def value(a):
            trials.append(a)
            return function(a)[0]

        search = DCSRCH(value, lambda a: function(a)[1], decrease, curvature, 1e-14, 0.0, 1e8)
        phi, slope = function(0.0)
        step, _, _, task = search(start, phi0=phi, derphi0=slope, maxiter=100)
        assert task.startswith(b"CONVERGENCE"), (number, start, task)
        runs.append(
            {
                "function": number,
                "decrease": decrease,
                "curvature": curvature,
                "start": start,
                "trials": trials,
                "step": step,
                "slope": function(step)[1],
            }
        )
print(json.dumps(runs, indent=1))
