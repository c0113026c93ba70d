"""What several tests need."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
# Processes that tests start import the package that is installed, not the sources in the folder they are started in.
os.environ["PYTHONSAFEPATH"] = "1"


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The project's own data."""
    return ROOT / "data"


@pytest.fixture(scope="session")
def big_data_folder() -> Path:
    """The larger data, where `SECANT_DATA` says."""
    found = os.environ.get("SECANT_DATA")
    if not found or not Path(found).is_dir():
        pytest.skip("SECANT_DATA names no folder")
    return Path(found)


@pytest.fixture
def concrete(data_folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """1,030 samples, 8 features."""
    table = np.loadtxt(data_folder / "concrete.csv", delimiter=",", skiprows=1)
    return np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()
