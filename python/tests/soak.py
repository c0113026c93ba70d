"""Fits, interrupts, failures and pickles for minutes on end: `python -X dev -W error tests/soak.py [MINUTES]`.

Prints the memory of the process once a minute. Ends with an error where that grows after the first sixth of the time, where a warning is given, a
thread or a file stays open, or an interrupt is not obeyed within a second.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

import secant
from secant import sklearn as estimators

# What allocators and caches may add after the first sixth, in MiB.
ALLOWED = 8.0


def resident() -> float:
    """The memory of the process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Stop(Exception):
    pass


def fails(_):
    raise Stop


class Round:
    """One of everything, on data of its own seed."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.X = rng.standard_normal((400, 6))
        self.y = np.tanh(self.X[:, 0]) + 0.5 * self.X[:, 1] + 0.1 * rng.standard_normal(400)
        self.t = np.linspace(0.0, 4.0, 80)
        self.decay = 3.0 * np.exp(-1.3 * self.t) + 0.5 + 0.01 * rng.standard_normal(80)
        self.seed = seed

    def networks(self) -> None:
        net = secant.Network.mlp([6, 8, 1])
        fit = secant.fit(net, self.X, self.y, max_iterations=8, seed=self.seed)
        again = secant.Model.from_bytes(fit.model.to_bytes())
        assert np.array_equal(again.predict(self.X), fit.model.predict(self.X))
        fit.html()

    def curves(self) -> None:
        def by_hand(t, a, b, c):
            return a * np.exp(-b * t) + c

        formula = secant.curve_fit("a*exp(-b*x) + c", self.t, self.decay, [1.0, 1.0, 0.0])
        called = secant.curve_fit(by_hand, self.t, self.decay, [1.0, 1.0, 0.0])
        np.testing.assert_allclose(formula[0], called[0], rtol=1e-5)

    def minimisers(self) -> None:
        def valley(x):
            return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

        assert secant.minimize(valley, [-1.2, 1.0]).success
        residuals = secant.least_squares(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0])
        assert residuals.success
        try:
            secant.minimize(fails, np.ones(50))
        except Stop:
            return
        raise AssertionError("an exception in the function was lost")

    def sklearn(self) -> None:
        labels = (self.y > 0).astype(int)
        for estimator, target in [
            (estimators.Ridge(), self.y),
            (estimators.Lasso(alpha=0.05), self.y),
            (estimators.LogisticRegression(), labels),
            (estimators.MLPRegressor(hidden_layer_sizes=(5,), max_iter=8, tol=1e-1), self.y),
        ]:
            estimator.fit(self.X, target)
            again = pickle.loads(pickle.dumps(estimator))
            assert np.array_equal(again.predict(self.X), estimator.predict(self.X))

    def bad_input(self) -> None:
        for X, y in [(self.X[:0], self.y[:0]), (np.full_like(self.X, np.nan), self.y), (self.X, self.y[:-1])]:
            try:
                secant.fit(secant.Network.linear(6, 1), X, y)
            except ValueError:
                continue
            raise AssertionError("bad data were taken")

    def interrupt(self) -> None:
        """Ctrl-C in the middle of a fit that would take a minute."""
        net = secant.Network.mlp([6, 20, 20, 1])
        options = {"gradient_tolerance": 0.0, "max_time": 60.0}
        sent = [0.0]

        def send():
            sent[0] = time.perf_counter()
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.1, send)
        timer.start()
        try:
            secant.fit(net, self.X, self.y, method="lbfgs", max_iterations=10**9, options=options)
        except KeyboardInterrupt:
            pass
        timer.join()
        late = time.perf_counter() - sent[0]
        assert 0.0 < late < 1.0, f"an interrupt took {late:.2f} s"


def main(minutes: float) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    begun = time.perf_counter()
    rounds, settled, told = 0, None, 0.0
    threads, files = threading.active_count(), None
    while (passed := time.perf_counter() - begun) < 60 * minutes:
        one = Round(rounds)
        one.networks()
        one.curves()
        one.minimisers()
        one.sklearn()
        one.bad_input()
        if rounds % 10 == 0:
            one.interrupt()
        rounds += 1
        if settled is None and passed > 10 * minutes:
            settled, files = resident(), len(os.listdir("/proc/self/fd"))
        if passed >= told:
            print(f"{passed / 60:5.1f} min  {rounds:7d} rounds  {resident():8.1f} MiB", flush=True)
            told += 60.0
    grown = resident() - settled
    print(f"{rounds} rounds; {grown:+.1f} MiB since the first sixth")
    assert grown < ALLOWED, f"memory grew by {grown:.1f} MiB"
    assert threading.active_count() == threads, "a thread was left"
    assert len(os.listdir("/proc/self/fd")) == files, "a file was left open"


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
