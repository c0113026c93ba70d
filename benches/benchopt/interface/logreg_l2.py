"""What a solver of benchmark_logreg_l2 is given and asked for."""

import numpy as np
from benchopt import BaseObjective


class Objective(BaseObjective):
    name = "L2 Logistic Regression"
    min_benchopt_version = "1.5"
    parameters = {"lmbd": [1.0, 0.01], "fit_intercept": [True, False]}

    def set_data(self, X, y):
        self.X, self.y = X, np.sign(y)

    def get_objective(self):
        return dict(X=self.X, y=self.y, lmbd=self.lmbd, fit_intercept=self.fit_intercept)

    def evaluate_result(self, beta):
        w, c = (beta[:-1], beta[-1]) if self.fit_intercept else (beta, 0.0)
        loss = np.logaddexp(0.0, -self.y * (self.X @ w + c)).sum()
        return dict(value=loss + 0.5 * self.lmbd * w @ w)

    def get_one_result(self):
        return dict(beta=np.zeros(self.X.shape[1] + self.fit_intercept))
