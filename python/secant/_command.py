"""The command `secant` of this package: the same as that of the Rust crate."""

from __future__ import annotations

import sys

from . import _core


def main() -> None:
    """Runs the command line and ends the process by its status."""
    sys.stdout.flush()
    sys.exit(_core.run_command(["secant", *sys.argv[1:]]))
