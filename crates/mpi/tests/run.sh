#!/usr/bin/env bash
# Fits at 1 to 4 ranks and in one process without MPI: the same bits. A fault on one rank ends all of them, with its words; a run with
# checkpoints that a rank left goes on with any number of ranks. Needs OpenMPI and libclang (README). `run.sh 8`: at other numbers of ranks.
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

# A run that nobody left, one that rank 1 of 2 left, and what becomes of that.
"${mpirun[@]}" -n 2 "$fits" run "$work/whole.run" 0 > "$work/whole"
if timeout 20 "${mpirun[@]}" -n 2 "$fits" run "$work/left.run" 12 > "$work/out" 2>&1; then fail "a rank that left was not missed"; fi
for ranks in 1 3 4; do
    cp "$work/left.run" "$work/resumed.run"
    "${mpirun[@]}" -n "$ranks" "$fits" resume "$work/resumed.run" > "$work/resumed"
    if ! diff "$work/whole" "$work/resumed"; then fail "resumed with $ranks rank(s): other bits"; fi
done

if [ "$failed" -ne 0 ]; then exit 1; fi
echo "mpi: the bits of one process at ${counts[*]} ranks; faults end all of them; checkpoints go on with any number"
