#!/usr/bin/env bash
# Sends a GraphQL document with curl, and again when the server asks for that.
#
#   HEADROOM_TOKEN=demo-owner clients/headroom.sh my-day.graphql [VARIABLES.json]
#
# Needs curl 7.76 and jq. The address is HEADROOM_URL, by default that of
# `headroom serve`. Prints the reply; exits with 0 if it holds no errors.
#
# curl --retry heeds Retry-After. It also repeats after a 504, when nobody knows
# whether a mutation took effect: give every mutation an idempotencyKey, or an
# id of your own, and the repeat is harmless.
set -euo pipefail

url=${HEADROOM_URL:-http://127.0.0.1:8080/graphql}
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT

jq -n --rawfile query "$1" --slurpfile variables "${2:-/dev/null}" \
  '{query: $query, variables: ($variables[0] // {})}' |
  curl -sS -o "$reply" --fail-with-body --retry 4 --retry-max-time 60 --max-time 30 "$url" \
    -H "Authorization: Bearer ${HEADROOM_TOKEN:?set it to your token}" \
    -H 'Content-Type: application/json' \
    -H 'Accept: application/graphql-response+json, application/json;q=0.9' \
    -H 'apollographql-client-name: headroom.sh' \
    --data-binary @- || true

cat "$reply"
jq -e 'has("errors") | not' "$reply" >/dev/null
