#!/bin/sh
# The state of a daemon, and of one process, with curl alone.
#
#     status.sh http://alice:secret@127.0.0.1:9001 web
#
# Over a unix socket curl wants two words more: --unix-socket /run/svisor.sock http://localhost
set -eu
server=$1
process=$2

# REST: what looks is a GET, and its arguments follow in the path. Without --fail-with-body a fault is an answer like any other.
echo "the daemon, as JSON:"
curl --silent --show-error --fail-with-body "$server/supervisor/getState"
echo
echo "a fault, as JSON:"
curl --silent --show-error "$server/supervisor/getProcessInfo/no-such-program"
echo

# XML-RPC, which supervisord has, too: everything is a POST. call METHOD [TEXT]: the texts of the answer.
call() {
    curl --silent --show-error --fail -H 'Content-Type: text/xml' --data-binary \
        "<methodCall><methodName>$1</methodName><params>${2:+<param><value>$2</value></param>}</params></methodCall>" "$server/RPC2" |
        sed -n 's:.*<string>\(.*\)</string>.*:\1:p'
}

echo "$process, by XML-RPC:"
call supervisor.getProcessInfo "$process"
