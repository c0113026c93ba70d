#!/usr/bin/env bash
# Fits at 1 to 4 ranks and in one process without MPI: the same bits. A fault on one rank ends all of them, with its words; a run whose
# rank was killed goes on from its checkpoint with any number of ranks. Needs OpenMPI and libclang (README). `run.sh 8`: at other numbers of ranks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

counts=("$@")
if [ ${#counts[@]} -eq 0 ]; then counts=(1 2 3 4); fi
# More ranks than cores, as root in a container; one thread each.
mpirun=(mpirun --allow-run-as-root --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none --mca orte_base_help_aggregate 0)
export RAYON_NUM_THREADS=1

cargo build --quiet --example fits
fits=${CARGO_TARGET_DIR:-target}/debug/examples/fits
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}

"$fits" plain "$work" > "$work/plain"
cat "$work/plain"
for ranks in "${counts[@]}"; do
    "${mpirun[@]}" -n "$ranks" "$fits" > "$work/ranks-$ranks"
    if ! diff "$work/plain" "$work/ranks-$ranks"; then fail "$ranks rank(s) have other bits"; fi
done
# Every evaluation is one collective, of the bytes that the formulas of docs/distributed.md say.
for ranks in "${counts[@]}"; do
    if ! "${mpirun[@]}" -n "$ranks" "$fits" traffic; then fail "$ranks rank(s): other traffic"; fi
done
# Each rank reads its rows of two files.
"${mpirun[@]}" -n 3 "$fits" files "$work" > "$work/files"
if ! diff <(head -1 "$work/plain") "$work/files"; then fail "of files: other bits"; fi

# fault NAME RANKS WORDS: all ranks end within 20 s, not in success, and one of them says the words.
fault() {
    local status=0
    timeout 20 "${mpirun[@]}" -n "$2" "$fits" fault "$1" > "$work/out" 2>&1 || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq 124 ] || ! grep -q -- "$3" "$work/out"; then
        cat "$work/out"
        fail "fault $1 at $2 ranks: status $status, expected the words: $3"
    else
        grep -- "$3" "$work/out" | head -1
    fi
}
fault file 3 'secant: rank 1: .*no-such-file.npy'
fault columns 3 'secant: rank 1: rank 0 and this one have 4 and 3 features'
fault panic 3 'secant: rank 1: panicked: the loss does not like tile'
fault infinite 3 'secant: rank 2: the loss of sample 8998 (from 0, among all) is not finite'
fault apart 3 'value (exchange .*not at the same point'
fault hang 3 'value and gradient (exchange .*) has waited [0-9]* s: rank 1 is missing'

# Whoever wants to stop, all stop at the same step.
for name in stop time; do
    "${mpirun[@]}" -n 3 "$fits" fault "$name" > "$work/out"
    if [ "$(grep -c Interrupted "$work/out")" -ne 3 ] || [ "$(sed 's/^rank [0-9]*//' "$work/out" | sort -u | wc -l)" -ne 1 ]; then
        cat "$work/out"
        fail "$name: not the same end on all ranks"
    fi
done

# One CSV file, of which each rank reads its bytes: a bad field in those of the last one, and a file that is packed.
"$fits" table "$work/table.csv" 100000 > /dev/null
sed '$s/^[^,]*/red/' "$work/table.csv" > "$work/bad.csv"
# Lines in quotes count.
last=$(wc -l < "$work/bad.csv")
gzip -k "$work/table.csv"
csv_fault() {
    local status=0
    timeout 20 "${mpirun[@]}" -n 3 "$fits" csv "$1" > "$work/out" 2>&1 || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq 124 ] || ! grep -q -- "$2" "$work/out"; then
        cat "$work/out"
        fail "$1: status $status, expected the words: $2"
    else
        grep -- "$2" "$work/out" | head -1
    fi
}
csv_fault "$work/bad.csv" "secant: rank 2: .*bad.csv, line $last, column \"x1\": expected a number, found \"red\""
csv_fault "$work/table.csv.gz" 'secant: rank 0: .*expected a plain file, to read a part of it, found a packed one'

# A run that nobody disturbed, one whose rank 1 of 2 was killed, and what becomes of its checkpoint.
"${mpirun[@]}" -n 2 "$fits" run "$work/whole.run" 0 > "$work/whole"
if timeout 20 "${mpirun[@]}" -n 2 "$fits" run "$work/killed.run" 12 > "$work/out" 2>&1; then fail "a rank that was killed was not missed"; fi
if ! grep -q 'signal 9 (Killed)' "$work/out"; then
    cat "$work/out"
    fail "rank 1 was not killed"
fi
if pgrep -f "$work/killed.run"; then fail "a rank lives on when another was killed"; fi
for ranks in 1 2 3 4; do
    cp "$work/killed.run" "$work/resumed.run"
    "${mpirun[@]}" -n "$ranks" "$fits" resume "$work/resumed.run" > "$work/resumed"
    if ! diff "$work/whole" "$work/resumed"; then fail "resumed with $ranks rank(s): other bits"; fi
done

# `secant::fit` of the table: the models of one process; a fit that ended early goes on with another number of ranks.
"$fits" table "$work/fit.csv" 1000000 > /dev/null
"$fits" plain-fit "$work/fit.csv" 20 > "$work/plain-fit"
cat "$work/plain-fit"
for ranks in "${counts[@]}"; do
    "${mpirun[@]}" -n "$ranks" "$fits" fit "$work/fit.csv" 20 "$work/fit.run" > "$work/fit"
    if ! diff "$work/plain-fit" "$work/fit"; then fail "fit at $ranks rank(s): other bits"; fi
done
"${mpirun[@]}" -n 2 "$fits" fit "$work/fit.csv" 4 "$work/fit.run" > /dev/null
"${mpirun[@]}" -n 3 "$fits" resume-fit "$work/fit.csv" 20 "$work/fit.run" > "$work/fit"
if ! diff "$work/plain-fit" "$work/fit"; then fail "fit gone on with: other bits"; fi
# The checkpoint is of these samples.
sed '$s/^0\.[0-9]*/0.55555/' "$work/fit.csv" > "$work/other.csv"
if "${mpirun[@]}" -n 3 "$fits" resume-fit "$work/other.csv" 20 "$work/fit.run" > "$work/out" 2>&1 || ! grep -m 1 'the data is not the same' "$work/out"; then
    cat "$work/out"
    fail "a checkpoint of other samples is taken"
fi

if ! tests/large.sh; then fail "a table larger than a rank may have"; fi
if ! tests/command.sh; then fail "the command"; fi

if [ "$failed" -ne 0 ]; then exit 1; fi
echo "mpi: the bits of one process at ${counts[*]} ranks; faults end all of them; checkpoints go on with any number"
