"""The power of a Tweedie model by maximum likelihood, with statsmodels' density: the fixture of `tests/it/glm_power.rs`.

python tweedie_power.py > ../../tests/fixtures/tweedie_power.json

Coefficients at each power by `GLM`, φ and p by SciPy's searches on `families.Tweedie(eql=False)`, whose density is SciPy's `wright_bessel`. The
standard error of p is that of the Hessian in (β, ln φ, p) together. statsmodels 0.15, SciPy 1.17, NumPy 2.4.
"""

import json
import warnings

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from statsmodels.tools.numdiff import approx_hess

warnings.filterwarnings("ignore")
rng = np.random.default_rng(9)
f, L = sm.families, sm.families.links
LINKS = {"log": L.Log, "identity": L.Identity, "sqrt": L.Sqrt}


def draw(mean, dispersion, power):
    """Sums of a Poisson number of gammas."""
    rate = mean ** (2 - power) / (dispersion * (2 - power))
    shape, scale = (2 - power) / (power - 1), dispersion * (power - 1) * mean ** (power - 1)
    counts = rng.poisson(rate)
    return np.array([rng.gamma(shape * n, s) if n > 0 else 0.0 for n, s in zip(counts, scale)])


def case(n, dispersion, power, link, weighted):
    x = np.round(rng.uniform(0.0, 2.0, (n, 2)), 3)
    y = np.round(draw(1.0 + 0.8 * x[:, 0] + 0.5 * x[:, 1], dispersion, power), 6)
    weights = 1.0 + np.arange(n) % 3 if weighted else np.ones(n)
    design = sm.add_constant(x)

    def family(p):
        return f.Tweedie(LINKS[link](), var_power=p, eql=False)

    def coefficients(p):
        return sm.GLM(y, design, family=family(p), freq_weights=weights).fit(tol=1e-14, tol_criterion="params", maxiter=500).params

    def likelihood(beta, log_dispersion, p):
        mean = LINKS[link]().inverse(design @ beta)
        return family(p).loglike(y, mean, freq_weights=weights, scale=np.exp(log_dispersion))

    def profile(p):
        beta = coefficients(p)
        found = minimize_scalar(lambda at: -likelihood(beta, at, p), bracket=(np.log(dispersion) - 0.5, np.log(dispersion) + 0.5), tol=1e-11)
        return found.fun, found.x, beta

    best = minimize_scalar(lambda p: profile(p)[0], bounds=(1.1, 1.9), method="bounded", options={"xatol": 1e-9})
    p = best.x
    value, log_dispersion, beta = profile(p)
    at = np.concatenate([beta, [log_dispersion, p]])
    hessian = approx_hess(at, lambda t: -likelihood(t[:3], t[3], t[4]))
    return {
        "x": x.ravel().tolist(), "y": y.tolist(), "weights": weights.tolist(), "link": link, "power": float(p),
        "error": float(np.sqrt(np.linalg.inv(hessian)[4, 4])), "dispersion": float(np.exp(log_dispersion)),
        "log_likelihood": float(-value), "coefficients": beta.tolist(),
    }


print(json.dumps([case(80, 0.9, 1.5, "log", False), case(60, 1.3, 1.3, "identity", True), case(120, 1.5, 1.7, "log", False), case(70, 1.4, 1.45, "sqrt", True)]))
