#!/usr/bin/env bash
# Fails when a function that runs on every request allocates more often than it
# did: allocations are counted, and the same on every machine; times are not
# compared. Whole operations, from HTTP to PostgreSQL and back, may vary by a
# fiftieth. With --update what is measured becomes what is allowed. The file has
# the form of go test's benchmarks, for benchstat.
set -euo pipefail
cd "$(dirname "$0")/.."
allowed=bench/baseline/allocs.txt
hot='^Benchmark(Price(WithEstimator|OfReport)?|Guard|Mutex|Admit|Refuse|Reserve|CaptureOff|ID|Entries|Resolve|Viewer|Operation)$'
now=$(mktemp)
trap 'rm -f "$now"' EXIT
go test -run '^$' -bench "$hot" -benchtime 2000x -benchmem ./limits ./server ./graph ./timesheet ./store >"$now"
if [[ ${1:-} == --update ]]; then
  mkdir -p "$(dirname "$allowed")"
  grep -v '^\(PASS\|ok\)' "$now" >"$allowed"
  exit
fi
awk '
  $1 ~ /^Benchmark/ {
    name = $1; sub(/-[0-9]+$/, "", name)
    for (i = 2; i <= NF; i++) if ($i == "allocs/op") count = $(i-1)
    if (FILENAME == ARGV[1]) { limit[name] = count; next }
    seen[name] = 1
    if (!(name in limit)) { print name " is new: run tools/allocs.sh --update"; bad = 1 }
    else if (count > limit[name] * (name ~ /Operation/ ? 1.02 : 1)) { print name ": " count " allocations, " limit[name] " allowed"; bad = 1 }
  }
  END {
    for (name in limit) if (!(name in seen)) { print name " was not measured: run tools/allocs.sh --update"; bad = 1 }
    exit bad
  }' "$allowed" "$now"
