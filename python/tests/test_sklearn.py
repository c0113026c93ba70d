"""scikit-learn's estimators: its own checks, and what goes with estimators."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from io import BytesIO
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import secant
import secant.sklearn as ours

CURVE = "a*x1 + b"
LINEAR = [
    ours.LinearRegression(),
    ours.LinearRegression(positive=True),
    ours.LinearRegression(fit_intercept=False, certified=True),
    ours.Ridge(),
    ours.Ridge(positive=True),
    ours.RidgeCV(),
    ours.RidgeCV(cv=3),
    ours.Lasso(),
    ours.Lasso(alpha=0.01, positive=True),
    ours.ElasticNet(),
    ours.LogisticRegression(),
    ours.LogisticRegression(l1_ratio=1.0),
    ours.LogisticRegression(C=10.0, l1_ratio=0.5, class_weight="balanced"),
    ours.LinearSVC(),
    ours.LinearSVC(penalty="l1"),
    ours.PoissonRegressor(),
    ours.GammaRegressor(),
    ours.HuberRegressor(),
    ours.QuantileRegressor(),
]
OTHERS = [
    ours.KernelRidge(),
    ours.KernelRidge(kernel="rbf", alpha=0.1),
    ours.MLPRegressor((5,), alpha=1.0, random_state=0),
    ours.MLPClassifier((5,), alpha=1.0, random_state=0),
    ours.CurveRegressor(CURVE),
]
ALL = [*LINEAR, *OTHERS]


def expected_failures(estimator: Any) -> dict[str, str]:
    """None but of the curve."""
    if isinstance(estimator, ours.CurveRegressor):
        return {"check_regressors_train": "asks for R² > 0.5 on ten columns, the formula has one of them"}
    return {}


@parametrize_with_checks(ALL, expected_failed_checks=expected_failures)
def test_scikit_learns_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def data(estimator: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """What it can be fitted to."""
    load = load_iris if is_classifier(estimator) else load_diabetes
    X, y = load(return_X_y=True, as_frame=True)
    X = pd.DataFrame(StandardScaler().fit_transform(X), columns=[f"x{j + 1}" for j in range(X.shape[1])])
    return X, y.to_numpy()


def name(estimator: Any) -> str:
    return repr(estimator).replace("\n", "").replace(" ", "")


every = pytest.mark.parametrize("estimator", ALL, ids=name)


@every
def test_what_is_pickled_predicts_the_same_bits(estimator: Any) -> None:
    X, y = data(estimator)
    fitted = clone(estimator).fit(X, y)
    file = BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(file)):
        np.testing.assert_array_equal(copy.predict(X), fitted.predict(X))
        if hasattr(fitted, "predict_proba"):
            np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
        assert copy.report_["message"] == fitted.report_["message"]
        assert list(copy.feature_names_in_) == list(X.columns)


@every
def test_data_frames(estimator: Any) -> None:
    X, y = data(estimator)
    fitted = clone(estimator).fit(X, y)
    other = clone(estimator).fit(pl.from_pandas(X), pl.Series("y", y))
    assert list(fitted.feature_names_in_) == list(other.feature_names_in_) == list(X.columns)
    np.testing.assert_array_equal(fitted.predict(X), other.predict(pl.from_pandas(X)))
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(X[X.columns[::-1]])
    unnamed = clone(estimator).fit(X.to_numpy(), y)
    np.testing.assert_array_equal(unnamed.predict(X.to_numpy()), fitted.predict(X))


@every
def test_pipelines_scores_and_representations(estimator: Any) -> None:
    X, y = data(estimator)
    # A pipeline knows no names of columns.
    by_name = isinstance(estimator, ours.CurveRegressor)
    line = clone(estimator) if by_name else make_pipeline(StandardScaler(), clone(estimator))
    scores = cross_val_score(line, X, y, cv=3)
    assert np.isfinite(scores).all()
    assert type(estimator).__name__ in estimator_html_repr(clone(estimator).fit(X, y))
    with pytest.raises(NotFittedError):
        clone(estimator).predict(X)


@every
def test_sparse_inputs_are_taken_or_refused(estimator: Any) -> None:
    X, y = data(estimator)
    if get_tags(estimator).input_tags.sparse:
        clone(estimator).fit(sparse.csr_matrix(X.to_numpy()), y)
        return
    with pytest.raises(TypeError, match="Sparse data was passed"):
        clone(estimator).fit(sparse.csr_matrix(X.to_numpy()), y)


@pytest.mark.parametrize(
    "estimator, grid",
    [
        (ours.Ridge(), {"alpha": [0.1, 10.0]}),
        (ours.Lasso(), {"alpha": [0.1, 1.0]}),
        (ours.LogisticRegression(), {"C": [0.1, 1.0], "l1_ratio": [0.0, 1.0]}),
        (ours.LinearSVC(), {"C": [0.1, 1.0]}),
        (ours.MLPRegressor((3,), random_state=0, alpha=10.0), {"activation": ["tanh", "softplus"]}),
        (ours.CurveRegressor(CURVE), {"formula": ["a*x1 + b", "a*x3 + b"]}),
    ],
    ids=name,
)
def test_grid_searches(estimator: Any, grid: dict) -> None:
    X, y = data(estimator)
    search = GridSearchCV(estimator, grid, cv=3, n_jobs=2).fit(X, y)
    assert search.best_params_.keys() == grid.keys()
    assert search.score(X, y) == search.best_estimator_.score(X, y)


def test_ensembles_of_theirs() -> None:
    X, y = load_diabetes(return_X_y=True)
    assert BaggingRegressor(ours.Ridge(0.1), random_state=0).fit(X, y).score(X, y) > 0.4
    assert MultiOutputRegressor(ours.HuberRegressor()).fit(X, np.column_stack([y, -y])).predict(X).shape == (len(y), 2)


@pytest.mark.parametrize(
    "estimator",
    [
        ours.Lasso(0.1),
        ours.Lasso(0.1, positive=True),
        ours.ElasticNet(0.1),
        ours.LogisticRegression(),
        ours.LogisticRegression(l1_ratio=0.5),
        ours.PoissonRegressor(),
        ours.GammaRegressor(),
        ours.HuberRegressor(),
        ours.QuantileRegressor(alpha=0.1, width=1.0),
        ours.MLPRegressor((3,), alpha=10.0, random_state=0),
        ours.MLPClassifier((3,), alpha=10.0, random_state=0),
    ],
    ids=name,
)
def test_a_warm_start_begins_where_the_last_fit_ended(estimator: Any) -> None:
    X, y = data(estimator)
    warm = clone(estimator).set_params(warm_start=True).fit(X, y)
    first = warm.predict(X)
    cold = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(first, cold.predict(X))
    steps = np.max(warm.n_iter_)
    warm.fit(X, y)
    assert np.max(warm.n_iter_) <= min(3, steps)
    assert warm.report_["initial_gradient"] < 1e-3 * cold.report_["initial_gradient"] or steps == 1
    # A coefficient of QuantileRegressor may move along a flat part of its objective.
    np.testing.assert_allclose(warm.predict(X), first, rtol=1e-6, atol=1e-6)


def test_what_ends_early_warns_and_says_why() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(ConvergenceWarning, match="LogisticRegression: .*iterations are used up.*gradient"):
        early = ours.LogisticRegression(max_iter=2).fit(X, y)
    assert early.n_iter_[0] == 2 and early.report_["reason"] == "MaxIterations"
    full = ours.LogisticRegression().fit(X, y)
    loose = ours.LogisticRegression(tol=1e-3).fit(X, y)
    assert loose.n_iter_[0] < full.n_iter_[0]
    assert full.report_["gradient"] < loose.report_["gradient"] <= 1e-3


@pytest.mark.parametrize("method", ["lbfgs", "newton-cg", "trust-ncg", "BFGS"])
def test_methods_by_name(method: str) -> None:
    X, y = data(ours.LogisticRegression())
    found, other = ours.LogisticRegression(method=method).fit(X, y), ours.LogisticRegression().fit(X, y)
    assert found.report_["solver"] != other.report_["solver"]
    np.testing.assert_allclose(found.coef_, other.coef_, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "estimator, words",
    [
        (ours.Ridge(-1.0), "alpha == -1.0"),
        (ours.Lasso(-1.0), "alpha == -1.0"),
        (ours.ElasticNet(l1_ratio=2.0), "l1_ratio == 2.0"),
        (ours.RidgeCV(alphas=(0.0, 1.0)), r"alphas\[0\] == 0.0"),
        (ours.LogisticRegression(C=0.0), "C == 0.0"),
        (ours.LogisticRegression(tol=-1.0), "tol == -1.0"),
        (ours.LinearSVC(loss="hinge"), "kinks"),
        (ours.LinearSVC(intercept_scaling=0.0), "intercept_scaling == 0.0"),
        (ours.HuberRegressor(epsilon=0.5), "epsilon == 0.5"),
        (ours.QuantileRegressor(quantile=1.0), "quantile == 1.0"),
        (ours.QuantileRegressor(width=0.0), "width == 0.0"),
        (ours.MLPRegressor((3, 0)), "hidden_layer_sizes == 0"),
        (ours.MLPRegressor(activation="step"), "no activation `step`"),
        (ours.CurveRegressor("a*t + b"), "has no input"),
        (ours.CurveRegressor("a*x1 +"), "expected a number, a name"),
        (ours.LogisticRegression(method="newtn"), "newtn"),
    ],
    ids=name,
)
def test_wrong_settings_are_named(estimator: Any, words: str) -> None:
    X, y = data(estimator)
    with pytest.raises(ValueError, match=words):
        estimator.fit(X, y)


def test_wrong_weights_and_targets_are_named() -> None:
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match="[Nn]egative"):
        ours.Ridge().fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="zero"):
        ours.Ridge().fit(X, y, np.zeros(len(y)))
    for estimator in (ours.PoissonRegressor(), ours.GammaRegressor()):
        with pytest.raises(ValueError, match="out of the valid range"):
            estimator.fit(X, y - y.mean())
    with pytest.raises(ValueError, match="at least 2 classes"):
        ours.LogisticRegression().fit(X, np.zeros(len(y)))


def test_columns_that_depend_on_each_other_are_named() -> None:
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X = X[["bmi", "bp"]].assign(both=X["bmi"] + X["bp"])
    found = ours.LinearRegression().fit(X, y)
    assert found.rank_ == 2
    assert any("both" in words for words in found.report_["null_directions"])


def test_networks() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    # A random label here and there: what is held out then tells when to end.
    noisy = np.where(np.random.default_rng(0).random(len(y)) < 0.2, 1 - y, y)
    found = ours.MLPClassifier((20,), alpha=1e-6, early_stopping=True, validation_fraction=0.3, random_state=0)
    found.fit(X, noisy)
    assert found.report_["validation"]["loss"] < 0.8
    assert found.report_["reason"] == "ValidationStopped"
    assert found.score(X, y) > 0.85
    again = clone(found).fit(X, noisy)
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))
    assert [one.shape for one in found.coefs_] == [(30, 20), (20, 1)]
    assert isinstance(found.model_, secant.Model)
    many = ours.MLPRegressor((4,), alpha=1.0, random_state=0).fit(X[:, :5], X[:, 5:7])
    assert many.predict(X[:, :5]).shape == (len(y), 2) and many.n_outputs_ == 2
    flat = ours.MLPRegressor((4, 3), activation="identity", alpha=1e-8, random_state=0).fit(X[:, :5], X[:, 5])
    best = ours.LinearRegression().fit(X[:, :5], X[:, 5])
    np.testing.assert_allclose(flat.predict(X[:, :5]), best.predict(X[:, :5]), atol=1e-5)


def test_curves() -> None:
    t = np.linspace(0.0, 4.0, 80)
    frame = pd.DataFrame({"unused": np.ones(80), "time": t})
    y = 2.5 * np.exp(-1.3 * t) + 0.5
    by_name = ours.CurveRegressor("a*exp(-b*time) + c").fit(frame, y)
    assert by_name.parameters_ == pytest.approx({"a": 2.5, "b": 1.3, "c": 0.5}, rel=1e-9)
    only = ours.CurveRegressor("a*exp(-b*x) + c").fit(t[:, None], y)
    np.testing.assert_allclose(only.predict(t[:, None]), y, rtol=1e-12)
    np.testing.assert_allclose(by_name.predict(frame), y, rtol=1e-12)
    held = ours.CurveRegressor("a*exp(-b*x) + c", fixed={"c": 0.5}, bounds={"b": (0.0, 1.0)}).fit(t[:, None], y)
    assert held.parameters_["c"] == 0.5 and held.parameters_["b"] == pytest.approx(1.0)
    outlier = y.copy()
    outlier[3] += 50.0
    robust = ours.CurveRegressor("a*exp(-b*x) + c", loss="tukey").fit(t[:, None], outlier + 1e-3 * np.sin(50.0 * t))
    assert robust.parameters_ == pytest.approx({"a": 2.5, "b": 1.3, "c": 0.5}, rel=1e-2)


def test_huber_leaves_outliers_out() -> None:
    X, y = load_diabetes(return_X_y=True)
    clean = ours.LinearRegression().fit(X, y)
    y = y.copy()
    y[::20] += 5000.0
    found = ours.HuberRegressor(alpha=0.0).fit(X, y)
    assert found.outliers_[::20].all()
    assert np.abs(found.predict(X) - clean.predict(X)).max() < 60.0


def test_a_precomputed_kernel() -> None:
    X, y = load_diabetes(return_X_y=True)
    kernel = X @ X.T
    found, other = ours.KernelRidge(kernel="precomputed").fit(kernel, y), ours.KernelRidge().fit(X, y)
    np.testing.assert_allclose(found.predict(kernel), other.predict(X), rtol=1e-12)
    with pytest.warns(UserWarning, match="Singular matrix"):
        singular = ours.KernelRidge(alpha=0.0).fit(X, y)
    best = ours.LinearRegression(fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(singular.predict(X), best.predict(X), rtol=1e-6, atol=1e-6)


def test_secant_itself_does_without_scikit_learn() -> None:
    code = "import secant, sys; sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("order", ["C", "F", "neither"])
@pytest.mark.parametrize("shape", [(1, 3), (301, 70), (3, 200), (20_000, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_centred_tables(order, shape, weighted):
    random = np.random.default_rng(3)
    samples, features = shape
    X = random.normal(size=shape) + 10.0 ** random.integers(0, 8, features)
    weights = random.choice([0.0, 0.5, 3.0], samples) if weighted else None
    if weighted:
        weights[-1] = 1.0
    X[:, 1] = 0.1
    if weighted:
        # What does not count is no number that it knows.
        X[weights == 0.0, 1] = 7.0
    counts = np.ones(samples) if weights is None else weights
    X = {"C": X, "F": np.asfortranarray(X), "neither": np.repeat(X, 2, axis=1)[:, ::2]}[order]
    inputs, means = ours._base.centre(X, weights)
    expected = [math.fsum(counts * column) / math.fsum(counts) for column in X.T]
    assert (np.abs(means - expected) <= 4e-16 * np.abs(X).max(axis=0)).all()
    assert means[1] == 0.1 and (inputs[counts > 0.0, 1] == 0.0).all()
    np.testing.assert_array_equal(inputs, X - means)
    assert inputs.flags.c_contiguous


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32, np.float64, object, str])
@pytest.mark.parametrize("count", [2, 3])
def test_classes_of_every_type_are_counted_as_numpy_sorts_them(kind, count):
    from secant.sklearn._logistic import labels_of

    numbers = np.arange(60) % count
    y = np.array([f"class {k}" for k in numbers], dtype=object) if kind is object else numbers.astype(kind)
    classes, labels = labels_of(None, y)
    wanted, inverse = np.unique(y, return_inverse=True)
    assert classes.dtype == wanted.dtype and np.array_equal(classes, wanted) and np.array_equal(labels, inverse)


def test_targets_that_are_no_classes_are_refused_and_many_classes_told():
    X = np.random.default_rng(0).normal(size=(40, 2))
    for y in (np.full(40, 0.5), X[:, 0]):
        with pytest.raises(ValueError, match="continuous"):
            ours.LogisticRegression().fit(X, y)
    for kind in (int, float):
        with pytest.raises(ValueError, match="only one class"):
            ours.LogisticRegression().fit(X, np.ones(40, dtype=kind))
        with pytest.warns(UserWarning, match="greater than 50%"):
            ours.LogisticRegression().fit(X, np.arange(40, dtype=kind))
