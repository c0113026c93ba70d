"""Generalised linear models by statsmodels: the fixture that `tests/it/glm.rs` compares with.

python glm.py > ../../tests/fixtures/glm.json

Weights are statsmodels' `freq_weights`. Standard errors by the expected information (statsmodels' default) and, where that differs, by the
observed one. Exposures and weights are formulas of the row, written down in the test again. Estimates of IRLS are polished by Newton's
method on the log-likelihood before anything is read off them.
"""

import csv
import json
import pathlib
import warnings

import numpy as np
import statsmodels.api as sm
from sklearn.datasets import load_svmlight_file

warnings.filterwarnings("ignore")
DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def table(name):
    if name.endswith("libsvm"):
        x, y = load_svmlight_file(str(DATA / name))
        return x.toarray(), (y > 0).astype(float)
    with open(DATA / name) as file:
        numbers = np.array(list(csv.reader(file))[1:], dtype=float)
    return numbers[:, :-1], numbers[:, -1]


def polish(model, beta):
    for _ in range(20):
        step = np.linalg.solve(model.hessian(beta), model.score(beta))
        beta = beta - step
        if np.abs(step / np.maximum(np.abs(beta), 1e-300)).max() < 1e-14:
            break
    return beta


def case(name, data, family, exposure=False, offset=False, weights=False, intercept=True, alpha=None, rescale=None):
    x, y = table(data)
    if rescale:
        y = np.floor(y / rescale)
    rows = np.arange(len(y))
    kwargs = {}
    if exposure:
        kwargs["exposure"] = 1.0 + rows % 5
    if offset:
        kwargs["offset"] = 0.1 * (rows % 7)
    if weights:
        kwargs["freq_weights"] = 1.0 + rows % 4 + 0.5 * (rows % 2)
    design = sm.add_constant(x) if intercept else x
    model = sm.GLM(y, design, family=family, **kwargs)
    start = model.fit(tol=1e-13, maxiter=300)
    beta = polish(model, start.params)
    assert np.abs(beta - start.params).max() <= 1e-6 * np.abs(beta).max()
    mean = model.predict(beta)
    frequency = kwargs.get("freq_weights", np.ones(len(y)))
    variance = family.variance(mean)
    pearson = np.sum(frequency * (y - mean) ** 2 / variance)
    estimated = isinstance(family, (sm.families.Gaussian, sm.families.Gamma))
    residual = frequency.sum() - design.shape[1]
    dispersion = pearson / residual if estimated else 1.0
    # The same from statsmodels' own results, to its stopping test.
    assert abs(start.scale / dispersion - 1.0) < 1e-6, (start.scale, dispersion)

    def errors(observed):
        information = -model.hessian(beta, scale=1.0, observed=observed)
        scaling = np.sqrt(np.diag(information))
        inverse = np.linalg.inv(information / np.outer(scaling, scaling)) / np.outer(scaling, scaling)
        return np.sqrt(dispersion * np.diag(inverse))

    expected = errors(False)
    assert np.abs(start.bse / expected - 1.0).max() < 1e-6
    return {
        "name": name,
        "data": data,
        "exposure": exposure,
        "offset": offset,
        "weights": weights,
        "intercept": intercept,
        "alpha": alpha,
        "rescale": rescale,
        "coefficients": beta.tolist(),
        "errors": expected.tolist(),
        "observed": errors(True).tolist(),
        "deviance": float(family.deviance(y, mean, freq_weights=frequency)),
        "pearson": float(pearson),
        "dispersion": float(dispersion),
        "log_likelihood": float(family.loglike(y, mean, freq_weights=frequency, scale=dispersion)) if not isinstance(family, sm.families.Gaussian) else None,
    }


def softmax():
    # The flowers of two classes, in three classes by a formula of the row, so that none is separated.
    x, y = table("iris.csv")
    x = x[y > 0][:, :3]
    y = (np.arange(len(x)) * 7 % 3 + (x[:, 0] > 6.2)) % 3
    model = sm.MNLogit(y, sm.add_constant(x))
    result = model.fit(method="newton", tol=1e-14, maxiter=200, disp=0)
    return {
        "labels": y.astype(int).tolist(),
        "coefficients": result.params.T.ravel().tolist(),
        "errors": np.asarray(result.bse).T.ravel().tolist(),
        "log_likelihood": float(result.llf),
    }


f = sm.families
log = f.links.Log()
cases = [
    case("poisson", "diabetes.csv", f.Poisson()),
    case("poisson", "diabetes.csv", f.Poisson(), exposure=True, weights=True),
    case("poisson", "diabetes.csv", f.Poisson(), exposure=True, offset=True, rescale=40.0),
    case("poisson", "concrete.csv", f.Poisson(), intercept=False),
    case("gamma", "concrete.csv", f.Gamma(link=log)),
    case("gamma", "diabetes.csv", f.Gamma(link=log), exposure=True, weights=True),
    case("gamma", "concrete.csv", f.Gamma(link=log), offset=True),
    case("negative binomial", "diabetes.csv", f.NegativeBinomial(alpha=0.4), alpha=0.4),
    case("negative binomial", "diabetes.csv", f.NegativeBinomial(alpha=0.4), alpha=0.4, exposure=True, weights=True, rescale=40.0),
    case("gaussian", "diabetes.csv", f.Gaussian(), offset=True, weights=True),
    case("logistic", "heart_scale.libsvm", f.Binomial()),
    case("logistic", "heart_scale.libsvm", f.Binomial(), offset=True, weights=True),
]
print(json.dumps({"cases": cases, "softmax": softmax()}, indent=1))
