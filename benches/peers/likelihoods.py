"""Values of 50 digits by mpmath: the fixtures of the special functions and of the losses of generalised linear models.

python likelihoods.py

Writes `crates/core/tests/fixtures/special.json` (arguments and value of each function) and `likelihoods.json` (loss, link, z, y, value,
first and second derivative in z). Made with mpmath 1.4.1.
"""

import json
import pathlib

from mpmath import mp, mpf

mp.dps = 60
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "crates/core/tests/fixtures"


def exact(x):
    return mpf(float(x))


def special():
    points = [1e-8, 1e-3, 0.1, 0.25, 0.5, 1.0, 1.2, 1.4616, 1.4617, 1.7, 2.0, 2.5, 3.0, 4.5, 6.0, 7.75, 9.0, 9.999, 10.0, 10.001, 12.0, 17.3, 30.0, 100.0, 1234.5, 1e6, 1e9, 1e15]
    tails = [-300.0, -45.0, -38.0, -20.0, -10.0, -5.0, -3.0, -2.0, -1.0, -0.5, -1e-3, 0.0, 1e-3, 0.3, 0.7, 1.0, 1.3, 1.7, 1.999, 2.0, 2.001, 2.2, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 37.0, 39.0, 100.0, 1e4, 1e8]

    def q(t):
        return mp.erfc(exact(t) / mp.sqrt(2)) / 2

    def hazard(t):
        return mp.npdf(exact(t)) / q(t)

    def excess(t):
        with mp.workdps(120):
            return mp.npdf(exact(t)) / (mp.erfc(exact(t) / mp.sqrt(2)) / 2) - exact(t)

    def log_tail(t):
        return mp.log1p(-mp.erfc(-exact(t) / mp.sqrt(2)) / 2) if t < 0 else mp.log(q(t))

    near = [t for t in tails if abs(t) < 38 and t > -38]
    return {
        "digamma": [[x, float(mp.digamma(exact(x)))] for x in points],
        "digamma_less_log": [[x, float(mp.digamma(exact(x)) - mp.log(exact(x)))] for x in points],
        "trigamma": [[x, float(mp.polygamma(1, exact(x)))] for x in points],
        "trigamma_less_inverse": [[x, float(mp.polygamma(1, exact(x)) - 1 / exact(x))] for x in points],
        "log_gamma_ratio": [
            [r, y, float(mp.loggamma(exact(r) + exact(y)) - mp.loggamma(exact(r)) - exact(y) * mp.log(exact(r)))]
            for r in [1e-4, 0.3, 1.0, 5.5, 9.99, 10.0, 25.0, 1e3, 1e7, 1e12]
            for y in [0.0, 0.5, 1.0, 3.0, 20.0, 1000.0]
        ],
        "less_log1p": [[t, float(exact(t) - mp.log1p(exact(t)))] for t in [-0.99, -0.5, -0.1, -0.051, -0.049, -0.02, -1e-3, -1e-5, -1e-8, -1e-12, 1e-12, 1e-8, 1e-5, 1e-3, 0.01, 0.03, 0.049, 0.051, 0.1, 0.5, 1.0, 10.0, 1e5]],
        "normal_log_tail": [[t, float(log_tail(t))] for t in near],
        "normal_hazard": [[t, float(hazard(t))] for t in tails if t > -38.0],
        "normal_excess": [[t, float(excess(t))] for t in tails],
        "normal_cdf": [[t, float(mp.ncdf(exact(t)))] for t in near],
    }


def link(name):
    return {
        "identity": lambda z: z,
        "log": mp.exp,
        "inverse": lambda z: 1 / z,
        "inverse_square": lambda z: 1 / mp.sqrt(z),
        "sqrt": lambda z: z * z,
    }[name]


def distribution(name, parameter):
    a = exact(parameter) if parameter is not None else None
    return {
        "gaussian": lambda y, m: (y - m) ** 2 / 2,
        "poisson": lambda y, m: m - y * mp.log(m),
        "gamma": lambda y, m: y / m + mp.log(m),
        "inverse_gaussian": lambda y, m: y / (2 * m**2) - 1 / m,
        "negative_binomial": lambda y, m: (y + 1 / a) * mp.log1p(a * m) - y * mp.log(m),
        "tweedie": lambda y, m: m ** (2 - a) / (2 - a) + y * m ** (1 - a) / (a - 1),
    }[name]


def losses():
    cases = []

    def case(loss, name, parameter, z, y, f):
        z0 = exact(z)
        with mp.workdps(max(100, mp.dps)):
            # Differences of a function of 100 digits: 35 digits are left.
            h = (abs(z0) + mpf(1) / 4) * mpf(10) ** -25
            low, mid, high = f(z0 - h), f(z0), f(z0 + h)
            first, second = (high - low) / (2 * h), (high - 2 * mid + low) / h**2
        cases.append([loss, name, parameter, z, y, float(mid), float(first), float(second)])

    # Two classes, far into both tails.
    def probit(y):
        return lambda z: -mp.log(mp.ncdf(z) if y == 1 else mp.ncdf(-z))

    def cloglog(y):
        return lambda z: -mp.log(-mp.expm1(-mp.exp(z))) if y == 1 else mp.exp(z)

    for z in [-300.0, -60.0, -38.0, -12.0, -5.0, -2.0, -0.7, 0.0, 0.4, 2.0, 5.0, 12.0, 38.0, 60.0, 300.0]:
        for y in [0.0, 1.0]:
            # Where the loss is below the least number nothing is left to compare.
            if abs(z) < 38 or (y == 1) == (z < 0):
                with mp.workdps(700):
                    case("binomial", "probit", None, z, y, probit(y))
    for z in [-600.0, -60.0, -12.0, -5.0, -2.0, -0.7, -0.69, 0.0, 0.4, 1.0, 2.0, 3.5, 6.0]:
        for y in [0.0, 1.0]:
            with mp.workdps(700):
                case("binomial", "complementary_log_log", None, z, y, cloglog(y))
    for z in [-1.5, 0.3]:
        case("binomial", "probit", None, z, 0.25, lambda z: probit(1)(z) / 4 + 3 * probit(0)(z) / 4)
        case("binomial", "complementary_log_log", None, z, 0.25, lambda z: cloglog(1)(z) / 4 + 3 * cloglog(0)(z) / 4)

    # Scores that are probabilities, or their logarithms.
    for y in [0.0, 0.25, 1.0]:
        for z in [-700.0, -40.0, -3.0, -0.7, -0.69, -0.1, -1e-8]:
            with mp.workdps(700):
                case("binomial", "log", None, z, y, lambda z: -y * z - (1 - y) * mp.log(-mp.expm1(z)))
        for z in [1e-12, 0.01, 0.5, 0.9, 0.999999]:
            with mp.workdps(120):
                f = lambda z: -(y * mp.log(z) + (1 - y) * mp.log1p(-z))
                scaled = exact(z) * (1 - exact(z))
                h = scaled * mpf(10) ** -25
                low, mid, high = f(exact(z) - h), f(exact(z)), f(exact(z) + h)
                cases.append(["binomial", "identity", None, z, y, float(mid), float((high - low) / (2 * h)), float((high - 2 * mid + low) / h**2)])

    positive = {
        "identity": [0.01, 0.7, 3.0, 250.0],
        "log": [-30.0, -1.0, 0.3, 5.0],
        "inverse": [0.003, 0.5, 2.0, 90.0],
        "inverse_square": [1e-5, 0.5, 2.0, 700.0],
        "sqrt": [0.02, 0.9, 2.0, 40.0],
    }
    families = [
        ("gaussian", None, ["identity", "log", "inverse"], [-1.5, 0.0, 4.0]),
        ("poisson", None, ["log", "identity", "sqrt"], [0.0, 1.0, 7.0]),
        ("gamma", None, ["log", "identity", "inverse"], [0.02, 1.0, 30.0]),
        ("inverse_gaussian", None, ["log", "identity", "inverse", "inverse_square"], [0.02, 1.0, 30.0]),
        ("negative_binomial", 0.4, ["log", "identity", "sqrt"], [0.0, 1.0, 7.0]),
        ("tweedie", 1.3, ["log", "identity", "sqrt"], [0.0, 1.5, 7.0]),
    ]
    for name, parameter, links, targets in families:
        for chosen in links:
            for z in positive[chosen]:
                for y in targets:
                    q, mean = distribution(name, parameter), link(chosen)
                    case(name, chosen, parameter, z, y, lambda z: q(exact(y), mean(z)))
    return cases


def write(name, value):
    (FIXTURES / name).write_text(json.dumps(value) + "\n")


write("special.json", special())
write("likelihoods.json", losses())
