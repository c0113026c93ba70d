"""Sparse inputs against the same numbers as a dense table, and against scikit-learn's."""

import numpy as np
import pytest
import secant
from scipy import sparse
from secant.sklearn import GammaRegressor, LinearSVC, LogisticRegression, PoissonRegressor
from sklearn import linear_model


@pytest.fixture(scope="module")
def rows():
    X = sparse.random(400, 30, density=0.1, format="csr", random_state=np.random.default_rng(1))
    X.data = X.data - 0.4
    return X


@pytest.fixture(scope="module")
def score(rows):
    return rows @ np.linspace(-2.0, 2.0, 30)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(2).normal(size=400)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array, sparse.csr_array, sparse.lil_matrix])
def test_a_fit_is_that_of_the_dense_table(rows, score, noise, form):
    y = score + noise
    there = secant.fit("linear", form(rows), y)
    dense = secant.fit("linear", rows.toarray(), y)
    np.testing.assert_allclose(there.model.theta, dense.model.theta, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(there.model.predict(form(rows)), dense.model.predict(rows.toarray()), rtol=1e-10, atol=1e-12)
    assert there.model.score(rows, y)["R²"] == pytest.approx(dense.model.score(rows.toarray(), y)["R²"], rel=1e-12)


def test_a_risk_has_the_values_and_products_of_the_dense_one(rows, score):
    net, labels = secant.Network.mlp([30, 4, 3], "tanh"), (score > 0).astype(int) + (score > 1)
    theta, v = net.draw(3), np.random.default_rng(4).normal(size=net.dim)
    of_sparse = secant.Risk(net, rows, labels.astype(str), loss="softmax")
    of_dense = secant.Risk(net, rows.toarray(), labels.astype(str), loss="softmax")
    for (a, b) in zip(of_sparse.value_and_grad(theta), of_dense.value_and_grad(theta)):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(of_sparse.hvp(theta, v), of_dense.hvp(theta, v), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("intercept", [True, False])
def test_logistic_regression_is_scikit_learns(rows, score, noise, intercept):
    y = score + noise > 0.0
    ours = LogisticRegression(C=2.0, fit_intercept=intercept).fit(rows, y)
    theirs = linear_model.LogisticRegression(C=2.0, fit_intercept=intercept, solver="newton-cholesky", tol=1e-14, max_iter=10_000).fit(rows, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), atol=1e-7)


@pytest.mark.parametrize("estimator", [
    LogisticRegression(l1_ratio=1.0), LinearSVC(), LinearSVC(intercept_scaling=3.0), PoissonRegressor(alpha=0.1), GammaRegressor(alpha=0.1),
])
def test_estimators_do_as_with_the_dense_table(rows, score, noise, estimator):
    if isinstance(estimator, PoissonRegressor):
        y = np.floor(np.exp(0.3 * score) * np.abs(noise))
    elif isinstance(estimator, GammaRegressor):
        y = np.exp(0.3 * score) * (0.1 + np.abs(noise))
    else:
        y = score + noise > 0.0
    of_sparse = estimator.fit(rows, y)
    coef, intercept, found = np.copy(of_sparse.coef_), np.copy(of_sparse.intercept_), of_sparse.predict(rows)
    of_dense = estimator.fit(rows.toarray(), y)
    np.testing.assert_allclose(coef, of_dense.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(intercept, of_dense.intercept_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found, of_dense.predict(rows.toarray()), rtol=1e-6)


def test_entries_of_one_place_are_added_up_and_the_matrix_is_left_alone():
    twice = sparse.coo_matrix(([1.0, 2.0, 4.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    unsorted = sparse.csr_matrix((np.array([1.0, 3.0, 4.0]), np.array([1, 0, 0]), np.array([0, 2, 3])), shape=(2, 2))
    before = unsorted.indices.copy()
    net = secant.Network.linear(2)
    theta = np.array([1.0, 10.0, 0.5])
    for X in (twice, unsorted):
        a = secant.Risk(net, X, np.zeros(2)).value_and_grad(theta)
        b = secant.Risk(net, X.toarray(), np.zeros(2)).value_and_grad(theta)
        np.testing.assert_allclose(np.r_[a[0], a[1]], np.r_[b[0], b[1]], rtol=1e-15)
    assert (unsorted.indices == before).all()


def test_what_is_wrong_is_said(rows):
    with pytest.raises(ValueError, match="sample 0.*NaN"):
        secant.fit("linear", sparse.csr_matrix([[0.0, np.nan], [1.0, 0.0]]), [1.0, 2.0])
    with pytest.raises(ValueError, match="400 samples, y has 3"):
        secant.fit("linear", rows, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="complex|expected numbers"):
        secant.fit("linear", sparse.csr_matrix([[1j, 0.0]]), [1.0])
    net = secant.Network.from_description({"input": 30, "node": [
        {"name": "bend", "op": "tanh", "inputs": ["input"]}, {"name": "out", "op": "dense", "inputs": ["bend"], "outputs": 1},
    ]})
    with pytest.raises(ValueError, match="node `bend`.*needs dense inputs"):
        secant.fit(net, rows, np.zeros(400))


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint16])
def test_columns_of_any_whole_type(kind):
    X, y = sparse.random(30, 7, density=0.4, format="csr", random_state=np.random.default_rng(5)), np.arange(30.0)
    expected = secant.fit("linear", X, y).model.theta
    X.indices, X.indptr = X.indices.astype(kind), X.indptr.astype(kind)
    np.testing.assert_array_equal(secant.fit("linear", X, y).model.theta, expected)


@pytest.mark.parametrize("column", [-1, 2**32, 2**32 + 1])
def test_columns_that_no_feature_has(column):
    X = sparse.csr_matrix(np.ones((4, 2)))
    X.has_canonical_format = True
    X.indices = X.indices.astype(np.int64)
    X.indices[3] = column
    with pytest.raises(ValueError, match=f"the columns of its entries have {column}"):
        secant.Risk(secant.Network.linear(2, 1), X, np.arange(4.0))
