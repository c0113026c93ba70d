"""How many digits of NIST's standard deviations a table of doubles leaves of Lanczos1, whose residuals are of 1e-13.

python rounded_data.py FILE

FILE is NIST's Lanczos1.dat. The fit with 60 digits (mpmath), once to the decimal numbers of the file and once to the doubles nearest to them:
the digits that both have in common are all that a table of doubles can have, whatever it is fitted with.
"""

import sys
from pathlib import Path

from mpmath import exp, log10, lu_solve, matrix, mp, mpf, sqrt

mp.dps = 60
TERMS = 3
# NIST's certified parameters: Newton's steps go on from them.
START = ["9.5100000027E-02", "1.0000000001E+00", "8.6070000013E-01", "3.0000000002E+00", "1.5575999998E+00", "5.0000000001E+00"]


def deviations(y, x):
    """Of the parameters of Σ b·exp(−c·x), by Gauss–Newton steps to the end of the digits."""
    b = [mpf(text) for text in START]
    n = 2 * TERMS
    for _ in range(8):
        jacobian, residuals = matrix(len(x), n), matrix(len(x), 1)
        for i, at in enumerate(x):
            residuals[i] = y[i]
            for k in range(0, n, 2):
                decay = exp(-b[k + 1] * at)
                jacobian[i, k], jacobian[i, k + 1] = decay, -b[k] * at * decay
                residuals[i] -= b[k] * decay
        gram = jacobian.T * jacobian
        step = lu_solve(gram, jacobian.T * residuals)
        b = [value + more for value, more in zip(b, step)]
    inverse = gram**-1
    variance = sum(r * r for r in residuals) / (len(x) - n)
    return [sqrt(variance * inverse[j, j]) for j in range(n)]


def main():
    lines = Path(sys.argv[1]).read_text().splitlines()
    first = max(i for i, line in enumerate(lines) if line.startswith("Data:")) + 1
    rows = [line.split() for line in lines[first:] if line.strip()]
    exact = deviations([mpf(y) for y, _ in rows], [mpf(x) for _, x in rows])
    rounded = deviations([mpf(float(y)) for y, _ in rows], [mpf(float(x)) for _, x in rows])
    digits = [-log10(abs(r / e - 1)) for e, r in zip(exact, rounded)]
    for j, (e, d) in enumerate(zip(exact, digits), 1):
        print(f"b{j}: {mp.nstr(e, 11)}, {mp.nstr(d, 3)} digits left by doubles")


if __name__ == "__main__":
    main()
