#!/bin/bash
# mosquitto_rr and Mosquitto 2.0.11 (Debian 12).
#
# What one would expect: mosquitto_rr asks on one topic, with a response topic, and prints the answer to its question. Many may
# ask at a time, so with MQTT 5 it gives its question Correlation Data (`-D publish correlation-data …`), and prints
# what comes back with the same.
# What happens: it prints the first message on the response topic, whatever its Correlation Data, and ends with 0: the answer to
# another's question, or one that was retained before it asked. The answer to its own comes when it is gone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0 mosquitto-clients
start_broker 18841 "log_type all"

run() { # PROGRAM [ARGUMENT…]
    LD_LIBRARY_PATH=$libraries timeout 20 "$work/root/usr/bin/mosquitto_$1" -h 127.0.0.1 -p 18841 -V 5 "${@:2}"
}
answer() { # TEXT CORRELATION_DATA [ARGUMENT…]
    run pub -q 1 -t answers -m "$1" -D publish correlation-data "$2" "${@:3}"
}
ask() { # what it prints, and its status
    local said status=0
    said=$(run rr -q 1 -t questions -e answers -m question -D publish correlation-data mine) || status=$?
    printf '%s (status %s)\n' "$said" "$status"
}
respond() { # to one question: another's answer first, then the one to it
    run sub -q 1 -C 1 -t questions -F '%D' >"$work/question"
    answer "the answer to another" anothers
    answer "the answer to it" "$(cat "$work/question")"
}
hears() { grep -q "Sending SUBACK" "$work/broker.log"; }

respond &
responder=$!
for _ in $(seq 100); do hears && break; sleep 0.1; done
hears
first=$(ask)
wait "$responder"
answer "an answer of before" anothers -r
seen="while another is answered: $first
where one is retained: $(ask)
the question bore: $(cat "$work/question")"
printf '%s\n' "$seen"
expected='while another is answered: the answer to another (status 0)
where one is retained: an answer of before (status 0)
the question bore: mine'
[ "$seen" = "$expected" ] || { echo "CHANGED: it tells answers apart now"; exit 1; }
echo "as stated: the first message on the topic is taken for the answer"
