#!/usr/bin/env bash
# A CSV file fitted by ranks none of which may have as much address space as its table takes (`ulimit -v`): the bits of one process without a
# limit, and the same limit ends one rank that reads all of it. `large.sh BYTES RANKS [release]`; by default 128 MiB and 4.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bytes=${1:-134217728} ranks=${2:-4} profile=${3:-dev}
mpirun=(mpirun --allow-run-as-root --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none --mca orte_base_help_aggregate 0)
# A heap for each thread would take address space that holds nothing.
export RAYON_NUM_THREADS=1 MALLOC_ARENA_MAX=1

cargo build --quiet --example fits --profile "$profile"
fits=${CARGO_TARGET_DIR:-target}/${profile/dev/debug}/examples/fits
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What MPI, threads and the program itself take.
"$fits" table "$work/small.csv" 100000 > /dev/null
"${mpirun[@]}" -n "$ranks" "$fits" csv "$work/small.csv" 2>&1 > /dev/null | tee "$work/out"
base=$(sed -n 's/.* samples, \([0-9]*\) KiB of address space.*/\1/p' "$work/out" | sort -n | tail -1)
table=$("$fits" table "$work/large.csv" "$bytes")
limit=$((base + table * 3 / 4))
echo "a table of $table KiB in $bytes bytes of CSV; $limit KiB for each of $ranks ranks, $base of which any of them takes"

limited() {
    "${mpirun[@]}" -n "$1" bash -c 'ulimit -v "$0" && exec "$@"' "$limit" "$fits" csv "$work/large.csv"
}
SECONDS=0
limited "$ranks" > "$work/ranks"
echo "$ranks ranks: $SECONDS s"
if limited 1 > "$work/out" 2>&1; then
    echo "FAILED: one rank has all of the table within the limit"
    exit 1
fi
grep -m 1 -E 'beyond this machine|memory allocation' "$work/out" || { cat "$work/out"; echo "FAILED: it is not memory that one rank lacks"; exit 1; }
SECONDS=0
"$fits" plain-csv "$work/large.csv" > "$work/plain"
echo "one process without a limit: $SECONDS s"
diff "$work/plain" "$work/ranks" || { echo "FAILED: other bits"; exit 1; }
cat "$work/ranks"
