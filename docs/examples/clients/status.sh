#!/bin/sh
# The state of a daemon, and of one process, with curl alone.
#
#     status.sh http://alice:secret@127.0.0.1:9001 web
#
# Over a unix socket curl wants two words more: --unix-socket /run/svisor.sock http://localhost
set -eu
server=$1
process=$2

# call METHOD [TEXT]: the texts of the answer. A fault comes with HTTP status 200, too: it is an answer.
call() {
    curl --silent --show-error --fail -H 'Content-Type: text/xml' --data-binary \
        "<methodCall><methodName>$1</methodName><params>${2:+<param><value>$2</value></param>}</params></methodCall>" "$server/RPC2" |
        sed -n 's:.*<string>\(.*\)</string>.*:\1:p'
}

echo "the daemon:"
call supervisor.getState
echo "$process:"
call supervisor.getProcessInfo "$process"
