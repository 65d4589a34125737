#!/usr/bin/env bash
# Fails when a function that runs on every request allocates more often than it
# did: allocations are counted, and the same on every machine; times are not
# compared. What counts is the median of ten samples; whole operations, from HTTP
# to PostgreSQL and back, may vary by a fiftieth. With update what is measured
# becomes what is allowed; with show benchstat sets both beside each other, with
# their intervals. The file has the form of go test's benchmarks.
set -euo pipefail
cd "$(dirname "$0")/.."
allowed=bench/baseline/allocs.txt
now=$(mktemp)
trap 'rm -f "$now"' EXIT
measure() { go test -run '^$' -bench "$1" -benchtime "$2" -count 10 -benchmem "${@:3}" >>"$now" || { tail -20 "$now"; exit 1; }; }
measure '^Benchmark(Price(WithEstimator|OfReport)?|Guard|Mutex|Admit|Refuse|Reserve|CaptureOff|ID|Entries|Resolve|Viewer)$' 2000x ./limits ./server ./graph ./timesheet ./store
measure '^BenchmarkOperation$' 200x ./server
case ${1:-} in
update)
  grep -v '^\(PASS\|ok\)' "$now" >"$allowed"
  exit
  ;;
show) go tool -modfile=tools/go.mod benchstat "$allowed" "$now" ;;
esac
awk '
  function median(list,   of, n, i, j, v) {
    n = split(list, of, " ")
    for (i = 2; i <= n; i++) {
      v = of[i] + 0
      for (j = i - 1; j > 0 && of[j] + 0 > v; j--) of[j+1] = of[j]
      of[j+1] = v
    }
    return (of[int((n+1)/2)] + of[int(n/2)+1]) / 2
  }
  $1 ~ /^Benchmark/ {
    name = $1; sub(/-[0-9]+$/, "", name)
    for (i = 2; i <= NF; i++) if ($i == "allocs/op") count = $(i-1)
    if (FILENAME == ARGV[1]) limit[name] = limit[name] " " count
    else seen[name] = seen[name] " " count
  }
  END {
    for (name in seen) {
      if (!(name in limit)) { print name " is new: run tools/allocs.sh update"; bad = 1; continue }
      is = median(seen[name]); most = median(limit[name])
      if (is > most * (name ~ /Operation/ ? 1.02 : 1)) { print name ": " is " allocations, " most " allowed"; bad = 1 }
    }
    for (name in limit) if (!(name in seen)) { print name " was not measured: run tools/allocs.sh update"; bad = 1 }
    exit bad
  }' "$allowed" "$now"
