"""What a solver of benchmark_lasso is given and asked for."""

import numpy as np
from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "Lasso Regression"
    min_benchopt_version = "1.5"
    parameters = {"fit_intercept": [False], "reg": [0.5, 0.05]}

    def set_data(self, X, y):
        self.X, self.y = X, y
        self.lmbd = self.reg * np.abs(X.T @ y).max()

    def get_objective(self):
        return dict(X=self.X, y=self.y, lmbd=self.lmbd, fit_intercept=self.fit_intercept)

    def evaluate_result(self, beta):
        r = self.y - self.X @ beta
        return dict(value=0.5 * r @ r + self.lmbd * np.abs(beta).sum())

    def get_one_result(self):
        return dict(beta=np.zeros(self.X.shape[1]))
