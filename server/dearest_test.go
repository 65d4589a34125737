package server

import (
	"reflect"
	"testing"

	"headroom/limits"
)

// A variable that is not given is assumed at the dearest of what it stands for,
// whatever its default; one that is given stays.
func TestDearestVariables(t *testing.T) {
	p, err := NewPricer("", limits.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	const text = `query Q($rows: Int! = 3, $page: Int = 5, $given: Int, $users: [ID!] = ["x"], $tags: [ID!], $keys: [GroupKey!]!, $text: String, $gaps: Boolean! = false, $seen: Boolean! = false) {
		timesheetReport(input: {period: {from: "2025-01-01", to: "2025-01-02"}, groupBy: $keys, maxRows: $rows, fillGaps: $gaps, filter: {userIds: $users, tagIds: $tags, text: $text}}) { ...R }
		projects(first: $page) { nodes { id } }
		tags(first: $given) { nodes { id } }
	}
	fragment R on TimesheetReport { rows @include(if: $seen) { key } }`
	doc, f := p.documents.load(t.Context(), params{query: text, trusted: true}, &timings{})
	if f != nil {
		t.Fatal(f.list()[0])
	}
	all, assumed := doc.dearestVariables(p.documents.schema, p.sizes, map[string]any{"given": 7.0})
	if want := (map[string]any{
		"rows": int64(10_000), "page": int64(100), "given": 7.0, "users": nil, "tags": []any{"?"},
		"keys": []any{"USER", "TASK", "DAY"}, "text": "?", "gaps": true, "seen": nil,
	}); !reflect.DeepEqual(all, want) {
		t.Errorf("all %v, want %v", all, want)
	}
	if want := (map[string]any{"rows": int64(10_000), "page": int64(100), "seen": "true or false"}); !reflect.DeepEqual(assumed, want) {
		t.Errorf("assumed %v, want %v", assumed, want)
	}
}
