"""The notebook for newcomers runs from top to bottom, and says what it promises."""

from pathlib import Path

import numpy as np
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "first_fit.ipynb"

nbformat = pytest.importorskip("nbformat", reason="the notebook needs nbformat")
nbclient = pytest.importorskip("nbclient", reason="the notebook needs nbclient to run")
for name in ("ipykernel", "matplotlib", "pandas", "scipy"):
    pytest.importorskip(name, reason=f"the notebook needs {name}")

# jupyter_client and pyzmq warn of loops and of folders that are theirs to keep in order.
pytestmark = pytest.mark.filterwarnings("default")

READ = """
import json
json.dumps({
    "linear": float(linear.model.score(X_test, y_test)["RMSE"]),
    "network": float(score["RMSE"]),
    "least_squares": np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=None)[0].tolist(),
    "ones": np.column_stack([np.ones(len(X_test)), X_test]).tolist(),
    "predicted": linear.predict(X_test).tolist(),
    "weight_errors": [e["standard_error"] for e in errors["estimates"]],
    "same": same,
    "curve": curve.fit.parameters, "temperature": plant["temperature"].tolist(), "power": plant["target"].tolist(),
    "band": [band[k].tolist() for k in ("low", "lower", "value", "upper", "high")],
    "minimum": found.x.tolist(),
    "theirs": float(theirs.fun), "ours": float(ours.fun),
})
"""


@pytest.fixture(scope="module")
def ran():
    """The notebook after it ran, and what its variables hold."""
    import ast
    import json

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(READ))
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    return notebook, json.loads(ast.literal_eval(notebook.cells[-1].outputs[0]["data"]["text/plain"]))


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_the_linear_fit_is_least_squares(ran):
    _, found = ran
    expected = np.array(found["ones"]) @ np.array(found["least_squares"])
    np.testing.assert_allclose(found["predicted"], expected, rtol=1e-9)
    assert len(found["weight_errors"]) == 9
    assert all(error > 0 for error in found["weight_errors"])


def test_the_network_beats_the_line_and_comes_back_from_its_file(ran):
    _, found = ran
    assert found["network"] < 0.75 * found["linear"]
    assert found["same"]


def test_the_curve_is_scipys_and_lies_in_its_band(ran):
    from scipy.optimize import curve_fit

    _, found = ran
    x, y = np.array(found["temperature"]), np.array(found["power"])

    def sigmoid(x, least, span, rate, middle):
        return least + span / (1.0 + np.exp(rate * (x - middle)))

    expected, _ = curve_fit(sigmoid, x, y, p0=[430.0, 60.0, 0.1, 15.0], maxfev=10_000)
    ours = [found["curve"][name] for name in ("least", "span", "rate", "middle")]
    np.testing.assert_allclose(ours, expected, rtol=1e-3)
    low, lower, value, upper, high = map(np.array, found["band"])
    assert (low < lower).all() and (lower < value).all() and (value < upper).all() and (upper < high).all()


def test_the_minima_are_the_ones_that_are_known(ran):
    _, found = ran
    np.testing.assert_allclose(found["minimum"], np.ones(5), atol=1e-5)
    assert abs(found["theirs"] - found["ours"]) < 1e-3 * found["ours"]


def test_every_picture_was_drawn(ran):
    notebook, _ = ran
    pictures = sum("image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    assert pictures == 2
