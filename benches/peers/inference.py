"""Standard errors, bands, sandwiches and profile intervals by statsmodels, SciPy and lmfit: the fixture of
`crates/optim/tests/it/inference/`.

python inference.py > ../../tests/fixtures/inference.json

The regression is of data/diabetes.csv (the first 120 rows; features bmi, bp, s5), weights are formulas of the row. The NIST sets are
written out in the fixture, so that the test needs no other file. numpy 2.4, SciPy 1.17, statsmodels 0.15, lmfit 1.3.
"""

import csv
import json
import pathlib
import warnings

import lmfit
import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy.optimize import curve_fit
from statsmodels.tools.eval_measures import aicc

warnings.filterwarnings("ignore")
# lmfit asks for four digits of a bound; here are ten.
find_root = lmfit.confidence.root_scalar
lmfit.confidence.root_scalar = lambda f, **options: find_root(f, **{**options, "rtol": 1e-10})
ROOT = pathlib.Path(__file__).resolve().parents[2]


def regression(weighted):
    with open(ROOT / "data" / "diabetes.csv") as file:
        table = list(csv.DictReader(file))[:120]
    x = np.array([[float(row[name]) for name in ("bmi", "bp", "s5")] for row in table])
    y = np.array([float(row["target"]) for row in table])
    w = 1.0 + np.arange(len(y)) % 4 if weighted else np.ones(len(y))
    design = sm.add_constant(x)
    fit = sm.WLS(y, design, weights=w).fit() if weighted else sm.OLS(y, design).fit()
    new = np.array([[1.0, 25.0, 90.0, 4.5], [1.0, 35.0, 120.0, 5.5], [1.0, 20.0, 70.0, 4.0]])
    band = fit.get_prediction(new).summary_frame(alpha=0.1)
    result = {
        "design": design.tolist(), "targets": y.tolist(), "weights": w.tolist(),
        "parameters": fit.params.tolist(), "errors": fit.bse.tolist(), "covariance": fit.cov_params().tolist(),
        "t": fit.tvalues.tolist(), "p": fit.pvalues.tolist(), "intervals90": fit.conf_int(0.1).tolist(),
        "r_squared": fit.rsquared, "adjusted_r_squared": fit.rsquared_adj, "log_likelihood": fit.llf,
        "aic": fit.aic, "bic": fit.bic, "aicc": aicc(fit.llf, fit.nobs, len(fit.params)),
        "degrees": fit.df_resid, "deviation": float(np.sqrt(fit.scale)),
        "new": new.tolist(), "mean": band["mean"].tolist(), "mean_se": band["mean_se"].tolist(),
        "mean_lower": band["mean_ci_lower"].tolist(), "mean_upper": band["mean_ci_upper"].tolist(),
        "obs_lower": band["obs_ci_lower"].tolist(), "obs_upper": band["obs_ci_upper"].tolist(),
    }
    for name in ("HC0", "HC1", "HC2", "HC3"):
        result[name] = fit.get_robustcov_results(name).cov_params().tolist()
    return result


def decay():
    """SciPy's covariance, relative and absolute, of a decay with known sigmas."""
    t = np.linspace(0.0, 6.0, 25)
    rng = np.random.default_rng(5)
    sigma = 0.02 + 0.01 * (np.arange(25) % 3)
    y = 2.5 * np.exp(-0.8 * t) + 0.4 + sigma * rng.standard_normal(25)

    def model(t, a, b, c):
        return a * np.exp(-b * t) + c

    def jac(t, a, b, c):
        e = np.exp(-b * t)
        return np.column_stack([e, -a * t * e, np.ones_like(t)])

    out = {"t": t.tolist(), "y": y.tolist(), "sigma": sigma.tolist()}
    for absolute in (False, True):
        best, cov = curve_fit(model, t, y, [2.0, 1.0, 0.0], sigma=sigma, absolute_sigma=absolute, jac=jac, ftol=1e-15, xtol=1e-15, gtol=1e-15)
        out["parameters"] = best.tolist()
        out["absolute" if absolute else "relative"] = cov.tolist()
    result = lmfit.Model(model).fit(y, t=t, a=2.0, b=1.0, c=0.0, weights=1 / sigma, scale_covar=False)
    out["chi_squared"] = result.chisqr
    out["chi_squared_p"] = float(scipy.stats.chi2.sf(result.chisqr, result.nfree))
    out["lmfit_aic_relative"] = result.aic
    out["lmfit_bic_relative"] = result.bic
    return out


def nist(name):
    """x, y, the second start and the certified values of a set with two columns."""
    lines = pathlib.Path("/work/shared/data/nist-strd/nonlinear", name + ".dat").read_text().splitlines()
    certified = {}
    for line in lines[40:60]:
        parts = line.split()
        if len(parts) >= 6 and parts[1] == "=":
            certified[parts[0]] = [float(p) for p in parts[2:6]]
    data = []
    for line in lines[60:]:
        try:
            data.append([float(p) for p in line.split()])
        except ValueError:
            pass
    data = np.array([row for row in data if len(row) == 2])
    return data[:, 1], data[:, 0], [v[1] for v in certified.values()], list(certified.values())


MODELS = {
    "Misra1a": lambda x, b1, b2: b1 * -np.expm1(-b2 * x),
    "DanWood": lambda x, b1, b2: b1 * x**b2,
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * np.exp(-0.5 * ((x - b3) / b2) ** 2),
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + np.exp(b2 - b3 * x)),
}


def profiles(name):
    x, y, start, certified = nist(name)
    model = MODELS[name]
    parameters = lmfit.Parameters()
    for i, value in enumerate(start):
        parameters.add(f"b{i + 1}", value=value)

    def residual(p):
        return model(x, *p.valuesdict().values()) - y

    mini = lmfit.Minimizer(residual, parameters)
    result = mini.minimize(method="leastsq", ftol=1e-15, xtol=1e-15, gtol=0)
    levels = [0.6826894921370859, 0.95]
    found = lmfit.conf_interval(mini, result, sigmas=levels)
    intervals = {}
    for key, rows in found.items():
        # level, bound below … above
        values = [bound for _, bound in rows]
        intervals[key] = [[values[1], values[3]], [values[0], values[4]]]
    return {"name": name, "x": x.tolist(), "y": y.tolist(), "start": start, "levels": levels, "certified": [v[2] for v in certified], "deviations": [v[3] for v in certified],
            "parameters": [result.params[k].value for k in result.params],
            "errors": [result.params[k].stderr for k in result.params], "intervals": intervals}


print(json.dumps({
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "lmfit": lmfit.__version__},
    "ols": regression(False), "wls": regression(True), "decay": decay(), "profiles": [profiles(name) for name in MODELS],
}, indent=None).replace("}, ", "},\n").replace("\"wls\"", "\n\"wls\""))
