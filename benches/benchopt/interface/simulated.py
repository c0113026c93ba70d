"""Correlated features, a linear target with noise."""

import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    name = "simulated"
    parameters = {"n_samples, n_features": [(500, 40), (60, 200)]}
    test_parameters = {"n_samples, n_features": [(50, 10)]}

    def get_data(self):
        random = np.random.default_rng(0)
        X = random.normal(size=(self.n_samples, self.n_features))
        X[:, 1:] += 0.5 * X[:, :-1]
        w = random.normal(size=self.n_features) * (random.random(self.n_features) < 0.3)
        return dict(X=X, y=X @ w + random.normal(size=self.n_samples))
