# `just` lists the recipes; each is one command that also works without just.

export CARGO_TERM_COLOR := env("CARGO_TERM_COLOR", "auto")

# List the recipes.
default:
    @just --list

# Everything that must pass before a change goes in.
ci:
    .ci/run

# Debug build of all targets.
build:
    cargo build --workspace --all-targets

# All tests with default features, doctests included.
test *arguments:
    cargo test --workspace {{arguments}}

# The tests of the optional features.
test-features:
    cargo test -p secant-core -p secant-optim --all-features --lib --test features

# Reports in a browser (Chromium); SECANT_PAGES=folder keeps the pages.
browser:
    cargo test --features html --test html_browser

# Builds the Python package into `out/python`, an environment of its own, and runs its tests.
python:
    python3 -m venv out/python
    out/python/bin/pip install --quiet './python[sklearn,test]'
    cd python && ../out/python/bin/pytest -q

# Fits, interrupts and pickles from Python for half an hour; after `just python`.
soak minutes="30":
    cd python && ../out/python/bin/python -X dev -W error tests/soak.py {{minutes}}

# Fits over MPI at 1 to 4 ranks, or at those given (OpenMPI, libclang).
mpi *ranks:
    crates/mpi/tests/run.sh {{ranks}}

# Lints, warnings denied.
clippy:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Format all crates.
fmt:
    cargo fmt --all

# API documentation, warnings denied.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# All benches, or one: `just bench throughput`.
bench name="":
    cargo bench {{ if name == "" { "" } else { "--bench " + name } }}

# One example: `just example newton_one_step --json`.
example name *arguments:
    cargo run --release --example {{name}} -- {{arguments}}

# The main job.
main: (example "newton_one_step")

# Licences, advisories, duplicate versions and sources (needs cargo-deny).
deny:
    cargo deny check
