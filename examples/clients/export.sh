#!/usr/bin/env bash
# Has all entries of a period written into a file, and fetches it.
#
#   HEADROOM_TOKEN=demo-owner clients/export.sh 2026-01-01 2026-12-31 entries.csv
#
# Needs curl 7.76, jq and sha256sum. The address is HEADROOM_URL, by default that
# of `headroom serve`. Run it again after an interruption: the key is the same, so
# the export is, and the download goes on where it ended.
set -euo pipefail

url=${HEADROOM_URL:-http://127.0.0.1:8080/graphql}
from=$1 to=$2 file=$3

ask() {
  jq -n --arg query "$1" --argjson variables "$2" '{query: $query, variables: $variables}' |
    curl -sS --fail-with-body --retry 4 --retry-max-time 60 --max-time 30 "$url" \
      -H "Authorization: Bearer ${HEADROOM_TOKEN:?set it to your token}" \
      -H 'Content-Type: application/json' --data-binary @-
}

made=$(ask 'mutation($input: ReportExportCreateInput!) {
  reportExportCreate(input: $input) { reportExport { id } userErrors { code message } }
}' "$(jq -n --arg from "$from" --arg to "$to" --arg key "export $from $to $file" \
  '{input: {period: {$from, $to}, idempotencyKey: $key}}')")
id=$(jq -r '.data.reportExportCreate.reportExport.id // empty' <<<"$made")
[[ $id ]] || { echo "$made" >&2; exit 1; }

while
  export=$(ask 'query($id: ID!) { reportExport(id: $id) { status rows estimatedRows failure url sha256 } }' \
    "$(jq -n --arg id "$id" '{$id}')" | jq -c '.data.reportExport')
  [[ $(jq -r .status <<<"$export") =~ QUEUED|RUNNING ]]
do
  jq -r '"\(.status) \(.rows) of some \(.estimatedRows // "?") rows"' <<<"$export" >&2
  sleep 1
done
[[ $(jq -r .status <<<"$export") == READY ]] || { echo "$export" >&2; exit 1; }

# The link is a path on the same server and needs no token. -C - resumes; of a
# file that is whole there is nothing left to ask for, which is an error (416).
whole() { echo "$(jq -r .sha256 <<<"$export")  $file" | sha256sum -c "$@"; }
if ! [[ -f $file ]] || ! whole --status; then
  curl -sS --fail-with-body --retry 8 --retry-all-errors -C - -o "$file" "${url%/graphql}$(jq -r .url <<<"$export")"
fi
whole
