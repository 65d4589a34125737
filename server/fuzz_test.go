package server

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"headroom/graph"
	"headroom/limits"
	"headroom/timesheet"
)

// FuzzManifest reads any text as a manifest: an id that is a hash is that of its
// document, and nothing panics.
func FuzzManifest(f *testing.F) {
	for _, text := range []string{
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"0000","name":"A","type":"query","body":"{ viewer { role } }"}]}`,
		`{"sha256:ff":"query A { viewer { role } }"}`, `{"md5":"{ viewer { role } }"}`, `[]`, `{}`, `null`, `{"a":1}`, `{"a":null}`, `{"operations":{}}`, "",
	} {
		f.Add(text)
	}
	isHash := regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseManifest("m.json", []byte(text))
		if err != nil {
			return
		}
		for _, d := range found {
			if isHash.MatchString(d.ID) && strings.TrimPrefix(d.ID, "sha256:") != hashOf(d.Text) {
				t.Errorf("accepted with the hash of another text: %+v", d)
			}
		}
	})
}

// FuzzEstimate prices reports and pages with any texts for ids, dates and keys: a
// price is finite, not negative, within its bound, and for somebody who sees only
// their own entries it does not depend on whom a filter names.
func FuzzEstimate(f *testing.F) {
	f.Add("2025-01-01", "2025-12-31", "TASK", "abc", "review", int64(50))
	f.Add("", "9999-99-99", "", "VXNlcjo3", "\x00", int64(-1))
	f.Add("2200-01-01", "1900-01-01", "DAY", "", "", int64(math.MaxInt64))
	counts := company()
	f.Fuzz(func(t *testing.T, from, to, key, id, text string, size int64) {
		filter := map[string]any{"userIds": []any{id}, "projectIds": id, "clientIds": []string{id}, "text": text, "period": map[string]any{"from": to, "to": from}}
		args := map[string]any{
			"input": map[string]any{"period": map[string]any{"from": from, "to": to}, "groupBy": []any{key, "PROJECT", nil, 3}, "filter": filter},
			"first": size, "filter": filter, "period": map[string]any{"from": from, "to": to}, "userId": id,
		}
		for _, coordinate := range []string{"Query.timesheetReport", "Query.summary", "Query.timeEntries", "Query.myDay", "Query.weekGrid", "Project.trackedSeconds", "Query.projects"} {
			for _, role := range []timesheet.Role{timesheet.RoleOwner, timesheet.RoleMember} {
				e, ok := estimatorOf(counts, role, 9).Estimate(coordinate, limits.GivenArguments(args, float64(size)))
				if !ok {
					continue
				}
				if e.Work < 0 || e.MaxWork < e.Work || e.Rows < 0 || e.Below.Work < 0 || e.Below.MaxWork < e.Below.Work {
					t.Errorf("%s for %s: %+v", coordinate, role, e)
				}
			}
		}
	})
}

// FuzzVariables coerces and prices documents with any JSON for their variables.
func FuzzVariables(f *testing.F) {
	for _, text := range []string{
		`{"n": 50, "f": {"text": "x"}, "in": {"period": {"from": "2025-01-01", "to": "2025-12-31"}, "groupBy": ["TASK"]}}`,
		`{"n": 2147483647}`, `{"n": -1}`, `{"n": null}`, `{"n": 1e400}`, `{"n": "5", "in": 3}`, `{"in": {"maxRows": 99999999999}}`, `{"in": {"period": []}}`,
	} {
		f.Add([]byte(text))
	}
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "schema", Input: graph.SDL()})
	documents := newDocuments(schema)
	const query = `query($n: Int = 20, $f: EntryFilter, $in: ReportInput!) {
		timeEntries(first: $n, filter: $f) { totalCount nodes { id user { name } } }
		timesheetReport(input: $in) { rows { key } }
	}`
	doc, fault := documents.load(f.Context(), params{query: query}, &timings{})
	if fault != nil {
		f.Fatal(fault)
	}
	est := estimatorOf(company(), timesheet.RoleOwner, 9)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var vars map[string]any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber() // as the server reads bodies
		if d.Decode(&vars) != nil {
			return
		}
		for _, e := range []limits.Estimator{nil, est} {
			p := doc.formula.Price(vars, e)
			if math.IsNaN(p.Expected) || p.Expected < 0 || p.Expected > p.Bound || math.IsInf(p.Bound, 0) || p.Rows < 0 || p.Rows > p.Nodes {
				t.Errorf("%s: %+v", raw, p)
			}
			limits.DefaultCaps.Check(doc.formula, p, vars, e)
		}
	})
}
