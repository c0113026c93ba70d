"""Distribution functions by mpmath: the fixture that `crates/optim/tests/it/distributions.rs` compares with.

python distributions.py > ../../tests/fixtures/distributions.json

Arguments are doubles taken exactly; every number is computed with 60 digits and rounded once. A row is: distribution, its degrees of
freedom, x, cdf(x), survival(x); the quantile of either tail at those (as doubles) is found again by mpmath's root finder.
mpmath 1.4.1.
"""

import json
import math

import mpmath as mp

mp.mp.dps = 60


def beta(a, b, x, y):
    """Regularised incomplete beta function by its continued fraction (DLMF 8.17.22), on the side where it converges."""
    if x > a / (a + b):
        return 1 - beta(b, a, y, x)
    tiny = mp.mpf(10) ** -1000
    c, d = mp.mpf(1), 1 - (a + b) * x / (a + 1)
    d = 1 / (d or tiny)
    h = d
    for m in range(1, 200000):
        for step in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / ((1 + step * d) or tiny)
            c = (1 + step / c) or tiny
            h *= d * c
        if abs(d * c - 1) < mp.mpf(10) ** -55:
            break
    front = mp.exp(a * mp.log(x) + b * mp.log(y) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b))
    return front * h / a


def gamma(a, x):
    """(P, Q): series below, continued fraction above."""
    front = mp.exp(a * mp.log(x) - x - mp.loggamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * mp.mpf(10) ** -58:
            n += 1
            term *= x / n
            total += term
        return front * total, 1 - front * total
    b = x + 1 - a
    c, d = mp.mpf(10) ** 1000, 1 / b
    h = d
    for i in range(1, 200000):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b)
        c = b + an / c
        h *= d * c
        if abs(d * c - 1) < mp.mpf(10) ** -55:
            break
    return 1 - front * h, front * h


def tails(name, degrees, x):
    x = mp.mpf(x)
    degrees = [mp.mpf(d) for d in degrees]
    if name == "normal":
        return mp.erfc(-x / mp.sqrt(2)) / 2, mp.erfc(x / mp.sqrt(2)) / 2
    if name == "t":
        (nu,) = degrees
        far = beta(nu / 2, mp.mpf(1) / 2, nu / (nu + x * x), x * x / (nu + x * x)) / 2
        return (1 - far, far) if x > 0 else (far, 1 - far)
    if name == "chi2":
        return gamma(degrees[0] / 2, x / 2)
    d1, d2 = degrees
    low, high = d1 * x / (d1 * x + d2), d2 / (d1 * x + d2)
    if low < d1 / (d1 + d2):
        p = beta(d1 / 2, d2 / 2, low, high)
        return p, 1 - p
    q = beta(d2 / 2, d1 / 2, high, low)
    return 1 - q, q


def cases():
    for x in (-37.5, -20.0, -8.0, -3.0, -1.0, -0.1, -1e-5, 0.0, 1e-9, 0.3, 1.0, 1.959963984540054, 5.0, 12.0, 30.0, 37.0):
        yield "normal", [], x
    for nu in (1, 2, 3, 4.5, 10, 29, 100, 1e3, 1e4, 1e6):
        for x in (-40.0, -6.0, -2.0, -0.7, -1e-4, 1e-8, 0.01, 0.5, 1.0, 1.5, 2.5, 4.0, 10.0, 30.0, 1e3, 1e6):
            yield "t", [nu], x
    for k in (1, 2, 3, 5, 10.5, 30, 100, 1e3, 1e4, 1e6):
        for z in (-30.0, -8.0, -4.0, -2.0, -1.0, -0.1, 0.0, 0.1, 1.0, 2.0, 4.0, 8.0, 30.0):
            # About z deviations from the mean: Wilson and Hilferty.
            root = 1 - 2 / (9 * k) + z * math.sqrt(2 / (9 * k))
            if root > 0.02:
                yield "chi2", [k], k * root**3
        for x in (1e-12, 1e-4):
            if k <= 30:
                yield "chi2", [k], x
    for d1 in (1, 2, 3.5, 8, 40, 1e3, 1e6):
        for d2 in (1, 2, 5, 30.5, 500, 1e4, 1e6):
            spread = math.sqrt(2 / d1 + 2 / d2)
            for z in (-30.0, -6.0, -2.5, -1.0, -0.2, 0.0, 0.2, 1.0, 2.5, 6.0, 30.0):
                yield "f", [d1, d2], math.exp(z * spread)


rows = []
for name, degrees, x in cases():
    p, q = (float(tail) for tail in tails(name, degrees, x))
    if not 1e-300 < min(p, q):
        continue
    # The x of the doubles p and q: a step of Newton's method from x with sixty digits, twice.
    small, other = (p, 0) if p < q else (q, 1)
    point = mp.mpf(x)
    if x != 0:
        for _ in range(3):
            here = tails(name, degrees, point)[other]
            h = abs(point) * mp.mpf(10) ** -25
            slope = (tails(name, degrees, point + h)[other] - tails(name, degrees, point - h)[other]) / (2 * h)
            point -= (here - mp.mpf(small)) / slope
    rows.append([name, degrees, x, p, q, float(point)])
print(json.dumps({"mpmath": mp.__version__ if hasattr(mp, "__version__") else "1.4.1", "rows": rows}).replace("], [\"", "],\n[\""))
