"""Networks, fits, models, the objective itself."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.optimize as scipy_optimize

import secant


@pytest.fixture(scope="module")
def wave():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] ** 2


def test_a_network_has_its_shape():
    net = secant.Network.mlp([8, 32, 1], "tanh")
    assert (net.features, net.outputs, net.dim) == (8, 1, 8 * 32 + 32 + 32 + 1)
    assert net.draw(1).shape == (net.dim,) and not np.array_equal(net.draw(1), net.draw(2))
    assert secant.Network.linear(4, 2, bias=False).dim == 8
    with pytest.raises(ValueError, match="no activation `tahn`"):
        secant.Network.mlp([2, 2, 1], "tahn")
    with pytest.raises(ValueError):
        secant.Network.mlp([2])


def test_graphs_by_description_and_node_by_node():
    text = """
    input = 3
    [[node]]
    name = "hidden"
    op = "dense"
    outputs = 4
    [[node]]
    name = "tanh"
    op = "tanh"
    [[node]]
    name = "out"
    op = "dense"
    outputs = 1
    """
    by_toml = secant.Network.from_description(text)
    g = secant.GraphBuilder(3)
    built = g.build(g.node("dense", g.node("tanh", g.node("dense", g.input, outputs=4)), outputs=1))
    assert by_toml.dim == built.dim == secant.Network.mlp([3, 4, 1]).dim
    again = secant.Network.from_description(built.description())
    assert again.description() == built.description()
    assert pickle.loads(pickle.dumps(built)).dim == built.dim
    with pytest.raises(ValueError, match="dens"):
        secant.Network.from_description({"input": 2, "node": [{"name": "a", "op": "dens", "outputs": 1}]})
    assert "<svg" in built._repr_html_()


def test_a_fit_of_numbers(wave):
    X, y = wave
    fit = secant.fit(secant.Network.mlp([3, 12, 1]), X, y, max_iterations=300)
    assert fit.model.score(X, y)["R²"] > 0.999
    assert fit.predict(X).shape == (200,) and fit.trace["value"][-1] < fit.trace["value"][0]
    assert "iterations" in repr(fit)


def test_a_linear_fit_is_numpys(concrete):
    X, y = concrete
    fit = secant.fit("linear", X, y)
    design = np.column_stack([X, np.ones(len(y))])
    truth = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(fit.predict(X), truth, rtol=1e-9)
    found = fit.inference()
    assert "R²" in found["text"] and len(found["estimates"]) == 9
    band = fit.band(X[:3])
    assert (band["lower"] < band["value"]).all() and (band["low"] < band["lower"]).all()


def test_classes_of_texts():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((150, 2))
    y = np.where(X[:, 0] > 0.3, "high", np.where(X[:, 1] > 0, "left", "right"))
    fit = secant.fit(secant.Network.mlp([2, 8, 3]), X, y, penalty=1e-3)
    assert set(fit.predict(X)) == {"high", "left", "right"}
    assert np.mean(fit.predict(X) == y) > 0.95
    probabilities = fit.model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    two = secant.fit("linear", X, X[:, 0] > 0, loss="logistic", penalty=1e-2)
    assert two.model.predict_proba(X).shape == (150, 2)
    with pytest.raises(ValueError, match="the model knows"):
        fit.model.score(X, np.full(150, "other"))


def test_models_come_back_from_files_and_pickles(wave, tmp_path):
    X, y = wave
    fit = secant.fit(secant.Network.mlp([3, 6, 1]), X, y, max_iterations=30)
    fit.model.save(tmp_path / "m.safetensors")
    for again in (secant.Model.load(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(fit.model))):
        assert (again.predict(X) == fit.predict(X)).all()
    with pytest.raises(FileNotFoundError):
        secant.Model.load(tmp_path / "none")
    data = fit.model.to_bytes()
    for broken in (data[:-3], data[:20], b"", data[:-1] + bytes([data[-1] ^ 1])):
        with pytest.raises(ValueError):
            secant.Model.from_bytes(broken)


def test_classes_come_back_too(tmp_path):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 2))
    y = np.array(["no", "yes"])[(X[:, 0] > 0).astype(int)]
    fit = secant.fit("linear", X, y, penalty=0.1)
    fit.model.save(tmp_path / "m.safetensors")
    assert (secant.Model.load(tmp_path / "m.safetensors").predict(X) == fit.predict(X)).all()


def test_frames_name_their_columns():
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    rng = np.random.default_rng(3)
    columns = {"a": rng.standard_normal(50), "b": rng.standard_normal(50)}
    y = 2 * columns["a"] - columns["b"]
    for make in (pandas.DataFrame, polars.DataFrame):
        fit = secant.fit("linear", make(columns), y)
        assert fit.model.feature_names == ["a", "b"]
        turned = make({"b": columns["b"], "a": columns["a"]})
        np.testing.assert_allclose(fit.predict(turned), y, atol=1e-9)


def test_weights_count(wave):
    X, y = wave
    weights = np.zeros(200)
    weights[:100] = 1.0
    half = secant.fit("linear", X[:100], y[:100], standardize="none")
    weighted = secant.fit("linear", X, y, sample_weight=weights, standardize="none")
    np.testing.assert_allclose(half.model.theta, weighted.model.theta, rtol=1e-9)


def test_samples_held_out_and_several_starts(wave):
    X, y = wave
    fit = secant.fit(secant.Network.mlp([3, 8, 1]), X, y, validation=0.25, patience=20, max_iterations=200)
    assert fit.report["validation"]["loss"] > 0
    fit = secant.fit(secant.Network.mlp([3, 8, 1]), X[:150], y[:150], validation=(X[150:], y[150:]), max_iterations=50)
    assert "validation" in fit.trace
    fit = secant.fit(secant.Network.mlp([3, 3, 1]), X, y, starts=4, max_iterations=100)
    assert len(fit.starts["values"]) == 4 and fit.report["value"] == min(fit.starts["values"])


def test_bounds_and_l1_of_a_fit(wave):
    X, y = wave
    net = secant.Network.linear(3)
    fit = secant.fit(net, X, y, bounds=[(0, None)] * 3 + [(None, None)], standardize="none")
    assert (fit.model.theta[:3] >= 0).all()
    sparse = secant.fit(net, X, y, l1=[0.2] * 3 + [0.0], standardize="none")
    assert (sparse.model.theta[:3] == 0).any()


def test_checkpoints_are_taken_up(wave, tmp_path):
    X, y = wave
    net = secant.Network.mlp([3, 6, 1])
    path = tmp_path / "run"
    options = {"method": "lbfgs", "checkpoint": path}
    secant.fit(net, X, y, max_iterations=10, **options)
    resumed = secant.fit(net, X, y, max_iterations=40, resume=path, method="lbfgs")
    whole = secant.fit(net, X, y, max_iterations=40, method="lbfgs")
    assert (resumed.model.theta == whole.model.theta).all()


def test_reports_as_pages(wave):
    X, y = wave
    fit = secant.fit("linear", X, y)
    page = fit.html(title="Waves", held_out=(X[:50], y[:50]))
    assert page.startswith("<!DOCTYPE html>") and "Waves" in page
    assert "<svg" in fit.model.html(X, y)


# --- the objective ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def risk(wave):
    X, y = wave
    return secant.Risk(secant.Network.mlp([3, 5, 1]), X, y, penalty=1e-3)


def test_derivatives_are_those_of_the_value(risk):
    theta = risk.network.draw(4)
    v = np.random.default_rng(5).standard_normal(risk.dim)
    value, gradient = risk.value_and_grad(theta)
    assert value == risk(theta)
    h = 1e-5
    slope = (risk(theta + h * v) - risk(theta - h * v)) / (2 * h)
    assert gradient @ v == pytest.approx(slope, rel=1e-6)
    bend = (risk.grad(theta + h * v) - risk.grad(theta - h * v)) / (2 * h)
    np.testing.assert_allclose(risk.hvp(theta, v), bend, rtol=1e-5, atol=1e-8)
    at = risk.linearize(theta)
    np.testing.assert_allclose(at.hessian() @ v, at.hvp(v), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(at.gauss_newton() @ v, risk.ggnvp(theta, v), rtol=1e-10, atol=1e-12)
    assert at.value == value and (at.gradient == gradient).all()
    np.testing.assert_allclose(at.hessian(), at.hessian().T)
    r, j = risk.residuals(theta)
    assert 0.5 * r @ r == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(j.T @ r, gradient, rtol=1e-9, atol=1e-12)


def test_scipy_runs_on_it(risk):
    theta = risk.network.draw(4)
    ours = risk.minimize(theta, options={"max_iterations": 500})
    theirs = scipy_optimize.minimize(
        risk.value_and_grad, theta, jac=True, hessp=risk.hvp, method="trust-ncg", options={"gtol": 1e-8}
    )
    assert theirs.fun < risk(theta) and ours.fun <= theirs.fun + 1e-3
    assert ours.jac.shape == theta.shape


def test_a_linearisation_outlives_its_risk(wave):
    X, y = wave
    at = secant.Risk(secant.Network.linear(3), X, y).linearize(np.zeros(4))
    assert at.hvp(np.ones(4)).shape == (4,)


def test_wrong_shapes_of_theta(risk):
    with pytest.raises(ValueError, match="3 entries"):
        risk.value(np.zeros(3))
    with pytest.raises(ValueError, match="v has 2 entries"):
        risk.hvp(np.zeros(risk.dim), np.zeros(2))


@pytest.mark.parametrize("loss", ["poisson", "gamma", {"quantile": {"tau": 0.9, "width": 0.1}}, "huber"])
def test_losses_by_name(wave, loss):
    X, _ = wave
    y = np.exp(0.3 * X[:, 0])
    fit = secant.fit("linear", X, y, loss=loss)
    assert fit.converged


def test_two_classes_have_one_logistic_score(wave):
    X, _ = wave
    labels = (X[:, 0] > 0).astype(int)
    risk = secant.Risk("linear", X, labels, loss="logistic", penalty=0.1)
    fit = secant.fit("linear", X, labels, loss="logistic", penalty=0.1, standardize="none")
    np.testing.assert_allclose(risk.minimize().x, fit.model.theta, rtol=1e-6, atol=1e-9)


def test_lasso_paths_are_those_of_coordinate_descent(data_folder):
    linear = pytest.importorskip("sklearn.linear_model")
    table = np.loadtxt(data_folder / "diabetes.csv", delimiter=",", skiprows=1)
    X, y = table[:, :-1], table[:, -1]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = y - y.mean()
    alphas, coefs, found = secant.lasso_path(X, y, n_alphas=20)
    theirs = linear.lasso_path(X, y, alphas=alphas, tol=1e-12, max_iter=100000)
    np.testing.assert_allclose(coefs, theirs[1], atol=1e-5)
    assert found.nonzero[0] == 0 and found.nonzero[-1] > 5


# --- what is refused -------------------------------------------------------------------------------------------------


def test_bad_data_is_refused_with_its_place(wave):
    X, y = wave
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match='sample 7.*"x2".*NaN'):
        secant.fit("linear", bad, y)
    with pytest.raises(ValueError, match="200 samples, y has 199"):
        secant.fit("linear", X, y[:-1])
    with pytest.raises(ValueError, match="expected numbers"):
        secant.fit("linear", [["a", "b"], ["c", "d"]], [1.0, 2.0])
    with pytest.raises(ValueError, match="takes 5 feature.*data has 3"):
        secant.fit(secant.Network.linear(5), X, y)
    with pytest.raises(ValueError, match="no loss|unknown|squarred"):
        secant.fit("linear", X, y, loss="squarred")
    with pytest.raises(ValueError, match="complex"):
        secant.fit("linear", X.astype(complex), y)
    with pytest.raises(ValueError):
        secant.fit("linear", np.empty((0, 3)), np.empty(0))
    with pytest.raises(ValueError, match="weight"):
        secant.fit("linear", X, y, sample_weight=np.full(200, -1.0))
    with pytest.raises(ValueError, match="no option `memry`"):
        secant.fit("linear", X, y, method="lbfgs", options={"memry": 1})
    fit = secant.fit("linear", X, y)
    with pytest.raises(ValueError, match="X has 2 features"):
        fit.predict(X[:, :2])


def test_counts_are_whole_numbers_in_their_range(wave):
    X, y = wave
    for wrong in ({"seed": -1}, {"starts": 0}, {"max_iterations": -5}, {"patience": 0, "validation": 0.2}):
        with pytest.raises(ValueError, match="or more, got"):
            secant.fit("linear", X, y, **wrong)
    with pytest.raises(TypeError, match="max_iterations: expected a whole number, got 1.5"):
        secant.fit("linear", X, y, max_iterations=1.5)
    with pytest.raises(ValueError, match="a width must be 1 or more"):
        secant.Network.mlp([3, -1, 1])
    with pytest.raises(ValueError, match="or more"):
        secant.curve_fit("a*x", [1.0, 2.0], [1.0, 2.0], draws=-1)


def test_any_input_that_numpy_reads(wave):
    X, y = wave
    whole = secant.fit("linear", X, y).model.theta
    for other in (np.asfortranarray(X), X.astype(np.float32).astype(np.float64), X[::1], X.tolist(), memoryview(X)):
        np.testing.assert_allclose(secant.fit("linear", other, y.tolist()).model.theta, whole, rtol=1e-5)
    strided = np.repeat(X, 2, axis=0)[::2]
    assert (secant.fit("linear", strided, y).model.theta == whole).all()

    class Dlpack:
        def __dlpack__(self, **options):
            return X.__dlpack__(**options)

        def __dlpack_device__(self):
            return X.__dlpack_device__()

    assert (secant.fit("linear", Dlpack(), y).model.theta == whole).all()


def test_the_command_is_there(tmp_path, data_folder):
    code = "from secant._command import main; import sys; sys.argv = ['secant', '--version']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and secant.__version__ in done.stdout
    code = f"import sys; sys.argv = ['secant', 'fit', {str(data_folder / 'none.csv')!r}, '--target', 'y']; from secant._command import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "none.csv" in done.stderr


def test_no_warning_on_import():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", "import secant"], capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
