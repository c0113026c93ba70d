"""Linear models with an L1 penalty: the lasso, its path, logistic regression."""

import numpy as np

from tasks.harness import Task
from tasks.methods import glum, liblinear, warmed, weights

# Of the least strength that makes all weights 0.
PART = 0.05
# Penalties of the path, and the last over the first.
STRENGTHS, LAST = 50, 1e-1


def drawn(samples, features, used):
    """A table, and scores of `used` of its features."""
    random = np.random.default_rng(10)
    x = np.asfortranarray(random.normal(size=(samples, features)))
    w = np.zeros(features)
    w[random.choice(features, used, replace=False)] = random.normal(size=used)
    return x, x @ w, random


def squares(x, y, w, b, strength):
    r = y - x @ w - b
    return 0.5 * r @ r / len(y) + strength * np.abs(w).sum()


def wide(samples, features):
    x, score, random = drawn(samples, features, features // 50)
    return x, score + random.normal(size=samples)


def lasso(_folder):
    from secant.sklearn import Lasso

    x, y = wide(1_000, 5_000)
    strength = PART * np.abs(x.T @ (y - y.mean())).max() / len(y)
    task = Task(f"lasso, {len(y):,} × {x.shape[1]:,}", lambda found: squares(x, y, found[:-1], found[-1], strength), 1e-8)

    def scikit():
        from sklearn import linear_model

        return lambda tol: weights(linear_model.Lasso(strength, tol=tol, max_iter=100_000).fit(x, y))

    def skglm():
        from skglm import Lasso

        return warmed(lambda tol: weights(Lasso(strength, tol=tol).fit(x, y)))

    task.add("secant", lambda: lambda tol: weights(Lasso(strength, tol=tol).fit(x, y)))
    task.add("scikit-learn Lasso", scikit)
    task.add("skglm Lasso", skglm)
    task.add("glum irls-cd", lambda: glum("normal", x, y, strength, "irls-cd", l1_ratio=1.0))
    return task


def path(_folder):
    """Without an intercept, which scikit-learn's path has none of. Judged by the worst of all strengths."""
    import secant

    x, y = wide(500, 1_000)
    y = y - y.mean()
    most = np.abs(x.T @ y).max() / len(y)
    strengths = most * np.geomspace(1.0, LAST, STRENGTHS)
    least = np.full(STRENGTHS, np.inf)

    def value(coefs):
        """1 + the largest relative excess over the least that was seen at a strength."""
        found = np.array([squares(x, y, w, 0.0, strength) for w, strength in zip(coefs.T, strengths)])
        np.fmin(least, found, out=least)
        return 1.0 + np.max(found / least - 1.0) if np.isfinite(found).all() else np.inf

    task = Task(f"lasso at {STRENGTHS} strengths, {len(y):,} × {x.shape[1]:,}", value, 1e-8, reference=1.0)
    # Full accuracy, which the others are then judged by.
    value(secant.lasso_path(x, y, alphas=strengths)[1])

    def scikit():
        from sklearn import linear_model

        return lambda tol: linear_model.lasso_path(x, y, alphas=strengths, tol=tol, max_iter=100_000)[1]

    def skglm():
        from skglm import Lasso

        return warmed(lambda tol: Lasso(tol=tol, fit_intercept=False).path(x, y, strengths, return_n_iter=False)[1])

    task.add("secant", lambda: ((lambda tol: secant.lasso_path(x, y, alphas=strengths)[1]), [0.0]))
    task.add("scikit-learn lasso_path", scikit)
    task.add("skglm Lasso.path", skglm)
    return task


def logistic(_folder):
    from secant.sklearn import LogisticRegression

    x, score, random = drawn(5_000, 500, 25)
    y = (score + random.logistic(size=len(score)) > 0.0).astype(int)
    strength = PART * np.abs(x.T @ (y - y.mean())).max() / len(y)
    t = 2.0 * y - 1.0

    def value(found):
        w, b = found[:-1], found[-1]
        return np.logaddexp(0.0, -t * (x @ w + b)).mean() + strength * np.abs(w).sum()

    task = Task(f"logistic with L1, {len(y):,} × {x.shape[1]}", value, 1e-8)
    c = 1.0 / (strength * len(y))

    def saga():
        from sklearn import linear_model

        return lambda tol: weights(linear_model.LogisticRegression(C=c, l1_ratio=1.0, solver="saga", tol=tol, max_iter=20_000).fit(x, y))

    def skglm():
        from skglm import SparseLogisticRegression

        return warmed(lambda tol: weights(SparseLogisticRegression(strength, tol=tol, max_iter=200).fit(x, y)))

    task.add("secant", lambda: lambda tol: weights(LogisticRegression(C=c, l1_ratio=1.0, tol=tol).fit(x, y)))
    task.add("skglm SparseLogisticRegression", skglm)
    task.add("LIBLINEAR, of scikit-learn", lambda: liblinear(x, y, c, l1_ratio=1.0))
    task.add("glum irls-cd", lambda: glum("binomial", x, y.astype(float), strength, "irls-cd", l1_ratio=1.0))
    task.add("scikit-learn saga", saga)
    return task
