#!/usr/bin/env bash
# The command `secant` with the feature `mpi`: what `mpirun -n R secant fit …` writes and prints is what the same words write and print without
# mpirun, but for times. What ranks do not do is refused once; what one rank cannot read, or has otherwise, ends all; an interrupt of one stops
# all at the same step. `command.sh 8`: at other numbers of ranks. `SECANT=target/release/secant command.sh` takes a command that is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

counts=("$@")
if [ ${#counts[@]} -eq 0 ]; then counts=(1 2 3); fi
mpirun=(mpirun --allow-run-as-root --oversubscribe --bind-to none --mca btl_vader_single_copy_mechanism none --mca orte_base_help_aggregate 0)
export RAYON_NUM_THREADS=1

if [ -z "${SECANT:-}" ]; then
    # The command from this workspace, whose libraries stand there already.
    cargo build --quiet --example secant
    SECANT=${CARGO_TARGET_DIR:-target}/debug/examples/secant
fi
secant=$(realpath "$SECANT") data=$(realpath ../../data)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}
# Without times and what depends on their length: where a line ends.
timeless() {
    tr -s '[:space:]' ' ' < "$1" | sed -E 's/\x1b\[[0-9;]*m//g; s/"seconds":[0-9.e+-]+/"seconds":0/g; s/ in [0-9.]+ (µs|ms|s);/ in TIME;/g'
}
# Two blocks of samples; a column of texts with gaps, weights of which a whole rank has none but 0.
awk -F, 'BEGIN { split("coast,hill,town", place, ",") }
    NR == 1 { print "place,weight," $0; next }
    { print (NR % 41 ? place[1 + (NR * NR) % 3] : "") "," (NR < 7000 ? 0 : 1 + NR % 2) "," $0 }' "$data/power_plant.csv" > plant.csv
cat > net.toml <<'TOML'
input = 4
penalty = { ridge = 1e-4 }
[[node]]
name = "hidden"
op = "dense"
outputs = 5
[[node]]
name = "bent"
op = "tanh"
[[node]]
name = "score"
op = "dense"
outputs = 1
TOML

# same NAME STATUS WORDS…: the model, the JSON and the text of the plain command at all numbers of ranks.
same() {
    local name=$1 expected=$2 ranks status
    shift 2
    local words=("$secant" fit "$@" --quiet --out model)
    mkdir -p "$name/plain"
    status=0
    (cd "$name/plain" && "${words[@]}" --json > json) || status=$?
    if [ "$status" -ne "$expected" ]; then fail "$name: status $status without mpirun"; fi
    (cd "$name/plain" && "$secant" fit "$@" > text 2> /dev/null) || true
    for ranks in "${counts[@]}"; do
        mkdir -p "$name/$ranks"
        status=0
        (cd "$name/$ranks" && timeout 120 "${mpirun[@]}" -n "$ranks" "${words[@]}" --json > json 2> log) || status=$?
        if [ "$status" -ne "$expected" ]; then
            cat "$name/$ranks/log"
            fail "$name at $ranks rank(s): status $status"
        fi
        (cd "$name/$ranks" && timeout 120 "${mpirun[@]}" -n "$ranks" "$secant" fit "$@" > text 2> /dev/null) || true
        if ! cmp "$name/plain/model" "$name/$ranks/model"; then fail "$name at $ranks rank(s): another model"; fi
        for file in json text; do
            if ! diff <(timeless "$name/plain/$file") <(timeless "$name/$ranks/$file"); then fail "$name at $ranks rank(s): other $file"; fi
        done
    done
    echo "$name: $(grep -o '"method":"[^"]*"' "$name/plain/json"), $(grep -o '"reason":"[^"]*"' "$name/plain/json" | head -1)"
}
same classes 0 "$data/iris.csv" --target target --classes --ridge 1e-3
same texts 0 "$work/plant.csv" --target target --missing mean --weights weight
same net 0 "$work/plant.csv" --target target --model mlp:6 --missing drop --ignore weight --patience 3 --ridge 1e-4
same weights 3 "$work/plant.csv" --target target --model mlp:5 --weights weight --ignore place --valid 0 --max-iterations 20
same broken-off 3 "$data/power_plant.csv" --target target --model mlp:8,4:silu --method levenberg-marquardt --max-iterations 5 --valid 0
same graph 3 "$data/power_plant.csv" --target target --model "file:$work/net.toml" --max-iterations 30 --seed 3
same l1 0 "$data/concrete.csv" --target target --l1 0.5
same bounds 0 "$data/concrete.csv" --target target --bounds age=0..0.1,water=0..

# refused STATUS RANKS WORDS COMMAND…: all ranks end within 10 s with the status, and the words are said once.
refused() {
    local expected=$1 ranks=$2 said=$3 status=0
    shift 3
    timeout 10 "${mpirun[@]}" -n "$ranks" "$@" > out 2> log || status=$?
    if [ "$status" -ne "$expected" ] || [ "$(cat out log | grep -c -- "$said")" -ne 1 ]; then
        cat out log
        fail "${*:2}: status $status, expected $expected and once the words: $said"
    else
        grep -- "$said" log
    fi
}
fit=("$secant" fit "$data/iris.csv" --target target)
alone='not over several ranks of MPI'
refused 2 3 "error: --starts: $alone" "${fit[@]}" --starts 4
refused 2 2 "error: --ridge auto: $alone" "${fit[@]}" --ridge auto
refused 2 2 "error: --loss with an estimated scale: $alone" "${fit[@]}" --loss huber
refused 2 2 "error: --model formula: $alone" "${fit[@]}" --model 'formula:a*sepal_length'
refused 2 2 "error: --model glm: $alone" "${fit[@]}" --model glm:poisson
refused 2 2 "error: --offset: $alone" "${fit[@]}" --offset sepal_length
refused 2 2 "error: standard input: $alone" "$secant" fit - --target target
refused 2 2 'error: of the commands `fit` alone runs over several ranks' "$secant" describe "$data/iris.csv"
refused 2 2 'unexpected argument' "${fit[@]}" --no-such-option
refused 2 3 'error: .*no column "targte"' "$secant" fit "$data/iris.csv" --target targte
refused 2 2 'no folder' "${fit[@]}" --out no-such-folder/model
if [ "$("${mpirun[@]}" -n 3 "$secant" --version | wc -l)" -ne 1 ]; then fail "the version is not said once"; fi

# In a folder of its own a rank finds a file that is not there, one with a bad row, one with other rows; a checkpoint that is none.
mkdir here
of_rank() {
    local rank=$1 said=$2
    shift 2
    refused 2 3 "$said" bash -c 'if [ "$OMPI_COMM_WORLD_RANK" -eq "$0" ]; then cd here; fi; exec "$@"' "$rank" "$secant" fit table.csv --target target "$@"
}
cp "$data/iris.csv" table.csv
of_rank 1 'error: rank 1: table.csv: .*No such file'
sed '7s/^[^,]*/red/' table.csv > here/table.csv
of_rank 1 'error: rank 1: table.csv: column "sepal_length" has 149 numbers and 1 text: line 7 has "red"'
sed '7s/^[^,]*/1.25/' table.csv > here/table.csv
of_rank 1 'error: rank 1: 30 samples, of which some are others than on rank 0'
sed '8s/^[^,]*/1.25/' table.csv > here/table.csv
of_rank 1 'error: rank 1: 120 samples, of which some are others than on rank 0'
sed '$d' table.csv > here/table.csv
of_rank 1 'error: rank 1: 149 samples, rank 0 has 150' --valid 0
cp table.csv here/table.csv
status=0
"${mpirun[@]}" -n 2 "$secant" fit table.csv --target target --model mlp:3 --max-iterations 2 --checkpoint kept --quiet 2> log || status=$?
if [ "$status" -ne 3 ]; then cat log && fail "a limit: status $status"; fi
of_rank 1 'error: rank 1: kept: No such file' --model mlp:3 --resume kept
head -c 100 kept > here/kept
of_rank 1 'secant: rank 1: kept: has 100 bytes' --model mlp:3 --resume kept
of_rank 0 'error: kept: has 100 bytes' --model mlp:3 --resume kept
refused 2 3 'the checkpoint is of another run' "$secant" fit table.csv --target target --model mlp:4 --resume kept

# Ctrl-C, as one rank has it: all stop at the same step, with one checkpoint, from which any number of ranks goes on.
long=("$secant" fit "$data/power_plant.csv" --target target --model mlp:12 --tolerance 1e-15 --json --quiet --out model)
mkdir -p stopped whole
(cd stopped && exec "${mpirun[@]}" -n 3 bash -c 'echo $$ > pid.$OMPI_COMM_WORLD_RANK; exec "$@"' - "${long[@]}" --max-iterations 100000 --checkpoint kept --every 1s > json 2> log) &
job=$!
for _ in $(seq 100); do
    if [ -s stopped/kept ]; then break; fi
    sleep 0.1
done
kill -INT "$(cat stopped/pid.1)"
status=0
wait "$job" || status=$?
steps=$(sed -E 's/.*"iterations":([0-9]+).*/\1/' stopped/json)
if [ "$status" -ne 130 ] || ! grep -q '"reason":"Interrupted"' stopped/json || [ "$(wc -l < stopped/json)" -ne 1 ]; then
    cat stopped/json stopped/log
    fail "an interrupt of rank 1: status $status"
fi
echo "interrupted after $steps iterations"
(cd whole && "${long[@]}" --max-iterations $((steps + 5)) > json) || true
for ranks in "${counts[@]}"; do
    if [ "$ranks" -eq 1 ]; then continue; fi
    (cd stopped && "${mpirun[@]}" -n "$ranks" "${long[@]}" --max-iterations $((steps + 5)) --resume kept > json 2> log) || true
    if ! cmp whole/model stopped/model; then fail "gone on with $ranks ranks: another model"; fi
done

if [ "$failed" -ne 0 ]; then exit 1; fi
echo "mpi: the command at ${counts[*]} rank(s) is the plain one; refusals, faults and interrupts end all ranks"
