#!/usr/bin/env bash
# α and β of a link of a known rate: two network namespaces, a pair of virtual cards, and a bucket of tokens that lets RATE megabits a second
# through each way. By hand: it needs root and the kernel's `tbf`. `link.sh 100 2 4 8`: at 2, 4 and 8 ranks, half of them in each namespace, all
# by TCP: the names of memory that ranks of one host share would be those of both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rate=${1:-100}
shift || true
counts=("$@")
if [ ${#counts[@]} -eq 0 ]; then counts=(2); fi

cargo build --quiet --release --example scaling
scaling=$(realpath "${CARGO_TARGET_DIR:-target}/release/examples/scaling")
work=$(mktemp -d)
here=secant-here there=secant-there
clean() {
    rm -rf "$work"
    ip netns del $here 2> /dev/null || true
    ip netns del $there 2> /dev/null || true
}
trap clean EXIT
clean
mkdir -p "$work/there"
ip netns add $here
ip netns add $there
ip link add secant-a netns $here type veth peer name secant-b netns $there
for end in "$here secant-a 10.77.0.1" "$there secant-b 10.77.0.2"; do
    read -r space card address <<< "$end"
    ip -n "$space" addr add "$address/24" dev "$card"
    ip -n "$space" link set "$card" up
    ip -n "$space" link set lo up
    ip netns exec "$space" tc qdisc add dev "$card" root tbf rate "${rate}mbit" burst 64k latency 400ms
done

# How `mpirun` reaches the other host: the namespace that has its address. One machine, so that its daemon needs a folder of its own.
cat > "$work/reach" << SCRIPT
#!/bin/sh
shift
exec ip netns exec $there env TMPDIR="$work/there" sh -c "\$*"
SCRIPT
chmod +x "$work/reach"
export RAYON_NUM_THREADS=1
for ranks in "${counts[@]}"; do
    half=$((ranks / 2))
    ip netns exec $here mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$ranks" --map-by node \
        --host "10.77.0.1:$half,10.77.0.2:$half" --mca plm_rsh_agent "$work/reach" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
        --mca oob_tcp_if_include 10.77.0.0/24 "$scaling" link
done
