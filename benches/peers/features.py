"""Feature maps and kernel ridge regression by scikit-learn: the fixtures that `crates/core/tests/it/features.rs` and `tests/it/kernel_ridge.rs`
compare with.

python features.py ../../crates/core/tests/fixtures/features.json ../../tests/fixtures/kernel_ridge.json

A sample a row. γ is 1/(2w²) for a Gaussian of width w. KernelRidge minimises ‖y − Kα‖² + alpha·αᵀKα.
"""

import csv
import json
import pathlib
import sys

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.preprocessing import PolynomialFeatures

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"


def features():
    random = np.random.default_rng(1)
    x = random.standard_normal((6, 3))
    landmarks = random.standard_normal((5, 3))
    polynomials = []
    for degree in [1, 2, 3, 5]:
        for interactions in [False, True]:
            for constant in [False, True]:
                maps = PolynomialFeatures(degree, interaction_only=interactions, include_bias=constant)
                values = maps.fit_transform(x)
                polynomials.append(
                    {
                        "degree": degree,
                        "interactions_only": interactions,
                        "constant": constant,
                        "values": values.tolist(),
                    }
                )
    width, scale, offset, degree = 1.3, 0.7, 1.5, 3
    gamma = 1 / (2 * width**2)
    kernels = {
        "gaussian": rbf_kernel(x, landmarks, gamma=gamma).tolist(),
        "polynomial": polynomial_kernel(x, landmarks, degree=degree, gamma=scale, coef0=offset).tolist(),
    }
    nystroem = {}
    for name, options in [
        ("gaussian", {"kernel": "rbf", "gamma": gamma}),
        ("polynomial", {"kernel": "poly", "gamma": scale, "coef0": offset, "degree": degree}),
    ]:
        maps = Nystroem(n_components=len(landmarks), random_state=0, **options).fit(landmarks)
        # It takes the landmarks in an order of its own.
        values = np.empty((len(x), len(landmarks)))
        values[:, maps.component_indices_] = maps.transform(x)
        nystroem[name] = values.tolist()
    return {
        "x": x.tolist(),
        "landmarks": landmarks.tolist(),
        "width": width,
        "scale": scale,
        "offset": offset,
        "degree": degree,
        "polynomials": polynomials,
        "kernels": kernels,
        "nystroem": nystroem,
    }


def kernel_ridge():
    with open(DATA / "yacht.csv") as file:
        numbers = np.array(list(csv.reader(file))[1:], dtype=float)
    x, y = numbers[:, :-1], numbers[:, -1]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    width, strength = 2.0, 1e-3
    model = KernelRidge(alpha=len(y) * strength, kernel="rbf", gamma=1 / (2 * width**2)).fit(x, y)
    return {"width": width, "lambda": strength, "predictions": model.predict(x).tolist()}


for path, contents in zip(sys.argv[1:], [features(), kernel_ridge()]):
    pathlib.Path(path).parent.mkdir(exist_ok=True)
    with open(path, "w") as file:
        json.dump(contents, file, indent=1)
        file.write("\n")
