"""`curve_fit` by a function of NumPy that is traced into a formula: against the function itself, SciPy, certified values, and the fit by
differences, which `jac="2-point"` asks for."""

from __future__ import annotations

import functools
import math
import warnings

import numpy as np
import pytest
import scipy.optimize as scipy_optimize
from scipy import special

import secant
from secant import _curves, _symbols, _trace
from test_curves import FORMULAS, digits, nist

T = np.linspace(0.2, 4, 50)
RNG = np.random.default_rng(5)
NOISE = 0.02 * RNG.standard_normal(T.size)


class Counted:
    """A function that keeps what it was called with: numbers, or stand-ins for them."""

    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f, self.real, self.stand_ins = f, [], 0

    def __call__(self, x, *p):
        if isinstance(p[0], float):
            self.real.append(np.array(p))
        else:
            self.stand_ins += 1
        return self.f(x, *p)

    @property
    def is_traced(self):
        # At the start, beside it, at the end.
        return len(self.real) == 3


def by_differences(f, x, y, p0=None, **more):
    return secant.curve_fit(f, x, y, p0, jac="2-point", **more)


def same(ours, theirs, rtol=1e-7, covariance=1e-5):
    np.testing.assert_allclose(ours[0], theirs[0], rtol=rtol, atol=rtol * 1e-2)
    size = np.sqrt(np.outer(np.diag(theirs[1]), np.diag(theirs[1])))
    assert np.abs(ours[1] - theirs[1]).max() <= covariance * size.max()
    np.testing.assert_allclose(ours[1] / size, theirs[1] / size, atol=covariance)


# --- what a formula can say ---------------------------------------------------------------------------------------------

#: Of x > 0 and parameters near 1.
CURVES = {
    "sums": lambda x, a, b: 2 - a * x + (b + x) - (1 - x) + (+a) - (-b) * 3,
    "reflected": lambda x, a, b: 3 / (b + x) + 2 * a - 1.5 / x + 2**a + 1.7 ** (b * x),
    "numbers of NumPy": lambda x, a, b: np.float64(2) * a + np.int32(3) / (x + np.array(1.5)) - np.float32(0.1) * b,
    "signs": lambda x, a, b: -a * x - -b * x + (-x) * (-2.5) - (-(a + b)) * (-1e-3) + a * -x,
    "quotients": lambda x, a, b: a / (b / x) / (x / 2) - a / b * x - (a - (b - x)),
    "powers": lambda x, a, b: a * x**2 + b * x**-3 + x**a + (-x) ** 3 + a**2.5 + x ** (1 / 3) + 2.0**-b + (x**a) ** b + x**a**b + x**70 * 1e-30,
    "np.power": lambda x, a, b: np.power(x, a) + np.power(2, b) + np.float_power(x, b) + np.square(x - a) + np.reciprocal(x + b),
    "exact numbers": lambda x, a, b: 0.1 * a + 1e-7 * x + 1e22 * b / 1e22 + (2**60) * x / 2.0**60 + math.pi * x,
    "comparisons": lambda x, a, b: np.where(x < a, a * x, b) + np.where(x >= b, 1.0, x) + np.where(x <= 2, x, 2) + np.where(2 > x, a, b),
    "equal or not": lambda x, a, b: np.where(x == a, a, b * x) + np.where(x != b, x, a),
    "and, or, not": lambda x, a, b: np.where((x > b) & (x < 2.5) | ~(x > a), a * x, b) + np.where(np.logical_not(np.logical_or(x < a, x > 3)), x, b)
    + np.where(((x < a) | (x > 2)) & ((x > b) | (x < 0.5)), a, x) + np.where(~((x < 2) & (x > b)), b, x),
    "conditions as numbers": lambda x, a, b: a * (x > 1) + (x < b) * x + 1 * (x >= 2) + ((x > 1) + (x > 2)) * b + (x > 1) * (x < 2) * a,
    "conditions as floats": lambda x, a, b: a * (x > 1).astype(float) + b * np.heaviside(x - 1.5, 0.5) + x,
    "in place": lambda x, a, b: _in_place(x, a, b),
    "clip": lambda x, a, b: np.clip(a * x, 0.5, 2.0) + x.clip(b) + np.clip(b * x, None, a),
    "min and max": lambda x, a, b: np.maximum(x, a) + np.minimum(b * x, 2.0) + abs(x - a) + np.abs(x - b) + np.fabs(b - x),
    "select": lambda x, a, b: np.select([x < a, x < 2.0, x < 2.5], [a * x, b * x**2, 1.0], default=3),
    "select as SymPy writes it": lambda x, a, b: np.select([np.less(x, a), np.True_], [a * x, b * x**2], default=np.nan),
    "piecewise": lambda x, a, b: np.piecewise(x, [x < 1.5], [lambda x: a * x + b, lambda x: a * 1.5 + b + 2 * (x - 1.5)]),
    "pieces that overlap": lambda x, a, b: np.piecewise(x, [x < 2 * b, x >= 1], [a, lambda x: b * x]),
    "arrays like x": lambda x, a, b: np.zeros_like(x) + a * np.ones_like(x) + np.full_like(x, b) * x + np.copy(x),
    "polynomials": lambda x, a, b: np.polyval([a, b, 2.0], x) + np.polynomial.polynomial.polyval(x, [a, b, 2.0]),
    "arrays of parameters": lambda x, a, b: np.exp(np.array([a, b]))[0] * x + np.array([a, b])[1] + (2.0 * np.array([a, b]) - a)[1],
    "sums of a list": lambda x, a, b: np.sum([a * x, b * x**2], axis=0) + sum([a, b * x]),
    "asarray": lambda x, a, b: np.exp(-np.asarray(x) * a) + np.sin(np.asarray(x)) * b,
    "two arguments": lambda x, a, b: np.arctan2(a * x, b + x) + np.hypot(a * x, b) + np.logaddexp(a * x, -b),
    "degrees": lambda x, a, b: np.sin(np.deg2rad(a * x * 50)) + np.cos(np.radians(x)) + np.rad2deg(b * x) + np.degrees(a),
    "sinc": lambda x, a, b: a * np.sinc(b * (x - 1.0)),
    "sign": lambda x, a, b: a * np.sign(x - 1.5) * x + b,
    "expit": lambda x, a, b: special.expit(a * (x - b)) + special.expit(-a * x),
    "special": lambda x, a, b: special.erf(a * x) + special.erfc(b * x) + special.gammaln(a + x) + special.gamma(b + x),
    "special, simple": lambda x, a, b: special.exp2(a * x) + special.exp10(b * x / 9) + special.cbrt(x - a) + special.log1p(x) + special.expm1(x - b),
}
#: name: (function, least and largest argument)
FUNCTIONS = {
    **{name: (getattr(np, name), -2.0, 2.0) for name in ("exp", "expm1", "exp2", "sin", "cos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "cbrt", "positive", "negative", "square")},
    **{name: (getattr(np, name), 0.1, 3.0) for name in ("log", "log10", "log2", "sqrt", "reciprocal")},
    **{name: (getattr(np, name), -0.9, 0.9) for name in ("log1p", "arcsin", "arccos", "arctanh", "tan")},
    "arccosh": (np.arccosh, 1.001, 5.0),
}


def _in_place(x, a, b):
    y = np.zeros_like(x)
    other = y
    for k in range(1, 4):
        y += a * np.exp(-k * b * x)
    y *= 2
    y /= 3
    y -= x
    y **= 2
    more = a
    more += 1.0
    # `other` is the same array, and a number is none.
    return other + more * x + a


def is_the_function(f, low=0.1, high=3.0, truth=(0.7, 1.3)):
    """Fitted where it starts, and its formula at other inputs."""
    x, elsewhere = np.sort(RNG.uniform(low, high, (2, 40)))
    counted = Counted(f)
    with warnings.catch_warnings():
        # Some parameters move nothing.
        warnings.simplefilter("ignore", scipy_optimize.OptimizeWarning)
        found = secant.curve_fit(counted, x, f(x, *map(np.float64, truth)), truth)
    assert counted.is_traced and found.fit is not None
    np.testing.assert_allclose(found.popt, truth, rtol=1e-6)
    wanted = f(elsewhere, *found.popt)
    np.testing.assert_allclose(found.fit.predict(elsewhere), wanted, rtol=1e-12, atol=1e-13 * np.abs(wanted).max())


@pytest.mark.parametrize("name", list(CURVES))
def test_what_is_written_is_what_numpy_does(name):
    is_the_function(CURVES[name])


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_functions_of_one_number(name):
    function, low, high = FUNCTIONS[name]
    is_the_function(lambda x, a, b: a * function(x) + b, low, high)
    # And of entries of arrays.
    middle = 0.5 * (low + high)
    is_the_function(lambda x, a, b: a * x + b * function(middle + 0.01 * np.array([a, b])[0] + 0 * np.array([b])[0]), low, high)


@pytest.mark.parametrize("u", [-1.5, 0.0, 0.3, 1e-9, -1e-9, -0.9999, 800.0, -800.0])
def test_functions_that_are_put_together_lose_no_digits(u):
    for function in (np.arcsinh, np.arctanh, np.arccosh, special.expit, np.logaddexp):
        tape = _symbols.Tape(1, ["a"], False)
        symbol = _symbols.Symbol(tape, "a", _symbols.ATOM, np.float64(u), True, 1)
        with np.errstate(all="ignore"):
            found, wanted = (function(symbol, 0.0) if function is np.logaddexp else function(symbol)), function(*((u, 0.0) if function is np.logaddexp else (u,)))
        np.testing.assert_allclose(found.values, wanted, rtol=4e-15)


def test_powers_of_negative_numbers_are_numpys():
    x = np.linspace(-2, 2, 30)
    for exponent in (3, -2, 2.0, 65, np.float64(4.0)):
        f = Counted(lambda x, a: a * (x + 0.01) ** exponent)
        found = secant.curve_fit(f, x, 3 * (x + 0.01) ** exponent, [1.0])
        assert f.is_traced and found.popt[0] == pytest.approx(3.0, rel=1e-9)
    # NaN at some samples: as by differences.
    f = Counted(lambda x, a: a * x**1.5)
    with pytest.raises(ValueError, match="not finite in the initial point"), np.errstate(invalid="ignore"):
        secant.curve_fit(f, x, x, [1.0])


# --- fits ---------------------------------------------------------------------------------------------------------------


def as_function(name, truth):
    names = ", ".join(f"b{i + 1}" for i in range(len(truth)))
    source = f"lambda x, {names}: {FORMULAS[name].replace('^', '**')}"
    return Counted(eval(source, {"exp": np.exp, "sin": np.sin, "cos": np.cos, "pi": np.pi}))  # noqa: S307


@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("name", list(FORMULAS))
def test_nist_by_function_has_the_digits_of_a_formula(name, start, data_folder):
    x, y, first, second, truth, deviations = nist(data_folder / "nist" / f"{name}.dat")
    f = as_function(name, truth)
    found = secant.curve_fit(f, x, y, (first, second)[start - 1])
    assert f.is_traced and f.stand_ins == 1
    assert digits(found.popt, truth) > 6
    if name != "Lanczos3":
        assert digits(found.perr, deviations) > 4
    assert found.names == [f"b{i + 1}" for i in range(len(truth))]
    assert found.fit.report is found.report and found.report["success"]
    typed = secant.curve_fit(FORMULAS[name], x, y, dict(zip(found.names, (first, second)[start - 1])))
    assert dict(zip(typed.names, typed.popt)) == pytest.approx(dict(zip(found.names, found.popt)), rel=1e-7)


@pytest.mark.parametrize("name", ["Misra1a", "MGH17", "Thurber", "MGH09", "ENSO"])
def test_nist_traced_and_by_differences(name, data_folder):
    x, y, _, start, truth, _ = nist(data_folder / "nist" / f"{name}.dat")
    f = as_function(name, truth)
    same(secant.curve_fit(f, x, y, start), by_differences(f.f, x, y, start), rtol=1e-6 if name in ("MGH09", "MGH17") else 1e-7, covariance=1e-4)


def decay(x, a, b, c):
    return a * np.exp(-b * x) + c


Y = decay(T, 2.5, 1.3, 0.5) + NOISE
SIGMA = 0.01 + 0.02 * T


@pytest.mark.parametrize("sigma", [None, 0.1, SIGMA, list(SIGMA)])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_parameters_and_covariance_are_scipys(sigma, absolute, method):
    f = Counted(decay)
    ours = secant.curve_fit(f, T, Y, [2.0, 1.0, 0.0], sigma, absolute, method=method)
    assert f.is_traced
    s = None if sigma is None else np.broadcast_to(sigma, T.size)
    theirs = scipy_optimize.curve_fit(decay, T, Y, [2.0, 1.0, 0.0], s, absolute, xtol=1e-14, ftol=1e-14, gtol=1e-14)
    same(ours, theirs)
    same(ours, by_differences(decay, T, Y, [2.0, 1.0, 0.0], sigma=sigma, absolute_sigma=absolute))


@pytest.mark.parametrize("bounds", [
    (0, [3.0, 1.0, 1.0]), ([-np.inf, 1.5, 0.0], np.inf), ([0, 0, 0], [10, 10, 10]), scipy_optimize.Bounds([0, 0, 0.6], np.inf),
    ([2.0, 0, 0.5], [2.0 + 1e-9, np.inf, np.inf]),
])
@pytest.mark.parametrize("sigma", [None, SIGMA])
def test_bounds_and_the_covariance_at_them(bounds, sigma):
    f = Counted(decay)
    ours = secant.curve_fit(f, T, Y, bounds=bounds, sigma=sigma)
    assert f.is_traced
    low, high = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else bounds
    assert all(((p >= low) & (p <= high)).all() for p in f.real)
    theirs = by_differences(decay, T, Y, bounds=bounds, sigma=sigma)
    same(ours, theirs)
    # A start at a bound, one that is outside, and what a method refuses.
    assert Counted(decay)(T, 1.0, 1.0, 1.0).shape == T.shape
    with pytest.raises(ValueError, match="infeasible"):
        secant.curve_fit(decay, T, Y, [9.0, 9.0, -9.0], bounds=([0, 0, 0], [1, 1, 1]))
    with pytest.raises(ValueError, match="unconstrained"):
        secant.curve_fit(decay, T, Y, bounds=bounds, method="lm")


def test_starts_without_p0_are_scipys():
    f = Counted(decay)
    secant.curve_fit(f, T, Y)
    assert f.is_traced and f.real[0].tolist() == [1.0, 1.0, 1.0]
    f = Counted(decay)
    secant.curve_fit(f, T, Y, bounds=([0, -np.inf, 0.25], [4, 2, np.inf]))
    assert f.is_traced and f.real[0].tolist() == [2.0, 1.0, 1.25]


def test_limits_of_evaluations():
    f = Counted(decay)
    secant.curve_fit(f, T, Y, maxfev=5000)
    assert f.is_traced
    for limit in ({"maxfev": 2}, {"max_nfev": 2}):
        with pytest.raises(RuntimeError, match="Optimal parameters not found"):
            secant.curve_fit(decay, T, Y, **limit)
    with pytest.raises((TypeError, ValueError)):
        secant.curve_fit(decay, T, Y, maxfev="many")


def test_missing_values_are_left_out():
    y = Y.copy()
    y[::7] = np.nan
    kept = ~np.isnan(y)
    f = Counted(decay)
    found = secant.curve_fit(f, T, y, sigma=SIGMA, nan_policy="omit")
    assert f.is_traced
    same(found, secant.curve_fit(decay, T[kept], y[kept], sigma=SIGMA[kept]), 1e-10, 1e-10)
    with pytest.raises(ValueError, match="nan"):
        secant.curve_fit(decay, T, y, nan_policy="raise")


def test_full_output_has_the_weighted_residuals():
    popt, _, details, message, flag = secant.curve_fit(decay, T, Y, sigma=SIGMA, full_output=True)
    np.testing.assert_array_equal(details["fvec"], (decay(T, *popt) - Y) * (1.0 / SIGMA))
    assert flag == 1 and details["nfev"] > 0 and "converged" in message


def test_the_fit_is_one_of_a_formula(tmp_path):
    found = secant.curve_fit(decay, T, Y)
    assert found.fit.formula == "a*exp(-b*x) + c"
    assert found.fit.parameters == dict(zip(found.names, found.popt))
    band = found.fit.band([0.5, 1.5])
    np.testing.assert_allclose(band["value"], decay(np.array([0.5, 1.5]), *found.popt), rtol=1e-13)
    assert "R²" in found.fit.inference()["text"] and "R²" in repr(found) and "<html" in found.fit.html()
    found.fit.save(tmp_path / "decay.safetensors")
    loaded = secant.Model.load(tmp_path / "decay.safetensors")
    np.testing.assert_allclose(loaded.predict(np.array([[0.5], [1.5]])), band["value"], rtol=1e-13)


def test_lists_whole_numbers_and_series():
    pandas = pytest.importorskip("pandas")
    for x in (list(T), pandas.Series(T), T[::-1][::-1]):
        f = Counted(decay)
        found = secant.curve_fit(f, x, list(Y))
        assert f.is_traced and found.fit is not None
    whole = np.arange(50)
    f = Counted(lambda x, a, b: a * np.exp(-x / b))
    found = secant.curve_fit(f, whole, f.f(whole, 3.0, 7.0), [1.0, 5.0])
    assert f.is_traced and found.popt == pytest.approx([3.0, 7.0])


# --- x of several variables ---------------------------------------------------------------------------------------------

ROWS = np.vstack([T, np.tile([20.0, 40.0], 25)])
Z = 1.0 + 2.0 * np.exp(-0.7 * T) + 0.01 * ROWS[1]


def by_index(x, a, b, c):
    return a + b * np.exp(-c * x[0]) + 0.01 * x[1]


def by_unpacking(x, a, b, c):
    dose, age = x
    return a + b * np.exp(-c * dose) + 0.01 * age


def by_rows(x, a, b, c):
    return a + b * np.exp(-c * x[0, :]) + 0.01 * x[-1, ...]


def by_transposing(x, a, b, c):
    return a + b * np.exp(-c * x.T[:, 0]) + 0.01 * np.asarray(x)[1]


@pytest.mark.parametrize("f", [by_index, by_unpacking, by_rows, by_transposing])
@pytest.mark.parametrize("x", [ROWS, tuple(ROWS), list(ROWS)])
def test_rows_of_x_are_variables(f, x):
    counted = Counted(f)
    found = secant.curve_fit(counted, x, Z)
    assert counted.is_traced and found.popt == pytest.approx([1.0, 2.0, 0.7])
    assert "x1" in found.fit.formula and "x2" in found.fit.formula
    elsewhere = np.array([[0.5, 1.0, 7.0], [20.0, 30.0, 50.0]])
    np.testing.assert_allclose(found.fit.predict(elsewhere), f(elsewhere, *found.popt), rtol=1e-13)
    # As many samples as variables.
    np.testing.assert_allclose(found.fit.predict(elsewhere[:, :2]), f(elsewhere[:, :2], *found.popt), rtol=1e-13)


def test_grids_of_x_are_variables():
    grid = np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 1, 7))

    def peak(x, height, left, up, width):
        across, upwards = x
        return height * np.exp(-((across - left) ** 2 + (upwards - up) ** 2) / width**2)

    truth = [3.0, 0.3, -0.2, 0.8]
    for f in (lambda x, *p: peak(x, *p).ravel(), lambda x, *p: np.ravel(peak(x, *p)), lambda x, *p: peak(x, *p).flatten(), peak):
        counted = Counted(f)
        found = secant.curve_fit(counted, grid, peak(grid, *truth).ravel(), [2.5, 0.0, 0.0, 1.0])
        assert counted.is_traced and found.popt == pytest.approx(truth)
        np.testing.assert_allclose(found.fit.predict([[0.5, 1.0], [0.0, 0.1]]), peak(np.array([[0.5, 1.0], [0.0, 0.1]]), *truth))


def test_columns_of_x_are_variables():
    pandas = pytest.importorskip("pandas")

    def f(x, a, b, c):
        return a + b * np.exp(-c * x[:, 0]) + 0.01 * x[..., 1]

    table = pandas.DataFrame({"dose": T, "age (years)": ROWS[1]})
    for x in (np.ascontiguousarray(ROWS.T), ROWS.T, table):
        counted = Counted(f)
        found = secant.curve_fit(counted, x, Z)
        assert counted.is_traced and found.popt == pytest.approx([1.0, 2.0, 0.7])
        for samples in (3, 2):
            elsewhere = np.array([[0.5, 20.0], [1.0, 30.0], [7.0, 50.0]])[:samples]
            np.testing.assert_allclose(found.fit.predict(elsewhere), f(elsewhere, *found.popt), rtol=1e-13)
    elsewhere = pandas.DataFrame({"more": [0.0], "age (years)": [30.0], "dose": [0.5]})
    np.testing.assert_allclose(found.fit.predict(elsewhere), f(np.array([[0.5, 30.0]]), *found.popt), rtol=1e-13)
    assert "age (years)" in found.fit.formula


def test_a_dictionary_has_its_names():
    f = Counted(lambda x, a, b, dose: a + b * np.exp(-dose * x["dose"]) + 0.01 * x["age"])
    found = secant.curve_fit(f, {"dose": T, "age": ROWS[1]}, Z, [1.0, 1.0, 1.0])
    assert f.is_traced and found.popt == pytest.approx([1.0, 2.0, 0.7]) and found.names == ["a", "b", "dose"]
    assert found.fit.predict({"age": [30.0], "dose": [0.5]})[0] == pytest.approx(1.3 + 2 * np.exp(-0.35))


def test_what_only_the_function_understands():
    # Columns of another kind, or not as long.
    for more in ("a text", [1.0, 2.0], [[1.0], [2.0, 3.0]], np.float32(T)):
        counted = Counted(lambda x, a, b: a * np.exp(-b * x["t"]))
        found = secant.curve_fit(counted, {"t": T, "more": more}, 3 * np.exp(-0.5 * T), [1.0, 1.0])
        assert not counted.stand_ins and found.popt == pytest.approx([3.0, 0.5])


def test_variables_that_a_curve_does_not_name():
    f = Counted(lambda x, a, b: a * np.exp(-b * x[1]))
    three = np.vstack([ROWS[1], T, ROWS[1] ** 2])
    found = secant.curve_fit(f, three, 3 * np.exp(-0.5 * T))
    assert f.is_traced
    np.testing.assert_allclose(found.fit.predict(three), f.f(three, *found.popt), rtol=1e-13)
    # And of a formula that is typed.
    found = secant.curve_fit("a*exp(-b*x2)", three, 3 * np.exp(-0.5 * T), {"a": 1.0, "b": 1.0})
    np.testing.assert_allclose(found.fit.predict(three), 3 * np.exp(-0.5 * T), rtol=1e-9)
    np.testing.assert_allclose(found.fit.band(three)["value"], 3 * np.exp(-0.5 * T), rtol=1e-9)


def test_names_that_mean_something_in_a_formula():
    def f(t, e, pi, exp, gamma, x, e_, τ):
        return e * np.exp(-pi * t) + exp * np.exp(-gamma * t) + x * t + e_ + τ * t**2

    truth = [3.0, 2.0, 1.0, 0.2, 0.1, 0.5, 0.03]
    y = f(T, *truth)
    counted = Counted(f)
    found = secant.curve_fit(counted, T, y, [2.8, 2.2, 1.1, 0.25, 0.12, 0.4, 0.02])
    assert counted.is_traced and found.names == ["e", "pi", "exp", "gamma", "x", "e_", "τ"]
    np.testing.assert_allclose(found.popt, truth, rtol=1e-6)
    np.testing.assert_allclose(found.fit.predict(T), y, rtol=1e-9)

    def two(x, x1, x2):
        return x1 * np.exp(-x[0]) + x2 * x[1]

    found = secant.curve_fit(two, ROWS, two(ROWS, 3.0, 0.2))
    assert found.names == ["x1", "x2"] and found.popt == pytest.approx([3.0, 0.2])
    np.testing.assert_allclose(found.fit.predict(ROWS), two(ROWS, 3.0, 0.2), rtol=1e-10)


# --- arrays beside x ----------------------------------------------------------------------------------------------------

WEIGHTS = 1.0 + 0.5 * np.sin(3 * T)


def peaks(x, *p):
    y = np.zeros_like(x)
    for height, place, width in zip(p[::3], p[1::3], p[2::3]):
        y = y + height * np.exp(-(((x - place) / width) ** 2))
    return y


def peaks_added(x, *p):
    y = np.zeros(x.shape)
    for i in range(0, len(p), 3):
        y += p[i] * np.exp(-(((x - p[i + 1]) / p[i + 2]) ** 2))
    return y


@pytest.mark.parametrize("f", [peaks, peaks_added])
def test_loops_over_any_number_of_parameters(f):
    truth = [3.0, 1.0, 0.3, 1.5, 2.2, 0.4, 2.0, 3.3, 0.2]
    y = peaks(T, *truth) + 0.1 * NOISE
    begin = 1.05 * np.array(truth)
    counted = Counted(f)
    found = secant.curve_fit(counted, T, y, begin)
    assert counted.is_traced and found.names == [f"p{i}" for i in range(9)]
    same(found, by_differences(f, T, y, begin))
    assert (found.fit is None) == (f is peaks_added)


def written_over(x, a, b):
    t = np.array(x, dtype=float)
    first = a * t
    t += 1.0
    return first + b * t**2


#: Curves of which the formula has other data than x: no curve at other inputs.
BESIDE = {
    "a closure": lambda x, a, b: a * WEIGHTS * x + b,
    "a mask": lambda x, a, b: np.where(WEIGHTS > 1.2, a * x, b),
    "a mask as numbers": lambda x, a, b: a * (WEIGHTS > 1.2) + b * x,
    "a mask of x": lambda x, a, b: np.where(np.diff(x, prepend=0.0) > 0.1, a, b * x),
    "interpolation": lambda x, a, b: a * np.interp(x, [0.0, 1.0, 4.0], [0.0, 2.0, 1.0]) + b,
    "numbers of x": lambda x, a, b: a * (x - x.mean()) / len(x) + b * x.max() + x[0],
    "an array that is written to": written_over,
    "the type of x": lambda x, a, b: a * x + b if isinstance(x, np.ndarray) else a * x - b,
    "what is all one number": lambda x, a, b: np.ones(x.size) * a + b * x,
    "singles": lambda x, a, b: a * np.float32(WEIGHTS) + b * x,
    "sums over x": lambda x, a, b: a * np.cumsum(x) + b,
    "what no formula has, of x": lambda x, a, b: a * special.j0(x) + b * np.floor(x),
    "x of one type": lambda x, a, b: a * np.asarray(x, dtype=float) + b,
}


@pytest.mark.parametrize("name", list(BESIDE))
def test_arrays_of_the_samples_are_data(name):
    f = BESIDE[name]
    y = f(T, 1.5, 0.7) + NOISE
    counted, before = Counted(f), T.copy()
    found = secant.curve_fit(counted, T, y, [1.0, 1.0])
    assert counted.is_traced and counted.stand_ins == 2 and found.fit is None
    np.testing.assert_array_equal(T, before)
    same(found, by_differences(f, T, y, [1.0, 1.0]))
    assert found.names == ["a", "b"] and found.report["success"] and "a = " in repr(found)


def test_a_breakpoint():
    def f(x, place, level, left, right):
        return np.piecewise(x, [x < place], [lambda x: level + left * (x - place), lambda x: level + right * (x - place)])

    y = f(T, 2.03, 1.0, 0.5, -0.7) + 0.1 * NOISE
    for one in (f, lambda x, place, level, left, right: level + np.where(x < place, left, right) * (x - place)):
        counted = Counted(one)
        found = secant.curve_fit(counted, T, y, [1.8, 0.8, 0.4, -0.5])
        assert counted.is_traced
        same(found, by_differences(one, T, y, [1.8, 0.8, 0.4, -0.5]), 1e-6, 1e-4)


# --- what is given up ---------------------------------------------------------------------------------------------------


def slowly(x, a, b):
    return a * np.array([math.exp(-b * one) for one in x])


def by_steps(x, a, b):
    y, k = a * np.exp(-b * x), 0
    while np.abs(y).max() > 10.0 + k:
        k += 1
    return y


REFUSED = {
    "a branch": lambda x, a, b: a * np.exp(-b * x) if a > 0 else b * x,
    "math": slowly,
    "a loop until": by_steps,
    "a sum": lambda x, a, b: a * np.exp(-b * x) / np.sum(np.exp(-b * x)),
    "a method": lambda x, a, b: a * np.exp(-b * x) / np.exp(-b * x).max(),
    "an integral": lambda x, a, b: np.cumsum(a * np.exp(-b * x)),
    "interpolation of a parameter": lambda x, a, b: np.interp(b * x, [0, 1, 9], [0, a, 1]),
    "singles": lambda x, a, b: (a * np.exp(-b * x)).astype(np.float32),
    "singles in the end": lambda x, a, b: np.float32(a * np.exp(-b * np.float64(x))) if isinstance(a, float) else a * np.exp(-b * x),
    "another type, another value": lambda x, a, b: a * np.exp(-b * x) if isinstance(a, float) else a * np.exp(-b * x) * 1.001,
    "a failure that is caught": lambda x, a, b: caught(x, a, b),
    "complex numbers": lambda x, a, b: np.real(a * np.exp((-b + 0j) * x)),
    "a matrix": lambda x, a, b: np.column_stack([np.exp(-x), x]) @ np.array([a, b]),
    "out=": lambda x, a, b: np.multiply(a, np.exp(-b * x), out=np.empty_like(x)),
    "where=": lambda x, a, b: np.multiply(a, np.exp(-b * x), where=x > 0),
    "an array that is filled": lambda x, a, b: filled(x, a, b),
    "what no formula has": lambda x, a, b: a * special.j0(b * x),
    "a remainder": lambda x, a, b: a * np.exp(-b * x) + (b * x) % 1e9,
    "one number": lambda x, a, b: a + 0 * b,
    "a column": lambda x, a, b: (a * np.exp(-b * x[:, None]))[:, 0],
    "one sample more": lambda x, a, b: np.concatenate([a * np.exp(-b * x), [0.0]])[:-1],
}


def caught(x, a, b):
    try:
        rate = math.sqrt(b)
    except TypeError:
        rate = b
    return a * np.exp(-rate * x)


def filled(x, a, b):
    y = np.empty(x.size)
    y[:] = a * np.exp(-b * x)
    return y


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_is_no_formula_is_fitted_by_differences(name):
    f = REFUSED[name]
    y = 2.0 * np.exp(-0.6 * T) + NOISE
    counted = Counted(f)
    found, wanted = outcome(secant.curve_fit, counted, T, y, [1.5, 1.2]), outcome(by_differences, f, T, y, [1.5, 1.2])
    assert len(counted.real) > 3
    # By the same steps: the same bits.
    np.testing.assert_array_equal(found, wanted)


def outcome(fit, *arguments):
    """All numbers that come of a fit, or what it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            popt, pcov = fit(*arguments)
    except (RuntimeError, ValueError) as error:
        return [repr(error)]
    return [*popt, *pcov.ravel()]


def test_random_numbers_and_state_are_seen():
    generator = np.random.default_rng(1)
    calls = [0]

    def random(x, a, b):
        return a * np.exp(-b * x) * (1 + 1e-6 * generator.standard_normal())

    def counting(x, a, b):
        calls[0] += 1
        return a * np.exp(-b * x) + 1e-6 * calls[0]

    for f in (random, counting):
        counted = Counted(f)
        outcome(secant.curve_fit, counted, T, 2.0 * np.exp(-0.6 * T), [1.5, 1.2])
        assert len(counted.real) > 3


def test_what_a_function_keeps_of_its_first_call_is_made_of_numbers():
    class Model:
        square = None

        def __call__(self, x, a, b):
            if self.square is None:
                self.square = x**2
            return a * np.exp(-b * self.square) + 0 * x

    f = Counted(Model())
    found = secant.curve_fit(f, T, 2.0 * np.exp(-0.6 * T**2), [1.5, 1.2])
    assert f.is_traced and found.popt == pytest.approx([2.0, 0.6]) and type(f.f.square) is np.ndarray
    one, other = (_symbols.Symbol(_symbols.Tape(1, ["a"], False), "a", _symbols.ATOM, 1.0, True, 1) for _ in range(2))
    for use in (lambda: one + other, lambda: other**one, lambda: np.maximum(one, other)):
        with pytest.raises(_symbols.Untraceable, match="another call"):
            use()


def hidden(x, a, b):
    """Another curve where a is large, which a stand-in cannot say."""
    try:
        is_large = float(a) > 1.8
    except TypeError:
        is_large = False
    return a * np.exp(-b * x) + (0.5 if is_large else 0.0)


def test_a_curve_that_differs_at_the_end_only():
    y = 2.0 * np.exp(-0.6 * T) + 0.5
    counted = Counted(hidden)
    found = secant.curve_fit(counted, T, y, [1.7, 0.6])
    assert len(counted.real) > 10 and found.fit is None
    assert found.popt == pytest.approx([2.0, 0.6])
    np.testing.assert_array_equal(found.popt, by_differences(hidden, T, y, [1.7, 0.6]).popt)


@pytest.mark.parametrize("differs", [lambda a: a == 1.5, lambda a: 0 < abs(a - 1.5) < 0.01], ids=["at", "beside"])
def test_a_curve_that_differs_at_or_beside_the_start_only(differs):
    def f(x, a, b):
        try:
            is_other = differs(float(a))
        except TypeError:
            is_other = False
        return a * np.exp(-b * x) + (0.1 if is_other else 0.0)

    counted = Counted(f)
    outcome(secant.curve_fit, counted, T, 2.0 * np.exp(-0.6 * T), [1.5, 1.2])
    assert len(counted.real) > 3


def test_x_is_as_it_was_when_a_trace_breaks_off():
    x = np.arange(1.0, 9.0)

    def f(x, a, b):
        x -= 1.0
        y = a * np.exp(-b * x) + 0.0 * math.exp(a)
        x += 1.0
        return y

    y = f(x, 2.0, 0.6)
    found = secant.curve_fit(f, x, y, [1.5, 1.2])
    assert x.tolist() == list(range(1, 9)) and found.popt == pytest.approx([2.0, 0.6])


def test_what_is_asked_for_is_done():
    y = 2.0 * np.exp(-0.6 * T)

    def f(x, a, b):
        return a * np.exp(-b * x)

    for more in ({"jac": "2-point"}, {"jac": "3-point"}, {"xtol": 1e-10}, {"loss": "cauchy"}, {"method": "levenberg-marquardt"}, {"x_scale": [1.0, 1.0]}):
        counted = Counted(f)
        secant.curve_fit(counted, T, y, [1.5, 1.2], **more)
        assert counted.stand_ins == 0
    counted = Counted(f)
    secant.curve_fit(counted, T, y, [1.5, 1.2], sigma=np.eye(T.size))
    assert counted.stand_ins == 0
    # No more samples than parameters.
    counted = Counted(f)
    with pytest.warns(scipy_optimize.OptimizeWarning):
        secant.curve_fit(counted, T[:2], y[:2], [1.5, 1.2])
    assert counted.stand_ins == 0


def test_exceptions_of_the_function_are_the_users():
    class Wrong(Exception):
        pass

    def at_numbers(x, a, b):
        if isinstance(a, float):
            raise Wrong("of mine")
        return a * np.exp(-b * x)

    def always(x, a, b):
        raise Wrong("of mine")

    def far(x, a, b):
        if isinstance(a, float) and a > 1.8:
            raise Wrong("of mine")
        return a * np.exp(-b * x)

    for f in (at_numbers, always, far):
        with pytest.raises(Wrong, match="of mine"):
            secant.curve_fit(f, T, 2.0 * np.exp(-0.6 * T), [1.5, 1.2])


def test_functions_that_grow_without_end_are_given_up_at_once():
    def doubling(x, a, b):
        y = a * np.exp(-b * x)
        for _ in range(400):
            y = 0.5 * y + 0.5 * y
        return y

    def long(x, a, b):
        y = a * x
        for _ in range(3_000):
            y = y * b
        return y

    points = _trace.two_points([1.0, 1.0], [(-np.inf, np.inf)] * 2)
    for f in (doubling, long):
        assert list(_trace.ways(f, T, T, T.size, ["a", "b"], points)) == []
    found = secant.curve_fit(doubling, T, 2.0 * np.exp(-0.6 * T))
    assert found.popt == pytest.approx([2.0, 0.6]) and found.fit is None
    # Parentheses nested more deeply than a formula may have them.
    def deep(x, a, b):
        y = a * x
        for _ in range(300):
            y = 1.0 / (1.0 + y)
        return y * b

    counted = Counted(deep)
    with pytest.warns(scipy_optimize.OptimizeWarning):
        found = secant.curve_fit(counted, T, deep(T, 1.0, 2.0), [1.0, 1.5], bounds=([0.5, 0], [2.0, 9.0]))
    assert len(counted.real) > 3 and found.popt[1] == pytest.approx(2.0)


def test_more_than_a_trace_takes():
    many = np.vstack([T**0.1 * np.sin(k * T) for k in range(70)])
    f = Counted(lambda x, a, b: a * x[3] + b * x[69])
    found = secant.curve_fit(f, many, f.f(many, 2.0, 3.0))
    assert found.popt == pytest.approx([2.0, 3.0])
    truth = np.linspace(1, 2, 30)
    f = Counted(lambda x, *p: sum(p[k] * np.cos(k * x) for k in range(30)))
    found = secant.curve_fit(f, T, f.f(T, *truth), np.ones(30))
    np.testing.assert_allclose(found.popt, truth, rtol=1e-6)


def test_a_formula_that_does_not_end_well_is_left(monkeypatch):
    fit = _curves._core.fit_curve
    y = 2.0 * np.exp(-0.6 * T)

    def refuses(*_):
        raise ValueError("no")

    class Unfinished:
        def __init__(self, fitted):
            self.fitted = fitted

        def __getattr__(self, name):
            return getattr(self.fitted, name)

        def report(self):
            return {**self.fitted.report(), "success": False}

    for stands_in in (refuses, lambda *arguments: (Unfinished(fit(*arguments)[0]), None)):
        monkeypatch.setattr(_curves._core, "fit_curve", stands_in)
        counted = Counted(lambda x, a, b: a * np.exp(-b * x))
        found = secant.curve_fit(counted, T, y, [1.5, 1.2])
        assert len(counted.real) > 3 and found.fit is None and found.popt == pytest.approx([2.0, 0.6])


def test_what_the_data_leave_open_is_open_too():
    counted = Counted(lambda x, a, b: a * b * x)
    with pytest.warns(scipy_optimize.OptimizeWarning, match="could not be estimated"):
        _, pcov = secant.curve_fit(counted, T, 3 * T, [1.0, 2.0])
    assert np.isinf(pcov).all()
    # A parameter that moves nothing has no formula.
    assert list(_trace.ways(lambda x, a, b: a * x, T, T, T.size, ["a", "b"], _trace.two_points([1.0, 2.0], [(-np.inf, np.inf)] * 2))) == []
    for f in (lambda x, a, b: a * x, lambda x, a, b: a * x + 0 * b):
        with pytest.warns(scipy_optimize.OptimizeWarning, match="could not be estimated"):
            found = secant.curve_fit(f, T, 3 * T, [1.0, 2.0])
        assert found.popt == pytest.approx([3.0, 2.0])
