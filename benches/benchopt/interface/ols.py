"""What a solver of benchmark_ols is given and asked for."""

import numpy as np
from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "Ordinary Least Squares"
    min_benchopt_version = "1.5"
    parameters = {"fit_intercept": [False]}

    def set_data(self, X, y):
        self.X, self.y = X, y

    def get_objective(self):
        return dict(X=self.X, y=self.y, fit_intercept=self.fit_intercept)

    def evaluate_result(self, beta):
        r = self.y - self.X @ beta
        return dict(value=0.5 * r @ r)

    def get_one_result(self):
        return dict(beta=np.zeros(self.X.shape[1]))
