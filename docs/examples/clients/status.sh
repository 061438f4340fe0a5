#!/bin/sh
# The state of a daemon with curl alone.
#
#     status.sh http://alice:secret@127.0.0.1:9001
#     status.sh --unix-socket /run/svisor.sock http://localhost
#
# The words are curl's own; the last one is the server.
set -eu

if [ $# = 0 ]; then
    echo "usage: $0 [option of curl…] http://[user:password@]host:port" >&2
    exit 2
fi

# call METHOD [TEXT]: the body of the answer. A fault is an answer, too.
call() {
    parameters=${2:+"<param><value><string>$2</string></value></param>"}
    printf '<?xml version="1.0"?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>' "$1" "$parameters" |
        curl --silent --show-error --fail -H 'Content-Type: text/xml' --data-binary @- "$@"
}

method() {
    name=$1
    text=$2
    shift 2
    body="<methodCall><methodName>$name</methodName><params>${text:+<param><value>$text</value></param>}</params></methodCall>"
    curl --silent --show-error --fail --globoff -H 'Content-Type: text/xml' --data-binary "$body" "$@/RPC2"
}
