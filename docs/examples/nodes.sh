# Several svisord on this machine, one for each node of an example. The example's `run` says where it is (`here`), reads this file,
# and calls `nodes`. Everything that is written goes to the directory in SVISOR_EXAMPLE.
#
#   nodes "NAME ADDRESS FILE" ...      starts them all and waits for Ctrl-C, which ends them and removes the directory.
#
# With the name of a node as an argument, `run NAME` starts that one again, in the foreground, in the SVISOR_EXAMPLE of a
# run that goes on: for a node that was killed.
build=${BUILD:-$(cd "$here/../../.." && pwd)/build}
PATH=$PATH:/usr/sbin:/sbin
export PATH

need() {
    for program; do
        command -v "$program" >/dev/null || { echo "$program is missing: run 'make deps'" >&2; exit 1; }
    done
}

# The configuration of an example is one file for all nodes of a kind: what differs is in the environment.
become_node() { # NAME ADDRESS
    export SVISOR_NODE="$1" SVISOR_ADDRESS="$2"
    mkdir -p "$SVISOR_EXAMPLE/$1"
}

start_node() { # NAME ADDRESS FILE
    (become_node "$1" "$2" && exec "$build/svisord" -n -c "$here/$3" >"$SVISOR_EXAMPLE/$1.out" 2>&1) &
    started="$started $!"
}

end_node() { # ADDRESS
    "$build/svctl" -s "http://$1" shutdown >/dev/null 2>&1
}

# Every node is asked, also one that was killed and started again by hand, which is no child of ours. One that was killed and is
# gone is started once more: programs outlive their svisord, and only the next one can stop them.
end_nodes() {
    for pid in $started; do
        kill -CONT "$pid" 2>/dev/null || true # the reader may have stopped it, to see a silent node
    done
    set -- $all
    while [ $# -gt 0 ]; do
        if ! end_node "$2"; then
            start_node "$1" "$2" "$3"
            tries=0
            until end_node "$2" || [ $tries -eq 100 ]; do
                tries=$((tries + 1))
                sleep 0.1
            done
        fi
        shift 3
    done
    for pid in $started; do
        wait "$pid" || true
    done
    rm -rf "$SVISOR_EXAMPLE"
}

nodes() {
    if [ -n "$only" ]; then
        for node; do
            set -- $node
            [ "$1" != "$only" ] || { become_node "$1" "$2"; exec "$build/svisord" -n -c "$here/$3"; }
        done
        echo "there is no node '$only' here" >&2
        exit 2
    fi
    started=
    all=$*
    trap end_nodes EXIT
    trap 'exit 0' INT TERM
    for node; do
        start_node $node
    done
    for pid in $started; do
        wait "$pid" || echo "a node has ended: see $SVISOR_EXAMPLE/*.out and */svisord.log" >&2
    done
}

only=${1:-}
if [ -z "$only" ]; then
    SVISOR_EXAMPLE=$(mktemp -d "${TMPDIR:-/tmp}/svisor-example.XXXXXX")
    export SVISOR_EXAMPLE
elif [ -z "${SVISOR_EXAMPLE:-}" ]; then
    echo "SVISOR_EXAMPLE is not set: it is the directory of the run to which '$only' belongs" >&2
    exit 2
fi
