#!/usr/bin/env bash
# Decides whether a release may ship: gate.sh OLD NEW [OUT]
# OLD is a folder with the program headroom of the last release, NEW one with headroom
# and surge. OUT gets the stored runs and reports, in place of those of an earlier gate.
# The exit code is that of surge: 0 may ship, 2 the new server is not there, 3 a promise is
# broken, 4 the machine could not tell, 5 slower than the last release, 130 stopped.
set -uo pipefail
old=${1:?gate.sh OLD NEW [OUT]} new=${2:?gate.sh OLD NEW [OUT]} out=${3:-gate}
data=$(mktemp -d) || exit 1
server='' running='' stopped=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; wait; rm -rf "$data"' EXIT
trap 'stopped=1; [ -z "$running" ] || kill "$running"' INT TERM HUP

# attend runs a command to its end. Who stops the gate stops the command, which then
# stores what there is.
attend() {
  ((!stopped)) || return 130
  "$@" &
  running=$!
  wait "$running"
  code=$?
  while kill -0 "$running" 2>/dev/null; do # the wait was cut short
    wait "$running"
    code=$?
  done
  running=''
  return "$code"
}

mkdir -p "$out" && rm -rf "$out"/{smoke,runs,report.html,promises.xml,summary.md,server.log} "$out"/comparison.{html,xml,md} || exit 1
attend "$new/headroom" seed --data-dir "$data" --entries 100000 --tenants 5 --tokens "$out/tokens.csv" || exit $((stopped ? 130 : 1))

# Does the new one keep its promises?
"$new/headroom" serve --no-demo --data-dir "$data" --addr 127.0.0.1:18080 --admin-addr 127.0.0.1:18081 2>"$out/server.log" &
server=$!
for _ in $(seq 120); do
  ((!stopped)) || exit 130
  curl -fsm 2 http://127.0.0.1:18080/readyz >/dev/null && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
if ! kill -0 "$server" 2>/dev/null; then # or another one would be asked that has its address
  server=''
  echo 'gate: the new server ended at its start:' >&2
  tail -n 3 "$out/server.log" >&2
  exit 2
fi
attend "$new/surge" run smoke --target http://127.0.0.1:18080/graphql --tokens "$out/tokens.csv" --out "$out/smoke"
promised=$?
kill "$server" && wait "$server"
server=''
"$new/surge" report "$out/smoke" --html "$out/report.html" --junit "$out/promises.xml" --markdown "$out/summary.md"
[ "$promised" -eq 0 ] || exit "$promised"

# Is it slower than the last one? Both are started in turns on the same data. What lists
# within lists take is counted first, which takes a minute.
compare() {
  rm -f "$out"/comparison.{html,xml,md}
  attend "$new/surge" compare "$@" --tokens "$out/tokens.csv" \
    --html "$out/comparison.html" --junit "$out/comparison.xml" --markdown "$out/comparison.md" \
    "'$old/headroom' serve --no-demo --data-dir '$data'" "'$new/headroom' serve --no-demo --data-dir '$data'"
  compared=$?
  [ ! -e "$out/comparison.md" ] || cat "$out/comparison.md" >>"$out/summary.md"
}
compare --count --scenario lists --duration 5s
[ "$compared" -eq 0 ] || exit "$compared"
compare --out "$out/runs"
exit "$compared"
