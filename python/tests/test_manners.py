"""Threads, signals, forks, copies: what a guest in a Python process does not do."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

import secant
from secant import _arrays


@pytest.fixture(autouse=True)
def interruptible():
    """Ctrl-C raises, also where the tests run in the background, whose shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def slow():
    """A fit that goes on for a minute if nobody ends it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, 10))
    y = np.sin(3 * X[:, 0]) * X[:, 1] + np.cos(2 * X[:, 2])
    net = secant.Network.mlp([10, 24, 24, 1])
    options = {"method": "lbfgs", "max_iterations": 10**9, "options": {"gradient_tolerance": 0.0, "max_time": 60.0}}
    return net, X, y, options


def test_arrays_of_c_order_are_not_copied():
    X = np.zeros((10, 3))
    data, _ = _arrays.dataset(X, np.zeros(10))
    assert data.x.__array_interface__["data"][0] == X.__array_interface__["data"][0]
    turned, _ = _arrays.dataset(np.asfortranarray(X), np.zeros(10))
    assert turned.x.flags.c_contiguous


def line():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((200, 3))
    return X, X @ [1.0, -2.0, 0.5] + 1.0


def test_the_engine_reads_arrays_where_they_are():
    X, y = line()
    net = secant.Network.linear(3, 1)
    risk = secant.Risk(net, X, y)
    theta = np.array([1.0, -2.0, 0.5, 1.0])
    assert risk.value(theta) < 1e-25
    # What nobody should do, and what shows that there is no copy.
    X[0, 0] += 1.0
    np.testing.assert_allclose(risk.value(theta), 0.5 / 200)


def test_arrays_live_as_long_as_they_are_read():
    X, y = line()
    net, theta = secant.Network.linear(3, 1), np.ones(4)
    alive = weakref.ref(X)
    risk = secant.Risk(net, X, y)
    value = risk.value(theta)
    del X
    gc.collect()
    assert alive() is not None and risk.value(theta) == value
    del risk
    gc.collect()
    assert alive() is None
    # A fit has none of them when it has ended with an error.
    X, y = line()
    alive = weakref.ref(X)
    with pytest.raises(ValueError, match="200 samples"):
        secant.fit(net, X, y[:-1])
    del X
    gc.collect()
    assert alive() is None


def test_arrays_that_may_not_be_written_and_those_of_a_file_are_read(tmp_path):
    X, y = line()
    net = secant.Network.linear(3, 1)
    wanted = secant.fit(net, X, y).model.theta
    X.flags.writeable = False
    np.testing.assert_array_equal(secant.fit(net, X, y).model.theta, wanted)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(secant.fit(net, mapped, y).model.theta, wanted)
    # Numbers that do not lie at multiples of their size, and a view of every second row.
    shifted = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(X.shape)
    np.testing.assert_array_equal(secant.fit(net, shifted, y).model.theta, wanted)
    wide = np.repeat(X, 2, axis=0)[::2]
    np.testing.assert_array_equal(secant.fit(net, wide, y).model.theta, wanted)


def singles(samples=200):
    rng = np.random.default_rng(3)
    X = (rng.standard_normal((samples, 3)) * [1.0, 30.0, 0.01] + [0.0, 5.0, 1.0]).astype(np.float32)
    return X, X.astype(np.float64) @ [1.0, -2.0, 0.5] + np.sin(X[:, 1].astype(np.float64))


def test_singles_are_read_where_they_are():
    X, y = singles()
    data, _ = _arrays.dataset(X, y)
    assert data.x.dtype == np.float32
    assert data.x.__array_interface__["data"][0] == X.__array_interface__["data"][0]
    turned, _ = _arrays.dataset(np.asfortranarray(X), y)
    assert turned.x.flags.c_contiguous and turned.x.dtype == np.float32
    swapped, _ = _arrays.dataset(X.astype(">f4"), y)
    assert swapped.x.dtype == np.float64
    # What nobody should do, and what shows that there is no copy.
    net, theta = secant.Network.linear(3, 1), np.array([1.0, -2.0, 0.5, 0.0])
    risk = secant.Risk(net, X, y)
    before = risk.value(theta)
    X[0, 0] += 1.0
    changed = y - X.astype(np.float64) @ theta[:3]
    np.testing.assert_allclose(risk.value(theta), 0.5 * np.mean(changed**2), rtol=1e-12)
    assert risk.value(theta) != before
    alive = weakref.ref(X)
    del X, data
    gc.collect()
    assert alive() is not None
    del risk
    gc.collect()
    assert alive() is None


def test_singles_give_the_bits_of_the_widened_array(tmp_path):
    X, y = singles()
    wide = X.astype(np.float64)
    for net in (secant.Network.linear(3, 1), secant.Network.mlp([3, 4, 1])):
        for weights in (None, np.arange(200.0) % 3):
            options = {"sample_weight": weights, "validation": 0.2, "max_iterations": 30}
            one, two = (secant.fit(net, x, y, **options) for x in (X, wide))
            np.testing.assert_array_equal(one.model.theta, two.model.theta)
            assert one.report["value"] == two.report["value"]
            np.testing.assert_array_equal(one.model.predict(X), two.model.predict(wide))
            assert one.model.score(X, y) == two.model.score(wide, y)
    risks = [secant.Risk(net, x, y) for x in (X, wide)]
    theta = np.linspace(-1.0, 1.0, net.dim)
    (f, g), (value, gradient) = (risk.value_and_grad(theta) for risk in risks)
    assert f == value and (g == gradient).all()
    for family, target in (("poisson", np.abs(y).round()), ("softmax", np.arange(200) % 3)):
        one, two = (secant.glm(x, target, family) for x in (X, wide))
        np.testing.assert_array_equal(one.coef, two.coef)
        np.testing.assert_array_equal(one.predict(X), two.predict(wide))
    # May not be written, of a file, not at multiples of their size.
    X.flags.writeable = False
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    shifted = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(X.shape)
    wanted = secant.fit(net, wide, y, max_iterations=5).model.theta
    for x in (X, mapped, shifted, np.repeat(X, 2, axis=0)[::2]):
        np.testing.assert_array_equal(secant.fit(net, x, y, max_iterations=5).model.theta, wanted)


def test_singles_that_are_no_numbers_are_refused_by_place(monkeypatch):
    X, y = singles()
    model = secant.fit("linear", X, y).model
    wanted = model.predict(X.astype(np.float64))
    monkeypatch.setattr(_arrays, "_PART", 7 * 3)
    np.testing.assert_array_equal(model.predict(X), wanted)
    X[150, 1] = np.nan
    with pytest.raises(ValueError, match="feature 1 of sample 150 is NaN"):
        model.predict(X)
    with pytest.raises(ValueError, match=r"sample 150 \(from 0\), column \"x2\": expected a finite number, found NaN"):
        secant.fit("linear", X, y)


def test_other_threads_run_during_a_fit(slow):
    net, X, y, options = slow
    ticks, done = [0], threading.Event()

    def tick():
        while not done.is_set():
            ticks[0] += 1
            time.sleep(0.002)

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.perf_counter()
    secant.fit(net, X, y, **{**options, "options": {"gradient_tolerance": 0.0, "max_time": 1.0}})
    seconds = time.perf_counter() - begun
    done.set()
    thread.join()
    assert seconds > 0.9 and ticks[0] > 50


def test_ctrl_c_ends_a_fit_and_keeps_the_best_point(slow):
    net, X, y, options = slow
    sent = []

    def press():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.7, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        secant.fit(net, X, y, **options)
    late = time.perf_counter() - sent[0]
    assert late < 5.0, late
    fit = caught.value.fit
    assert fit.report["reason"] == "Interrupted"
    assert fit.report["value"] < fit.report["initial_value"]
    # And nothing of it is left.
    assert secant.fit("linear", X, y).converged


def test_ctrl_c_in_a_callback_is_the_callbacks():
    def fun(x):
        time.sleep(0.01)
        return float(np.sum(x**2) + np.sin(50 * x[0]))

    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        secant.minimize(fun, np.ones(20), method="gradient-descent", options={"max_iterations": 10**6, "max_time": 60.0})
    assert secant.minimize(lambda x: float(x[0] ** 2), [1.0]).success


def test_handlers_that_do_not_raise_end_nothing(slow):
    net, X, y, options = slow
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
        fit = secant.fit(net, X, y, **{**options, "options": {"max_time": 0.8}})
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [1] and fit.report["reason"] == "MaxTime"


def test_fits_in_several_threads_at_once(slow):
    _, X, y, _ = slow
    alone = secant.fit(secant.Network.mlp([10, 4, 1]), X[:300], y[:300], max_iterations=20).model.theta
    found = []

    def work():
        found.append(secant.fit(secant.Network.mlp([10, 4, 1]), X[:300], y[:300], max_iterations=20).model.theta)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all((theta == alone).all() for theta in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_has_threads_of_its_own(slow):
    _, X, y, _ = slow
    code = """
import os, sys, warnings
import numpy as np, secant
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((2000, 10)); y = np.sin(X[:, 0])
net = secant.Network.mlp([10, 16, 1])
first = secant.fit(net, X, y, max_iterations=5).model.theta
rosen = lambda x: float(np.sum(100 * (x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2))
secant.minimize(rosen, np.zeros(5))
child = os.fork()
if child == 0:
    again = secant.fit(net, X, y, max_iterations=5).model.theta
    many = secant.fit_many("a*exp(-b*x)", np.arange(5.0), np.exp(-np.arange(5.0)) * np.ones((100, 1)), [1.0, 1.0])
    small = secant.minimize(rosen, np.zeros(300), method="bfgs", options={"max_iterations": 3})
    os._exit(0 if (again == first).all() and many.success.all() else 1)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_threads_can_be_said():
    code = "import secant; print(secant.set_threads(1), secant.set_threads(None))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "SECANT_NUM_THREADS": "3"},
    )
    assert found.stdout.split() == ["1", "3"]
    wrong = subprocess.run(
        [sys.executable, "-c", code.replace("set_threads(1), ", "set_threads(None), ")], capture_output=True, text=True,
        env={**os.environ, "SECANT_NUM_THREADS": "many"}, check=False,
    )
    assert "SECANT_NUM_THREADS=many" in wrong.stderr
    with pytest.raises(ValueError, match="1 or more"):
        secant.set_threads(0)


def test_the_same_bits_whatever_the_threads():
    code = """
import numpy as np, secant, hashlib, sys
rng = np.random.default_rng(0)
X = rng.standard_normal((3000, 6)); y = np.sin(X[:, 0])
theta = secant.fit(secant.Network.mlp([6, 12, 1]), X, y, max_iterations=15).model.theta
print(hashlib.sha256(theta.tobytes()).hexdigest())
"""
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "SECANT_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2", "5")
    }
    assert len(hashes) == 1


def test_progress_is_for_standard_error(slow, capfd):
    net, X, y, options = slow
    secant.fit(net, X[:200], y[:200], max_iterations=5, progress=True)
    out, err = capfd.readouterr()
    assert out == "" and err != ""
    secant.fit(net, X[:200], y[:200], max_iterations=5)
    assert capfd.readouterr() == ("", "")


def test_fits_leave_no_memory_behind():
    resource = pytest.importorskip("resource")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((500, 4))
    y = X[:, 0] ** 2

    class Stop(Exception):
        pass

    def once():
        fit = secant.fit(secant.Network.mlp([4, 8, 1]), X, y, max_iterations=5)
        fit.model.from_bytes(fit.model.to_bytes())
        secant.curve_fit("a*x + b", X[:, 0], y, [1.0, 1.0])
        try:
            secant.minimize(lambda x: (_ for _ in ()).throw(Stop), np.ones(50))
        except Stop:
            pass

    for _ in range(200):
        once()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(1000):
        once()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # A leak of one data set a fit would be 20 MB.
    assert grown < 12_000, grown
