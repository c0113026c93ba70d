"""`minimize` and `least_squares` as SciPy's documentation and tests use theirs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.optimize as scipy_optimize
import scipy.sparse as sparse

import secant

FREE = [
    name
    for name in secant.METHODS
    if name
    not in (
        "gauss-newton", "levenberg-marquardt", "bounded-levenberg-marquardt", "lbfgsb", "tron", "owl-qn", "proximal-newton",
    )
]
FIRST_ORDER = {"gradient-descent", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw"}


def rosen(x):
    return float(np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


rosen_der, rosen_hess, rosen_hess_prod = (
    scipy_optimize.rosen_der, scipy_optimize.rosen_hess, scipy_optimize.rosen_hess_prod,
)
X0 = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


# --- minimize: what is given ---------------------------------------------------------------------------------------


def test_a_value_alone():
    found = secant.minimize(rosen, X0)
    assert found.success and found.status == 0
    assert np.abs(found.x - 1).max() < 1e-7
    assert any("differences" in note for note in found.report["notes"])


def test_value_and_gradient():
    found = secant.minimize(rosen, X0, jac=rosen_der)
    assert np.abs(found.x - 1).max() < 1e-10
    assert not any("differences" in note for note in found.report["notes"])
    np.testing.assert_allclose(found.jac, rosen_der(found.x), atol=0)
    assert found.fun == rosen(found.x)


def test_both_at_once():
    found = secant.minimize(lambda x: (rosen(x), rosen_der(x)), X0, jac=True)
    assert np.abs(found.x - 1).max() < 1e-10
    assert found.nfev == found.njev > 0


def test_a_hessian_takes_few_steps():
    found = secant.minimize(rosen, X0, jac=rosen_der, hess=rosen_hess, method="newton")
    assert np.abs(found.x - 1).max() < 1e-14
    assert found.nit < 30 and found.nhev <= found.nit + 1


def test_products_with_the_hessian():
    found = secant.minimize(rosen, X0, jac=rosen_der, hessp=rosen_hess_prod, method="newton-cg")
    assert np.abs(found.x - 1).max() < 1e-10 and found.nhev > found.nit


def test_sparse_hessians_and_operators():
    for wrap in (sparse.csr_matrix, np.asarray, sparse.linalg.aslinearoperator):
        found = secant.minimize(rosen, X0, jac=rosen_der, hess=lambda x: wrap(rosen_hess(x)), method="newton")
        assert np.abs(found.x - 1).max() < 1e-12


def test_args():
    def fun(x, a, b):
        return (x[0] - a) ** 2 + b * (x[1] + a) ** 2

    assert np.allclose(secant.minimize(fun, [0.0, 0.0], args=(3.0, 2.0)).x, [3, -3], atol=1e-6)
    assert np.allclose(secant.minimize(lambda x, a: (x[0] - a) ** 2, [0.0], args=7.0).x, [7], atol=1e-6)


def test_a_scalar_start_and_lists():
    assert np.allclose(secant.minimize(lambda x: (x[0] - 2) ** 2, 5.0).x, [2])
    assert np.allclose(secant.minimize(lambda x: np.array([(x[0] - 2) ** 2]), [5]).x, [2])


def test_the_start_is_not_changed():
    start = X0.copy()


    def careless(x):
        value = rosen(x)
        x.fill(7.0)
        return value

    assert secant.minimize(careless, start, jac=rosen_der).success
    assert (start == X0).all()


# --- minimize: every method -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", FREE)
def test_rosenbrock_by_every_method(method):
    options = {"max_iterations": 200} if method in FIRST_ORDER else {}
    if method in ("momentum", "nesterov"):
        options["rate"] = 1e-4
    found = secant.minimize(rosen, [-1.2, 1.0], jac=rosen_der, hess=rosen_hess, method=method, options=options)
    if method in FIRST_ORDER:
        assert found.fun < rosen(np.array([-1.2, 1.0])) and found.status in (0, 1)
    else:
        assert found.success and np.abs(found.x - 1).max() < 1e-9


@pytest.mark.parametrize(
    "method",
    ["CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"],
)
def test_scipys_names(method):
    ours = secant.minimize(rosen, X0, jac=rosen_der, hess=rosen_hess, method=method)
    assert ours.success and np.abs(ours.x - 1).max() < 1e-8


@pytest.mark.parametrize("method", ["Nelder-Mead", "Powell", "COBYLA", "SLSQP", "COBYQA"])
def test_what_there_is_not_says_why(method):
    with pytest.raises(ValueError, match="differences|constraints"):
        secant.minimize(rosen, X0, method=method)


def test_an_unknown_method_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean `newton`"):
        secant.minimize(rosen, X0, method="newtn")


# --- minimize: bounds, L1 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [None, "L-BFGS-B", "TNC", "trust-constr", "lbfgsb", "tron"])
def test_bounds(method):
    bounds = [(0, 0.5), (None, None)]
    found = secant.minimize(rosen, [0.1, 0.1], jac=rosen_der, bounds=bounds, method=method)
    truth = scipy_optimize.minimize(rosen, [0.1, 0.1], jac=rosen_der, bounds=bounds, method="L-BFGS-B", tol=1e-12)
    assert found.success and found.x[0] == 0.5
    np.testing.assert_allclose(found.x, truth.x, atol=1e-6)


def test_bounds_as_scipys_object():
    for bounds in (scipy_optimize.Bounds([0, -np.inf], [0.5, np.inf]), scipy_optimize.Bounds(0, 0.5)):
        assert secant.minimize(rosen, [0.1, 0.1], jac=rosen_der, bounds=bounds).x[0] == 0.5


def test_infinite_bounds_are_none():
    free = secant.minimize(rosen, X0, jac=rosen_der)
    same = secant.minimize(rosen, X0, jac=rosen_der, bounds=[(None, None)] * 5)
    assert (free.x == same.x).all() and free.nit == same.nit


def test_a_start_outside_its_bounds_warns():
    with pytest.warns(scipy_optimize.OptimizeWarning, match="not within"):
        found = secant.minimize(rosen, [5.0, 5.0], jac=rosen_der, bounds=[(0, 2), (0, 2)])
    assert np.abs(found.x - 1).max() < 1e-6


def test_crossed_bounds_are_refused():
    with pytest.raises(ValueError, match="parameter 1"):
        secant.minimize(rosen, [0.0, 0.0], bounds=[(0, 1), (2, 1)])


@pytest.mark.parametrize("method", [None, "owl-qn", "proximal-newton"])
def test_an_l1_penalty_makes_zeros(method):
    a = np.array([3.0, 0.2, -1.0])

    def fun(x):
        return 0.5 * float(np.sum((x - a) ** 2))

    found = secant.minimize(fun, np.zeros(3), jac=lambda x: x - a, l1=0.5, method=method)
    np.testing.assert_allclose(found.x, [2.5, 0.0, -0.5], atol=1e-9)
    assert found.x[1] == 0.0


# --- minimize: callbacks, errors, ends --------------------------------------------------------------------------------


def test_the_callback_sees_points():
    seen = []
    found = secant.minimize(rosen, X0, jac=rosen_der, callback=seen.append)
    assert len(seen) == found.nit and (seen[-1] == found.x).all()


def test_the_callback_sees_results():
    values = []

    def callback(intermediate_result):
        values.append(intermediate_result.fun)
        assert intermediate_result.x.shape == (5,)

    secant.minimize(rosen, X0, jac=rosen_der, callback=callback)
    assert len(values) > 3 and values[-1] < values[0]


@pytest.mark.parametrize("how", ["raise", "return"])
def test_the_callback_stops(how):
    calls = []

    def callback(x):
        calls.append(x)
        if len(calls) == 3:
            if how == "raise":
                raise StopIteration
            return True

    found = secant.minimize(rosen, X0, jac=rosen_der, callback=callback)
    assert found.nit == 3 and found.status == 99 and not found.success
    assert "StopIteration" in found.message


@pytest.mark.parametrize("place", ["fun", "jac", "hess", "hessp", "callback"])
def test_exceptions_propagate_and_leave_no_trace(place):
    class Own(Exception):
        pass

    def after(n):
        count = [0]

        def wrap(function):
            def wrapped(*arguments):
                count[0] += 1
                if count[0] > n:
                    raise Own(place)
                return function(*arguments)

            return wrapped

        return wrap

    functions = {"fun": rosen, "jac": rosen_der, "hess": rosen_hess, "hessp": rosen_hess_prod, "callback": lambda x: None}
    functions[place] = after(2)(functions[place])
    if place in ("hess", "hessp"):
        functions.pop("hess" if place == "hessp" else "hessp")
    method = "newton-cg" if place == "hessp" else "trust-region"
    fun = functions.pop("fun")
    with pytest.raises(Own, match=place):
        secant.minimize(fun, X0, method=method, **functions)
    assert secant.minimize(rosen, X0, jac=rosen_der).success


def test_nan_from_python():
    found = secant.minimize(lambda x: np.nan, [1.0, 2.0])
    assert not found.success and found.status == 3 and (found.x == [1, 2]).all()

    # Outside of its domain: steps there are not taken.
    def barrier(x):
        return float(x[0] - np.log(x[0])) if x[0] > 0 else np.nan

    with np.errstate(all="ignore"):
        found = secant.minimize(barrier, [5.0])
    assert found.success and abs(found.x[0] - 1) < 1e-6


def test_a_limit_ends_with_status_1():
    found = secant.minimize(rosen, X0, jac=rosen_der, options={"maxiter": 2})
    assert found.nit == 2 and found.status == 1 and not found.success
    found = secant.minimize(rosen, X0, jac=rosen_der, options={"max_time": 0.0})
    assert found.status == 1


def test_wrong_shapes_say_what_they_are():
    with pytest.raises(ValueError, match=r"jac gave an array of shape \[4\], expected \[5\]"):
        secant.minimize(rosen, X0, jac=lambda x: x[:4])
    with pytest.raises(ValueError, match="fun gave an array of shape"):
        secant.minimize(lambda x: x, X0)
    with pytest.raises(TypeError, match="no array of numbers"):
        secant.minimize(lambda x: "seven", X0)
    with pytest.raises(ValueError, match="start is NaN|not finite|NaN"):
        secant.minimize(rosen, [np.nan, 1.0])
    with pytest.raises(ValueError, match="empty"):
        secant.minimize(rosen, [])


def test_options_by_our_names_and_scipys():
    assert secant.method_options("lbfgs")["memory"] > 0
    found = secant.minimize(rosen, X0, jac=rosen_der, method="lbfgs", options={"memory": 3, "gradient_tolerance": 1e-3})
    assert found.success
    tight = secant.minimize(rosen, X0, jac=rosen_der, method="L-BFGS-B", options={"maxcor": 20, "gtol": 1e-12})
    assert np.abs(tight.jac).max() < 1e-10
    with pytest.raises(ValueError, match="no option `memry`: did you mean `memory`"):
        secant.minimize(rosen, X0, jac=rosen_der, method="lbfgs", options={"memry": 3})
    with pytest.raises(ValueError, match="memory"):
        secant.minimize(rosen, X0, jac=rosen_der, method="lbfgs", options={"memory": -1})
    with pytest.warns(scipy_optimize.OptimizeWarning, match="Unknown solver options: iprint"):
        secant.minimize(rosen, X0, jac=rosen_der, options={"iprint": 1})


def test_every_methods_options_can_be_said():
    for name in secant.METHODS:
        if name in ("lbfgsb", "tron", "bounded-levenberg-marquardt", "owl-qn", "proximal-newton"):
            continue
        options = {key: value for key, value in secant.method_options(name).items() if value is not None}
        assert "max_iterations" in options
        if name in ("gauss-newton", "levenberg-marquardt"):
            secant.least_squares(lambda x: x - 1.0, [0.0, 0.0], method=name, options=options)
        else:
            secant.minimize(rosen, [0.9, 0.9], jac=rosen_der, hess=rosen_hess, method=name, options={**options, "max_iterations": 3})


def test_tol_is_the_gradients():
    loose = secant.minimize(rosen, X0, jac=rosen_der, tol=1e-2)
    tight = secant.minimize(rosen, X0, jac=rosen_der, tol=1e-10)
    assert loose.nit < tight.nit and np.abs(loose.jac).max() <= 1e-2


def test_nothing_is_printed_unasked(capfd):
    secant.minimize(rosen, X0, jac=rosen_der)
    assert capfd.readouterr() == ("", "")
    secant.minimize(rosen, X0, jac=rosen_der, options={"disp": True})
    assert "iterations" in capfd.readouterr().out


def test_all_points_are_kept_where_asked():
    found = secant.minimize(rosen, X0, jac=rosen_der, options={"return_all": True})
    assert len(found.allvecs) == found.nit + 1 and (found.allvecs[0] == X0).all()


def test_the_trace_is_of_arrays():
    trace = secant.minimize(rosen, X0, jac=rosen_der).report["trace"]
    assert trace["value"].shape == trace["gradient"].shape and trace["value"][0] == rosen(X0)


def test_constraints_are_refused():
    with pytest.raises(ValueError, match="only bounds"):
        secant.minimize(rosen, X0, constraints=[{"type": "eq", "fun": lambda x: x[0]}])


def test_scipy_minimises_the_same():
    """The minimum is SciPy's, with fewer or as many evaluations of a function with its gradient."""
    ours = secant.minimize(rosen, X0, jac=rosen_der, method="bfgs")
    theirs = scipy_optimize.minimize(rosen, X0, jac=rosen_der, method="BFGS", tol=1e-8)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-6)
    assert ours.fun <= theirs.fun


def test_self_scaled_broyden_on_a_hard_problem():
    """Rosenbrock in 50 dimensions to the last digits, which SciPy's BFGS gives up on."""
    x0 = np.tile([-1.2, 1.0], 25)
    found = secant.minimize(rosen, x0, jac=rosen_der, method="self-scaled-broyden")
    assert found.success and rosen(found.x) < 1e-20


# --- least_squares -----------------------------------------------------------------------------------------------------

T = np.linspace(0, 4, 30)
Y = 2.5 * np.exp(-1.3 * T) + 0.5 + 0.01 * np.sin(40 * T)


def decay(p, t=T, y=Y):
    return p[0] * np.exp(-p[1] * t) + p[2] - y


def decay_jac(p, t=T, y=Y):
    e = np.exp(-p[1] * t)
    return np.column_stack([e, -p[0] * t * e, np.ones_like(t)])


@pytest.mark.parametrize("method", ["trf", "dogbox", "lm", "levenberg-marquardt", "gauss-newton", "bfgs"])
@pytest.mark.parametrize("jac", ["2-point", decay_jac])
def test_residuals_by_every_method(method, jac):
    found = secant.least_squares(decay, [1.0, 1.0, 0.0], jac=jac, method=method)
    truth = scipy_optimize.least_squares(decay, [1, 1, 0], jac=decay_jac, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert found.success
    np.testing.assert_allclose(found.x, truth.x, rtol=1e-7)
    assert found.cost <= truth.cost * (1 + 1e-12)
    np.testing.assert_allclose(found.fun, decay(found.x), atol=0)
    np.testing.assert_allclose(found.jac, decay_jac(found.x), atol=1e-7)
    assert np.abs(found.grad).max() < 1e-6


def test_arguments_of_residuals():
    found = secant.least_squares(decay, [1, 1, 0], args=(T,), kwargs={"y": Y})
    assert found.success and abs(found.x[1] - 1.3) < 0.05


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "cauchy"])
def test_robust_losses_are_scipys(loss):
    y = Y.copy()
    y[[3, 10, 20]] += 4.0
    with np.errstate(over="ignore", invalid="ignore"):
        ours = secant.least_squares(decay, [1.0, 1.0, 0.0], kwargs={"y": y}, loss=loss, f_scale=0.1)
    theirs = scipy_optimize.least_squares(
        decay, [1.0, 1.0, 0.0], kwargs={"y": y}, loss=loss, f_scale=0.1, xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5)
    assert ours.cost <= theirs.cost * (1 + 1e-12)
    assert np.abs(ours.grad).max() < 1e-6


def test_bounds_of_residuals():
    ours = secant.least_squares(decay, [1.0, 1.0, 0.0], bounds=([0, 0, 0], [2.0, 10, 10]))
    theirs = scipy_optimize.least_squares(decay, [1.0, 1.0, 0.1], bounds=([0, 0, 0], [2.0, 10, 10]), xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-5)
    assert ours.active_mask.tolist() == [1, 0, 0]


def test_bad_residuals():
    with pytest.raises(ValueError, match="not finite in the initial point"):
        secant.least_squares(lambda p: [np.nan, 1.0], [1.0])
    with pytest.raises(ValueError, match="infeasible"):
        secant.least_squares(decay, [5.0, 1, 1], bounds=([0, 0, 0], [1, 1, 1]))
    with pytest.raises(ValueError, match="one dimension"):
        secant.least_squares(lambda p: np.eye(2), [1.0])
    with pytest.raises(ZeroDivisionError):
        calls = []

        def fun(p):
            calls.append(p)
            return decay(p) / (0 if len(calls) > 5 else 1) if len(calls) <= 5 else 1 // 0

        secant.least_squares(fun, [1.0, 1, 0])
    with pytest.raises(ValueError, match="no loss `hubber`"):
        secant.least_squares(decay, [1.0, 1, 0], loss="hubber")


def test_a_callback_of_residuals_stops():
    found = secant.least_squares(decay, [1.0, 1, 0], callback=lambda intermediate_result: intermediate_result.nit >= 2)
    assert found.nit == 2 and found.status == 99


def test_limits_of_residuals():
    found = secant.least_squares(decay, [1.0, 1, 0], options={"max_iterations": 1})
    assert found.status == 1 and not found.success
    loose = secant.least_squares(decay, [1.0, 1, 0], jac=decay_jac, ftol=1e-2)
    assert loose.success and loose.nit <= secant.least_squares(decay, [1.0, 1, 0], jac=decay_jac).nit


def test_more_parameters_than_residuals():
    found = secant.least_squares(lambda p: [p[0] + p[1] - 1.0], [3.0, 4.0])
    assert found.success and found.cost < 1e-20


def test_warnings_of_the_users_function_are_the_users():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        secant.minimize(lambda x: warnings.warn("mine", stacklevel=1) or float(x[0] ** 2), [1.0])
    assert any(str(w.message) == "mine" for w in seen)
