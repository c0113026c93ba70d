"""The coefficients of scikit-learn and statsmodels for the same settings, and objectives that are no higher."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.kernel_ridge as theirs_kernel
import sklearn.linear_model as theirs
import sklearn.neural_network as theirs_mlp
import sklearn.svm as theirs_svm
import statsmodels.api as sm
from scipy.optimize import curve_fit, minimize
from scipy.special import logsumexp, xlogy
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_svmlight_file, load_wine
from sklearn.linear_model._huber import _huber_loss_and_gradient
from sklearn.preprocessing import StandardScaler

import secant.sklearn as ours

DATA = Path(__file__).parents[2] / "data"
CLASSES = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer, "digits": load_digits}
NUMBERS = ["diabetes", "concrete", "energy", "yacht", "power_plant"]
# Of coefficients, against the largest of theirs; of objectives.
NEAR, LEVEL = 1e-6, 1e-12

Set = tuple[np.ndarray, np.ndarray]


@cache
def read(name: str, scaled: bool = True) -> Set:
    """A data set, its columns of deviation 1 unless it is wanted raw."""
    if name in CLASSES:
        X, y = CLASSES[name](return_X_y=True)
    elif name == "diabetes":
        X, y = load_diabetes(return_X_y=True, scaled=False)
    else:
        table = np.loadtxt(DATA / f"{name}.csv", delimiter=",", skiprows=1)
        X, y = table[:, :-1], table[:, -1]
    return (StandardScaler().fit_transform(X) if scaled else X), y


def weights(y: np.ndarray) -> np.ndarray:
    """Of the samples, some of them 0."""
    return np.random.default_rng(7).integers(0, 4, len(y)).astype(float)


def reference(estimator: Any, X: np.ndarray, y: np.ndarray, **options: Any) -> Any:
    """Theirs at a tolerance that they may say they do not reach."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, y, **options)


def near(found: Any, expected: Any, relative: float = NEAR) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= relative * np.abs(expected).max(initial=1e-300)


def agree(found: Any, expected: Any, objective: Callable[[Any], float], relative: float = NEAR) -> None:
    """The same coefficients; the intercept against the coefficients too, which carry it."""
    near(found.coef_, expected.coef_, relative)
    size = max(np.abs(expected.intercept_).max(), np.abs(expected.coef_).max())
    assert np.abs(found.intercept_ - expected.intercept_).max() <= relative * size
    no_higher(found, expected, objective)


def no_higher(found: Any, expected: Any, objective: Callable[[Any], float]) -> None:
    a, b = objective(found), objective(expected)
    assert a <= b + LEVEL * abs(b), (a, b, (a - b) / abs(b))


def squares(X: np.ndarray, y: np.ndarray, s: np.ndarray, alpha: float = 0.0) -> Callable[[Any], float]:
    """Σ s e² + α‖W‖²."""

    def value(m: Any) -> float:
        e = (y - X @ m.coef_.T - m.intercept_).reshape(len(y), -1)
        return float((s @ e**2).sum() + alpha * (m.coef_**2).sum())

    return value


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_least_squares(name: str, scaled: bool) -> None:
    X, y = read(name, scaled)
    one = np.ones(len(y))
    for s in (None, weights(y)):
        found = ours.LinearRegression().fit(X, y, s)
        expected = theirs.LinearRegression().fit(X, y, s)
        agree(found, expected, squares(X, y, one if s is None else s))
        assert found.rank_ == np.linalg.matrix_rank(X - X.mean(axis=0))
    if name not in ("energy", "digits"):
        # Whose columns depend on each other: the coefficients of statsmodels are others.
        expected = sm.WLS(y, sm.add_constant(X), weights=s).fit().params
        near([found.intercept_, *found.coef_], expected)


@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_positive_least_squares(name: str) -> None:
    X, y = read(name)
    found, expected = ours.LinearRegression(positive=True).fit(X, y), theirs.LinearRegression(positive=True).fit(X, y)
    if name == "energy":
        no_higher(found, expected, squares(X, y, np.ones(len(y))))
    else:
        agree(found, expected, squares(X, y, np.ones(len(y))))
    assert (found.coef_ >= 0.0).all()


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 300.0])
@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_ridge(name: str, alpha: float) -> None:
    X, y = read(name)
    s = weights(y)
    for intercept in (True, False):
        found = ours.Ridge(alpha, fit_intercept=intercept).fit(X, y, s)
        expected = theirs.Ridge(alpha, fit_intercept=intercept, solver="svd").fit(X, y, s)
        agree(found, expected, squares(X, y, s, alpha))
    found = ours.Ridge(alpha, positive=True).fit(X, y)
    expected = reference(theirs.Ridge(alpha, positive=True, tol=1e-14, max_iter=100_000), X, y)
    # Theirs, by L-BFGS-B, ends where its value no longer falls: it is the objective that tells.
    agree(found, expected, squares(X, y, np.ones(len(y)), alpha), relative=1e-4)


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "digits", "diabetes"])
def test_ridge_with_more_columns_than_samples(name: str) -> None:
    X, y = read(name)
    X, y = X[5 : X.shape[1]], y[5 : X.shape[1]]
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    for intercept in (True, False):
        found = ours.Ridge(0.1, fit_intercept=intercept).fit(X, y, s)
        expected = theirs.Ridge(0.1, fit_intercept=intercept, solver="svd").fit(X, y, s)
        agree(found, expected, squares(X, y, s, 0.1))
    near(ours.LinearRegression().fit(X, y).coef_, theirs.LinearRegression().fit(X, y).coef_)


@pytest.mark.parametrize("name", ["iris", "wine", "digits"])
def test_ridge_of_several_targets(name: str) -> None:
    X, y = read(name)
    targets = np.eye(y.max() + 1)[y]
    alphas = np.linspace(0.5, 2.0, targets.shape[1])
    found = ours.Ridge(alphas).fit(X, targets)
    expected = theirs.Ridge(alphas, solver="svd").fit(X, targets)
    agree(found, expected, squares(X, targets, np.ones(len(y))), relative=1e-9)
    assert found.predict(X).shape == targets.shape


@pytest.mark.parametrize("name", ["diabetes", "concrete", "yacht", "iris", "wine"])
def test_ridge_with_leave_one_out(name: str) -> None:
    X, y = read(name)
    alphas = np.geomspace(1e-3, 1e3, 9)
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    for options in ({}, {"sample_weight": s}):
        found = ours.RidgeCV(alphas, store_cv_results=True).fit(X, y, **options)
        expected = theirs.RidgeCV(alphas, store_cv_results=True).fit(X, y, **options)
        assert found.alpha_ == expected.alpha_
        near(found.best_score_, expected.best_score_)
        near(found.coef_, expected.coef_)
        near(found.cv_results_, expected.cv_results_)
    for scoring in ("neg_mean_absolute_error", "r2"):
        found, expected = (of.RidgeCV(alphas, scoring=scoring).fit(X, y) for of in (ours, theirs))
        assert found.alpha_ == expected.alpha_
        near(found.best_score_, expected.best_score_)
    targets = np.column_stack([y, y**2, X[:, 0]])
    for each in (True, False):
        found, expected = (of.RidgeCV(alphas, alpha_per_target=each).fit(X[:, 1:], targets) for of in (ours, theirs))
        np.testing.assert_array_equal(found.alpha_, expected.alpha_)
        near(found.coef_, expected.coef_)
    found, expected = (of.RidgeCV(alphas, cv=4).fit(X, y) for of in (ours, theirs))
    assert found.alpha_ == expected.alpha_
    near(found.coef_, expected.coef_)


def elastic(X: np.ndarray, y: np.ndarray, s: np.ndarray, alpha: float, ratio: float) -> Callable[[Any], float]:
    def value(m: Any) -> float:
        e = y - X @ m.coef_ - m.intercept_
        w = m.coef_
        return float(s @ e**2 / (2.0 * s.sum()) + alpha * (ratio * np.abs(w).sum() + 0.5 * (1.0 - ratio) * (w @ w)))

    return value


@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_lasso_and_elastic_net(name: str) -> None:
    X, y = read(name)
    s = weights(y)
    tight = {"tol": 1e-15, "max_iter": 100_000}
    for part in (0.3, 0.03):
        alpha = part * y.std()
        for positive in (False, True):
            found = ours.Lasso(alpha, positive=positive).fit(X, y, s)
            expected = reference(theirs.Lasso(alpha, positive=positive, **tight), X, y, sample_weight=s)
            agree(found, expected, elastic(X, y, s, alpha, 1.0))
            np.testing.assert_array_equal(found.coef_ == 0.0, expected.coef_ == 0.0)
            found = ours.ElasticNet(alpha, l1_ratio=0.4, positive=positive).fit(X, y)
            expected = reference(theirs.ElasticNet(alpha, l1_ratio=0.4, positive=positive, **tight), X, y)
            agree(found, expected, elastic(X, y, np.ones(len(y)), alpha, 0.4))


def logistic(X: np.ndarray, y: np.ndarray, s: np.ndarray, C: float, ratio: float = 0.0) -> Callable[[Any], float]:
    """C Σ sℓ + the penalty."""

    def value(m: Any) -> float:
        z = X @ m.coef_.T + m.intercept_
        if len(m.classes_) == 2:
            z = np.column_stack([np.zeros(len(y)), z[:, 0]])
        own = z[np.arange(len(y)), np.searchsorted(m.classes_, y)]
        penalty = ratio * np.abs(m.coef_).sum() + 0.5 * (1.0 - ratio) * (m.coef_**2).sum()
        return float(C * (s @ (logsumexp(z, axis=1) - own)) + penalty)

    return value


def halves(name: str) -> Set:
    """Two classes where there are numbers."""
    X, y = read(name)
    return (X, y) if name in CLASSES else (X, np.where(y > np.median(y), "high", "low"))


@pytest.mark.parametrize("name", [*CLASSES, "diabetes", "concrete"])
def test_logistic_regression(name: str) -> None:
    X, y = halves(name)
    s = weights(y)
    tight = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 1000}
    for C in (0.01, 1.0, 10.0) if name != "digits" else (0.1,):
        found = ours.LogisticRegression(C=C).fit(X, y, s)
        expected = reference(theirs.LogisticRegression(C=C, **tight), X, y, sample_weight=s)
        agree(found, expected, logistic(X, y, s, C))
        near(found.predict_proba(X), expected.predict_proba(X))
    of = {"class_weight": "balanced", "fit_intercept": False}
    found = ours.LogisticRegression(**of).fit(X, y, s)
    expected = reference(theirs.LogisticRegression(**of, **tight), X, y, sample_weight=s)
    near(found.coef_, expected.coef_)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_logistic_regression_on_raw_columns(name: str) -> None:
    X, y = read(name, scaled=False)
    found = ours.LogisticRegression().fit(X, y)
    expected = reference(theirs.LogisticRegression(solver="newton-cholesky", tol=1e-13, max_iter=1000), X, y)
    agree(found, expected, logistic(X, y, np.ones(len(y)), 1.0))


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "concrete"])
def test_logistic_regression_with_l1(name: str) -> None:
    X, y = halves(name)
    one = np.ones(len(y))
    for ratio in (1.0, 0.5):
        found = ours.LogisticRegression(C=0.1, l1_ratio=ratio).fit(X, y)
        of = theirs.LogisticRegression(C=0.1, l1_ratio=ratio, solver="saga", tol=1e-12, max_iter=20_000, random_state=0)
        expected = reference(of, X, y)
        agree(found, expected, logistic(X, y, one, 0.1, ratio))
        np.testing.assert_array_equal(found.coef_ == 0.0, expected.coef_ == 0.0)
    if len(found.classes_) == 2:
        of = {"C": 1.0, "l1_ratio": 1, "fit_intercept": False}
        found = ours.LogisticRegression(**of).fit(X, y)
        expected = reference(theirs.LogisticRegression(**of, solver="liblinear", tol=1e-14, max_iter=100_000), X, y)
        agree(found, expected, logistic(X, y, one, 1.0, 1.0))


def test_logistic_regression_without_a_penalty_is_statsmodels() -> None:
    X, y = halves("diabetes")
    found = ours.LogisticRegression(C=np.inf).fit(X, y)
    expected = sm.Logit((y == found.classes_[1]).astype(float), sm.add_constant(X)).fit(disp=0, tol=1e-14).params
    near(np.append(found.intercept_, found.coef_), expected)


@pytest.mark.parametrize("name, features", [("a9a", 123), ("w8a", 300)])
def test_logistic_regression_on_large_sets(name: str, features: int) -> None:
    folder = os.environ.get("SECANT_DATA")
    path = Path(folder or ".") / "classification" / f"{name}.libsvm.gz"
    if folder is None or not path.exists():
        pytest.skip(f"SECANT_DATA is to name the folder that has classification/{name}.libsvm.gz")
    X, y = load_svmlight_file(str(path), n_features=features)
    X = X.toarray()
    found = ours.LogisticRegression().fit(X, y)
    expected = reference(theirs.LogisticRegression(solver="newton-cholesky", tol=1e-13, max_iter=1000), X, y)
    agree(found, expected, logistic(X, y, np.ones(len(y)), 1.0))


@pytest.mark.parametrize("name", [*CLASSES, "diabetes", "concrete"])
def test_linear_svc(name: str) -> None:
    X, y = halves(name)
    s = weights(y)
    tight = {"dual": False, "tol": 1e-13, "max_iter": 100_000}
    settings = [{"C": 0.1}, {"C": 0.1, "intercept_scaling": 5.0}, {"C": 0.1, "class_weight": "balanced"}]
    for options in [*settings, {"C": 1.0, "fit_intercept": False}]:
        found = ours.LinearSVC(**options).fit(X, y, s)
        expected = reference(theirs_svm.LinearSVC(**options, **tight, random_state=0), X, y, sample_weight=s)
        # LIBLINEAR ends with gradients of some 1e-6: in a flat direction that is 1e-6 of the coefficients and more.
        near(found.coef_, expected.coef_, relative=1e-5)
        if "class_weight" not in options:
            no_higher(found, expected, hinge(X, y, s, options))
    if name == "digits":
        return
    # Below that tolerance LIBLINEAR's coordinate descent runs out of iterations, and ends above the minimum.
    tight["tol"] = 1e-11
    for options in ({"C": 1.0, "penalty": "l1"}, {"C": 0.1, "penalty": "l1"}):
        found = ours.LinearSVC(**options).fit(X, y, s)
        expected = reference(theirs_svm.LinearSVC(**options, **tight, random_state=0), X, y, sample_weight=s)
        agree(found, expected, hinge(X, y, s, options))


def hinge(X: np.ndarray, y: np.ndarray, s: np.ndarray, options: dict[str, Any]) -> Callable[[Any], float]:
    """LIBLINEAR's objectives, summed over the classes."""
    scaling = options.get("intercept_scaling", 1.0)

    def value(m: Any) -> float:
        of = m.classes_[1:] if len(m.classes_) == 2 else m.classes_
        t = np.where(y[:, None] == of, 1.0, -1.0)
        short = np.maximum(0.0, 1.0 - t * (X @ m.coef_.T + m.intercept_))
        all_of = np.column_stack([m.coef_, np.broadcast_to(m.intercept_, len(m.coef_)) / scaling])
        penalty = np.abs(all_of).sum() if options.get("penalty") == "l1" else 0.5 * (all_of**2).sum()
        return float(options["C"] * (s @ short**2).sum() + penalty)

    return value


def log_link(X: np.ndarray, y: np.ndarray, s: np.ndarray, alpha: float, gamma: bool) -> Callable[[Any], float]:
    """The mean of half the deviance, and the penalty."""

    def value(m: Any) -> float:
        z = X @ m.coef_ + m.intercept_
        half = np.exp(-z) * y - 1.0 + z - np.log(y) if gamma else xlogy(y, y) - y * z - y + np.exp(z)
        return float(s @ half / s.sum() + 0.5 * alpha * (m.coef_ @ m.coef_))

    return value


@pytest.mark.parametrize("kind", ["PoissonRegressor", "GammaRegressor"])
@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_generalised_linear_models(name: str, kind: str) -> None:
    X, y = read(name)
    gamma = kind == "GammaRegressor"
    y = y + 1.0 if name == "digits" and gamma else y
    s = weights(y)
    for alpha in (1e-3, 1.0):
        found = getattr(ours, kind)(alpha=alpha).fit(X, y, s)
        expected = getattr(theirs, kind)(alpha=alpha, solver="newton-cholesky", tol=1e-12, max_iter=1000)
        expected = reference(expected, X, y, sample_weight=s)
        agree(found, expected, log_link(X, y, s, alpha, gamma))
        near(found.score(X, y, s), expected.score(X, y, s))
    if name in ("diabetes", "yacht"):
        found = getattr(ours, kind)(alpha=0.0).fit(X, y, s)
        family = sm.families.Gamma(sm.families.links.Log()) if gamma else sm.families.Poisson()
        expected = sm.GLM(y, sm.add_constant(X), family, freq_weights=s).fit(tol=1e-14, maxiter=200).params
        near([found.intercept_, *found.coef_], expected)


@pytest.mark.parametrize("alpha", [1e-4, 1.0])
@pytest.mark.parametrize("name", [*NUMBERS, "digits"])
def test_huber(name: str, alpha: float) -> None:
    X, y = read(name)
    for s, intercept in ((np.ones(len(y)), True), (weights(y), True), (np.ones(len(y)), False)):
        found = ours.HuberRegressor(alpha=alpha, fit_intercept=intercept).fit(X, y, s)
        expected = theirs.HuberRegressor(alpha=alpha, fit_intercept=intercept, tol=1e-14, max_iter=10_000)
        expected = reference(expected, X, y, sample_weight=s)
        asked = X, y, 1.35, alpha, s

        def point(m: Any) -> np.ndarray:
            return np.array([*m.coef_, *([m.intercept_] if intercept else []), m.scale_])

        def objective(m: Any) -> float:
            return _huber_loss_and_gradient(point(m), *asked)[0]

        no_higher(found, expected, objective)
        # Theirs, by L-BFGS-B, ends where its value no longer falls, 1e-5 off: it is their problem, solved further.
        of = {"gtol": 1e-12 * len(y), "maxiter": 2000}
        further = minimize(_huber_loss_and_gradient, point(expected), jac=True, args=asked, method="BFGS", options=of)
        near(point(found), further.x)
        if alpha >= 1.0:
            np.testing.assert_array_equal(found.outliers_, expected.outliers_)


@pytest.mark.parametrize("name", ["diabetes", "concrete", "yacht", "iris", "wine", "breast_cancer"])
def test_quantiles(name: str) -> None:
    X, y = read(name)
    if name in CLASSES:
        X, y = X[:, 1:], X[:, 0]
    for tau, part in ((0.5, 0.01), (0.9, 0.001)):
        alpha = part * y.std()

        def objective(m: Any) -> float:
            e = y - X @ m.coef_ - m.intercept_
            return float(np.mean(np.maximum(tau * e, (tau - 1.0) * e)) + alpha * np.abs(m.coef_).sum())

        expected = theirs.QuantileRegressor(quantile=tau, alpha=alpha).fit(X, y)
        for width in (1e-3, 1e-9):
            found = ours.QuantileRegressor(quantile=tau, alpha=alpha, width=width * y.std()).fit(X, y)
            assert objective(found) <= objective(expected) + width * y.std() * np.log(2.0)
        # The smoothed objective is another: its minimum tends to theirs with the width.
        near(found.coef_, expected.coef_)


@pytest.mark.parametrize("name", ["diabetes", "concrete", "yacht", "iris", "wine", "breast_cancer"])
def test_kernel_ridge(name: str) -> None:
    X, y = read(name)
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    kernels = [{"kernel": "rbf", "gamma": 0.1}, {"kernel": "poly", "degree": 2}, {"alpha": 1e-2, "kernel": "laplacian"}]
    for options in kernels:
        found = ours.KernelRidge(**options).fit(X, y, s)
        expected = theirs_kernel.KernelRidge(**options).fit(X, y, s)
        near(found.dual_coef_, expected.dual_coef_)
        near(found.predict(X), expected.predict(X))


@pytest.mark.parametrize("name", ["diabetes", "concrete", "yacht"])
def test_a_perceptron_without_a_hidden_layer_is_ridge_regression(name: str) -> None:
    X, y = read(name)
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    found = ours.MLPRegressor((), alpha=2.0, random_state=0).fit(X, y, s)
    expected = theirs.Ridge(2.0, solver="svd").fit(X, y, s)
    near(found.coefs_[0][:, 0], expected.coef_)
    near(found.intercepts_[0][0], expected.intercept_)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_a_perceptron_without_a_hidden_layer_is_logistic_regression(name: str) -> None:
    X, y = read(name)
    found = ours.MLPClassifier((), alpha=2.0, random_state=0).fit(X, y)
    expected = reference(theirs.LogisticRegression(C=0.5, solver="newton-cholesky", tol=1e-13, max_iter=1000), X, y)
    near(found.predict_proba(X), expected.predict_proba(X))
    near(found.coefs_[0].T, expected.coef_)


def outputs(m: Any, X: np.ndarray) -> np.ndarray:
    """A forward pass through layers of tanh."""
    for W, b in zip(m.coefs_[:-1], m.intercepts_[:-1]):
        X = np.tanh(X @ W + b)
    return X @ m.coefs_[-1] + m.intercepts_[-1]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "concrete", "yacht"])
def test_perceptrons_go_no_higher_than_scikit_learn_from_where_it_ends(name: str) -> None:
    X, y = read(name)
    classes = name in CLASSES
    y = y if classes else (y - y.mean()) / y.std()
    options = {"hidden_layer_sizes": (6, 4), "activation": "tanh", "alpha": 1.0, "random_state": 3}
    kind = "MLPClassifier" if classes else "MLPRegressor"
    expected = reference(getattr(theirs_mlp, kind)(solver="lbfgs", tol=1e-12, max_iter=5000, **options), X, y)
    found = getattr(ours, kind)(warm_start=True, **options)
    found.coefs_, found.intercepts_ = expected.coefs_, expected.intercepts_
    found.fit(X, y)

    def objective(m: Any) -> float:
        z = outputs(m, X)
        penalty = 0.5 * sum((W**2).sum() for W in m.coefs_) / len(y)
        if not classes:
            return float(0.5 * np.mean((z[:, 0] - y) ** 2) + penalty)
        z = np.column_stack([np.zeros(len(y)), z]) if z.shape[1] == 1 else z
        return float(np.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y]) + penalty)

    no_higher(found, expected, objective)
    assert found.loss_ == pytest.approx(objective(found), rel=1e-12)
    probe = expected.predict_proba if classes else expected.predict
    mine = found.predict_proba if classes else found.predict
    # L-BFGS ends near the minimum, not in it.
    np.testing.assert_allclose(mine(X), probe(X), rtol=0, atol=2e-2)
    # The same network: their forward pass with these layers.
    expected.coefs_, expected.intercepts_ = found.coefs_, found.intercepts_
    np.testing.assert_allclose(mine(X), probe(X), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "name, column",
    [("power_plant", 0), ("yacht", 5), ("diabetes", 2), ("energy", 0), ("wine", 6), ("breast_cancer", 2)],
)
def test_curves_are_those_of_scipy(name: str, column: int) -> None:
    X, y = read(name)
    x, y = X[:, [column]], X[:, 0] if name in CLASSES else y
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(y))
    found = ours.CurveRegressor("a*exp(b*x) + c").fit(x, y, s)

    def curve(x: np.ndarray, a: float, b: float, c: float) -> np.ndarray:
        return a * np.exp(b * x) + c

    start = list(found.parameters_.values())
    expected, covariance = curve_fit(curve, x[:, 0], y, start, 1.0 / np.sqrt(s), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    near(start, expected)
    near(found.predict(x), curve(x[:, 0], *expected))
    errors = [one["standard_error"] for one in found.inference_["estimates"]]
    near(errors, np.sqrt(np.diag(covariance)), relative=1e-4)
