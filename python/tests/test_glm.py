"""Generalised linear models: statsmodels is the truth."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import secant

RNG = np.random.default_rng(11)
X = RNG.standard_normal((300, 3))
SCORE = 0.4 + X @ [0.5, -0.3, 0.1]


@pytest.fixture(scope="module")
def statsmodels():
    # Its import of pandas and patsy warns of what is theirs.
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("statsmodels.api")


def targets(family):
    return {
        "gaussian": SCORE + 0.3 * RNG.standard_normal(300),
        "poisson": RNG.poisson(np.exp(SCORE)).astype(float),
        "logistic": (RNG.random(300) < 1 / (1 + np.exp(-SCORE))).astype(float),
        "gamma": RNG.gamma(3.0, np.exp(SCORE) / 3.0),
        "inverse_gaussian": RNG.wald(np.exp(SCORE), 4.0),
    }[family]


@pytest.mark.parametrize("family", ["gaussian", "poisson", "logistic", "gamma", "inverse_gaussian"])
def test_estimates_and_errors_are_statsmodels(statsmodels, family):
    y = targets(family)
    families = statsmodels.families
    links = families.links
    truth_family = {
        "gaussian": families.Gaussian(),
        "poisson": families.Poisson(),
        "logistic": families.Binomial(),
        "gamma": families.Gamma(links.Log()),
        "inverse_gaussian": families.InverseGaussian(links.Log()),
    }[family]
    ours = secant.glm(X, y, family)
    # Student's t where the dispersion is estimated.
    theirs = statsmodels.GLM(y, statsmodels.add_constant(X), family=truth_family).fit(
        tol=1e-13, maxiter=200, use_t=family not in ("poisson", "logistic")
    )
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.bse, rtol=1e-5)
    np.testing.assert_allclose(ours.p_values, theirs.pvalues, rtol=1e-3, atol=1e-15)
    assert ours.deviance == pytest.approx(theirs.deviance, rel=1e-9)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(), rtol=1e-7)
    assert ours.names == ["(intercept)", "x1", "x2", "x3"] and ours.report["success"]


def test_exposures_and_weights(statsmodels):
    y = RNG.poisson(5.0 * np.exp(SCORE)).astype(float)
    exposure = np.full(300, 5.0)
    weights = RNG.integers(0, 4, 300).astype(float)
    ours = secant.glm(X, y, "poisson", exposure=exposure, sample_weight=weights)
    theirs = statsmodels.GLM(
        y, statsmodels.add_constant(X), family=statsmodels.families.Poisson(), exposure=exposure, freq_weights=weights
    ).fit(tol=1e-13)
    np.testing.assert_allclose(ours.coef, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(ours.standard_errors, theirs.bse, rtol=1e-6)


def test_classes_frames_intervals_and_pickles():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    kind = np.where(SCORE + RNG.standard_normal(300) > 0.4, "high", "low")
    fit = secant.glm(frame, kind, "logistic")
    assert fit.names == ["(intercept)", "a", "b", "c"] and fit.classes.tolist() == ["high", "low"]
    low, high = fit.intervals(0.9).T
    assert (low < fit.coef).all() and (fit.coef < high).all()
    again = pickle.loads(pickle.dumps(fit))
    assert (again.predict(frame[["c", "b", "a"]]) == fit.predict(frame)).all()
    assert "(intercept)" in repr(fit) and "deviance" in repr(fit)
    three = secant.glm(frame, np.array(["x", "y", "z"])[RNG.integers(0, 3, 300)], "softmax")
    assert three.predict(frame).shape == (300, 3)


def test_a_power_is_estimated():
    file = Path(__file__).parents[2] / "tests" / "fixtures" / "tweedie_power.json"
    case = json.loads(file.read_text())[0]
    X, y = np.reshape(case["x"], (-1, 2)), np.array(case["y"])
    fit = secant.glm(X, y, "tweedie", link=case["link"], sample_weight=case["weights"])
    estimate, error = fit.power
    np.testing.assert_allclose([estimate, error], [case["power"], case["error"]], rtol=2e-3)
    np.testing.assert_allclose(estimate, case["power"], rtol=2e-6)
    np.testing.assert_allclose(fit.coef, case["coefficients"], rtol=1e-5)
    given = secant.glm(X, y, "tweedie", power=estimate, link=case["link"])
    assert given.power is None
    np.testing.assert_allclose(given.coef, fit.coef, rtol=1e-9)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no family `poison`"):
        secant.glm(X, SCORE, "poison")
    with pytest.raises(ValueError, match="there is no sqrt link"):
        secant.glm(X, targets("logistic"), "logistic", link="sqrt")
    with pytest.raises(ValueError):
        secant.glm(X, -np.ones(300), "poisson")
    with pytest.raises(ValueError, match="exposure"):
        secant.glm(X, np.ones(300), "poisson", exposure=np.zeros(300))
    with pytest.raises(ValueError, match="between 1 and 2"):
        secant.glm(X, np.ones(300), "tweedie", power=2.5)
