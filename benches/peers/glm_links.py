"""Every family and link of a generalised linear model by statsmodels: the fixture that `tests/it/glm_links.rs` compares with.

python glm_links.py > ../../tests/fixtures/glm_links.json

Made with statsmodels 0.15.0, SciPy 1.17.1, NumPy 2.4.6. Features and targets are drawn here and stand in the fixture as decimals. Estimates are
polished by Newton's method on the log-likelihood before anything is read off them. p-values and intervals (90 %) are those of the t
distribution where the dispersion is estimated and of the normal elsewhere. The normal's log-likelihood is that at the mean square.
"""

import json
import warnings

import numpy as np
import scipy.special
import scipy.stats
import statsmodels.api as sm

warnings.filterwarnings("ignore")
rng = np.random.default_rng(5)
N = 60
f, L = sm.families, sm.families.links
x = np.round(rng.uniform(0.0, 2.0, (N, 2)), 3)
mean = 1.5 + 0.8 * x[:, 0] + 0.3 * x[:, 1]
targets = {
    "positive": np.round(rng.gamma(6.0, mean / 6.0), 4),
    "inverse": np.round(rng.gamma(6.0, 1.0 / mean / 6.0), 4),
    "counts": rng.poisson(3.0 * mean * rng.gamma(2.0, 0.5, N)).astype(float),
    "steady": np.round(3.0 * mean),
    "binary": (rng.uniform(size=N) < 0.25 * mean - 0.3).astype(float),
    "shares": np.round(rng.uniform(size=N) ** (1.0 / mean), 3),
    "zeros": np.round(np.where(rng.uniform(size=N) < 0.2, 0.0, rng.gamma(2.0, mean / 2.0)), 4),
}
rows = np.arange(N)
offset = 0.1 * (rows % 3)
weights = 1.0 + rows % 3


def polish(model, beta):
    for _ in range(50):
        step = np.linalg.solve(model.hessian(beta), model.score(beta))
        beta = beta - step
        if np.abs(step / np.maximum(np.abs(beta), 1e-300)).max() < 1e-14:
            break
    return beta


def case(name, link, y, extra=False, exposure=False, parameter=None):
    made = getattr(L, {"identity": "Identity", "log": "Log", "logit": "Logit", "probit": "Probit", "complementary_log_log": "CLogLog", "inverse": "InversePower", "inverse_square": "InverseSquared", "sqrt": "Sqrt"}[link])()
    family = {
        "gaussian": lambda: f.Gaussian(made),
        "poisson": lambda: f.Poisson(made),
        "logistic": lambda: f.Binomial(made),
        "gamma": lambda: f.Gamma(made),
        "inverse gaussian": lambda: f.InverseGaussian(made),
        "negative binomial": lambda: f.NegativeBinomial(made, alpha=parameter),
        "tweedie": lambda: f.Tweedie(made, var_power=parameter),
    }[name]()
    target = targets[y]
    kwargs = {}
    frequency = np.ones(N)
    if extra:
        kwargs["offset"] = offset
        kwargs["freq_weights"] = frequency = weights
    if exposure:
        kwargs["exposure"] = 1.0 + rows % 5
    design = sm.add_constant(x)

    def solved(matrix):
        model = sm.GLM(target, matrix, family=family, **kwargs)
        start = model.fit(tol=1e-12, maxiter=500)
        beta = polish(model, start.params)
        assert np.abs(beta - start.params).max() <= 1e-4 * np.abs(beta).max(), (name, link, beta, start.params)
        return model, beta

    model, beta = solved(design)
    fitted = model.predict(beta)
    pearson = np.sum(frequency * (target - fitted) ** 2 / family.variance(fitted))
    estimated = name in ["gaussian", "gamma", "inverse gaussian", "tweedie"]
    residual = frequency.sum() - design.shape[1]
    dispersion = pearson / residual if estimated else 1.0

    def errors(observed):
        information = -model.hessian(beta, scale=1.0, observed=observed)
        return np.sqrt(dispersion * np.diag(np.linalg.inv(information)))

    null_model, null = solved(np.ones((N, 1)))
    if name == "gaussian":
        scale = np.sum(frequency * (target - fitted) ** 2) / frequency.sum()
        likelihood = np.sum(frequency * scipy.stats.norm.logpdf(target, fitted, np.sqrt(scale)))
    elif name == "logistic":
        # Without the binomial coefficients of shares.
        likelihood = np.sum(frequency * (scipy.special.xlogy(target, fitted) + scipy.special.xlogy(1.0 - target, 1.0 - fitted)))
    else:
        likelihood = family.loglike(target, fitted, freq_weights=frequency, scale=dispersion)
    distribution = scipy.stats.t(residual) if estimated else scipy.stats.norm
    expected = errors(False)
    half = distribution.ppf(0.95) * expected
    return {
        "name": name,
        "link": link,
        "y": y,
        "extra": extra,
        "exposure": exposure,
        "parameter": parameter,
        "coefficients": beta.tolist(),
        "errors": expected.tolist(),
        "observed": errors(True).tolist(),
        "p": (2.0 * distribution.sf(np.abs(beta / expected))).tolist(),
        "low": (beta - half).tolist(),
        "high": (beta + half).tolist(),
        "deviance": float(family.deviance(target, fitted, freq_weights=frequency)),
        "null_deviance": float(family.deviance(target, null_model.predict(null), freq_weights=frequency)),
        "pearson": float(pearson),
        "log_likelihood": float(likelihood),
        "aic": float(-2.0 * likelihood + 2.0 * design.shape[1]),
        "bic": float(-2.0 * likelihood + np.log(frequency.sum()) * design.shape[1]),
    }


def with_alpha(y, extra, exposure):
    target, design = targets[y], sm.add_constant(x)
    kwargs = {}
    index = rows
    if extra:
        index = np.repeat(rows, weights.astype(int))
        kwargs["offset"] = offset[index]
    if exposure:
        kwargs["exposure"] = 1.0 + index % 5
    model = sm.NegativeBinomial(target[index], design[index], loglike_method="nb2", **kwargs)
    start = model.fit(method="bfgs", maxiter=2000, gtol=1e-9, disp=0)
    at = polish(model, start.params)
    errors = np.sqrt(np.diag(np.linalg.inv(-model.hessian(at))))
    likelihood = model.loglike(at)
    return {
        "y": y,
        "extra": extra,
        "exposure": exposure,
        "coefficients": at[:-1].tolist(),
        "errors": errors[:-1].tolist(),
        "alpha": float(at[-1]),
        "alpha_error": float(errors[-1]),
        "log_likelihood": float(likelihood),
        "aic": float(-2.0 * likelihood + 2.0 * len(at)),
        "bic": float(-2.0 * likelihood + np.log(len(index)) * len(at)),
    }


families = [
    ("gaussian", ["identity", "log"], "positive", None),
    ("gaussian", ["inverse"], "inverse", None),
    ("poisson", ["log", "identity", "sqrt"], "counts", None),
    ("logistic", ["logit", "probit", "complementary_log_log", "log", "identity"], "binary", None),
    ("logistic", ["logit", "probit", "complementary_log_log", "log", "identity"], "shares", None),
    ("gamma", ["log", "identity"], "positive", None),
    ("gamma", ["inverse"], "inverse", None),
    ("inverse gaussian", ["log", "identity"], "positive", None),
    ("inverse gaussian", ["inverse", "inverse_square"], "inverse", None),
    ("negative binomial", ["log", "identity", "sqrt"], "counts", 0.5),
    ("tweedie", ["log", "identity", "sqrt"], "zeros", 1.4),
]
cases = [case(name, link, y, extra, parameter=parameter) for name, links, y, parameter in families for link in links for extra in [False, True]]
cases += [case(name, "log", y, True, True, parameter) for name, y, parameter in [("inverse gaussian", "positive", None), ("tweedie", "zeros", 1.4), ("gaussian", "positive", None)]]
alphas = [with_alpha("counts", False, False), with_alpha("counts", True, False), with_alpha("counts", True, True)]
print(json.dumps({"x": x.ravel().tolist(), "targets": {key: value.tolist() for key, value in targets.items()}, "cases": cases, "alphas": alphas}))
