"""Objectives in NumPy, which solutions are judged by, or in JAX."""

import numpy as np


def split(theta, widths):
    """W (inputs × outputs) and b of every layer."""
    at = 0
    for d, c in zip(widths, widths[1:]):
        yield theta[at : at + d * c].reshape(d, c), theta[at + d * c : at + d * c + c]
        at += d * c + c


def outputs(theta, x, widths, xp=np):
    layers = list(split(theta, widths))
    for w, b in layers[:-1]:
        x = xp.tanh(x @ w + b)
    return x @ layers[-1][0] + layers[-1][1]


def mean_loss(kind, s, y, xp=np):
    """Of scores N × c, without what does not depend on them."""
    if kind == "squared":
        return 0.5 * xp.mean(xp.sum((s - y.reshape(s.shape)) ** 2, axis=1))
    if kind == "poisson":
        return xp.mean(xp.exp(s[:, 0]) - y * s[:, 0])
    if kind == "logistic":
        return xp.mean(xp.logaddexp(0.0, s[:, 0]) - y * s[:, 0])
    top = xp.max(s.real if xp is np else s, axis=1)
    return xp.mean(xp.log(xp.sum(xp.exp(s - top[:, None]), axis=1)) + top - s[xp.arange(len(y)), y])


def risk(kind, x, y, widths, ridge, xp=np):
    """f(θ): mean loss and ½λ‖W‖²."""

    def value(theta, x=x, y=y):
        penalty = sum(xp.sum(w**2) for w, _ in split(theta, widths))
        return mean_loss(kind, outputs(theta, x, widths, xp), y, xp) + 0.5 * ridge * penalty

    return value
