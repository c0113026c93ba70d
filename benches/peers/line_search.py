"""Trials of SciPy's `DCSRCH`, a port of MINPACK-2's, on the functions of Moré & Thuente (1994): the fixture of a test.

Functions 1 to 6 from α = 0 with the paper's tolerances and first trials, and 4 to 6 backwards from α = 1, where the first stage of
the search works on ψ; then a parabola with its minimum at 0.7, short of the least growth of a trial at 0.5. The longest
step is 1e10 times the first, as it is in `StrongWolfe` by default.

    pip install -r requirements.txt
    python line_search.py > ../../crates/optim/tests/fixtures/line_search.json
"""

import json
from math import cos, pi, sin, sqrt

from scipy.optimize._dcsrch import DCSRCH

GROWTH = 1e10
XTOL = 1e-15
STARTS = [1e-3, 1e-1, 1e1, 1e3]


def first(a):
    return -a / (a * a + 2), (a * a - 2) / (a * a + 2) ** 2


def second(a):
    b = a + 0.004
    return b**5 - 2 * b**4, 5 * b**4 - 8 * b**3


def third(a):
    beta, waves = 0.01, 39
    if a <= 1 - beta:
        value, slope = 1 - a, -1
    elif a >= 1 + beta:
        value, slope = a - 1, 1
    else:
        value, slope = (a - 1) ** 2 / (2 * beta) + beta / 2, (a - 1) / beta
    wave = waves * pi / 2
    height = 2 * (1 - beta) / (waves * pi)
    return value + height * sin(wave * a), slope + height * wave * cos(wave * a)


def yanai(beta1, beta2):
    gamma1, gamma2 = (sqrt(1 + beta**2) - beta for beta in (beta1, beta2))

    def phi(a):
        left, right = sqrt((1 - a) ** 2 + beta2**2), sqrt(a * a + beta1**2)
        return gamma1 * left + gamma2 * right, -gamma1 * (1 - a) / left + gamma2 * a / right

    return phi


def parabola(a):
    return (a - 0.7) ** 2, 2 * (a - 0.7)


def backwards(phi):
    def reversed_phi(a):
        value, slope = phi(1 - a)
        return value, -slope

    return reversed_phi


def search(phi, decrease, curvature, start):
    trials = []

    def value(a):
        trials.append([float(a), *phi(a)])
        return trials[-1][1]

    dcsrch = DCSRCH(value, lambda a: phi(a)[1], decrease, curvature, XTOL, 0.0, GROWTH * start)
    value0, slope0 = phi(0.0)
    *_, task = dcsrch(start, phi0=value0, derphi0=slope0)
    assert task == b"CONVERGENCE", task
    return trials


def main():
    fourth, fifth, sixth = yanai(0.001, 0.001), yanai(0.01, 0.001), yanai(0.001, 0.01)
    cases = [
        (1, False, first, 0.001, 0.1),
        (2, False, second, 0.1, 0.1),
        (3, False, third, 0.1, 0.1),
        (4, False, fourth, 0.001, 0.001),
        (5, False, fifth, 0.001, 0.001),
        (6, False, sixth, 0.001, 0.001),
        (4, True, backwards(fourth), 0.1, 0.9),
        (5, True, backwards(fifth), 0.1, 0.9),
        (6, True, backwards(sixth), 0.1, 0.9),
        (7, False, parabola, 0.001, 0.1),
    ]
    rows = [
        {
            "function": number,
            "backwards": back,
            "decrease": decrease,
            "curvature": curvature,
            "start": start,
            "trials": search(phi, decrease, curvature, start),
        }
        for number, back, phi, decrease, curvature in cases
        for start in STARTS
    ]
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")


main()
