package server

import (
	"maps"
	"slices"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// conglomerate has ten million entries in three years, and rollups to match.
func conglomerate() *store.Counts {
	c := company()
	c.All, c.Sums = store.Monthly{}, store.Monthly{}
	for month := date("2023-01-01"); month < date("2026-01-01"); month = (month + 31).Month() {
		c.All, c.Sums = c.All.With(month, 280_000), c.Sums.With(month, 12_000)
	}
	return c
}

// A report that would read millions of entries is refused with the longest period
// that is not, and is told of the export; what reads sums passes.
func TestReportsOfMillionsAreExports(t *testing.T) {
	r := exportRig(t, storetest.Open(t), func(c *Config) { c.Statistics = true })
	s := r.server.statistics
	s.of(r.owner.Workspace.ID)
	s.keep(r.owner.Workspace.ID, conglomerate(), time.Now())
	const query = `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`
	input := func(from timesheet.Date, key string, more map[string]any) map[string]any {
		in := map[string]any{"period": map[string]any{"from": from.String(), "to": "2025-12-31"}, "groupBy": []string{key}, "maxRows": 50}
		maps.Copy(in, more)
		return map[string]any{"in": in}
	}
	rounded := map[string]any{"rounding": map[string]any{"mode": "UP", "minutes": 6, "scope": "ENTRY"}}
	for name, test := range map[string]struct {
		key     string
		more    map[string]any
		refused bool
	}{
		"a year by task":                    {"TASK", nil, true},
		"a year of rounded entries":         {"PROJECT", rounded, true},
		"a year by project":                 {"PROJECT", nil, false},
		"a year by month of another zone":   {"MONTH", map[string]any{"timeZone": "Asia/Kolkata"}, true},
		"a year by project of another zone": {"PROJECT", map[string]any{"timeZone": "Asia/Kolkata"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, a := r.priced(r.token, query, input(date("2025-01-01"), test.key, test.more))
			if !test.refused {
				if p.Verdict.Code != verdictAccepted || p.Cost.Reads.Estimated > 200_000 {
					t.Errorf("%s", a.raw)
				}
				return
			}
			if p.Verdict.Code != codeTooExpensive || p.Verdict.Unit != limits.Reads || p.Cost.Reads.Estimated < 3_000_000 || p.Cost.Reads.Limit != 2_000_000 {
				t.Fatalf("%s", a.raw)
			}
			export := slices.IndexFunc(p.Suggestions, func(s limits.Suggestion) bool {
				return s.Kind == limits.UseExport && s.Mutation == "reportExportCreate"
			})
			narrow := slices.IndexFunc(p.Suggestions, func(s limits.Suggestion) bool { return s.Kind == limits.NarrowRange })
			if export < 0 || narrow < 0 {
				t.Fatalf("%s", a.raw)
			}
			days := timesheet.Date(p.Suggestions[narrow].MaxAccepted.N)
			if days < 180 || days > 230 { // two of three million and a third
				t.Errorf("%d days would be accepted", days)
			}
			if p, a := r.priced(r.token, query, input(date("2025-12-31")-days+1, test.key, test.more)); p.Verdict.Code != verdictAccepted {
				t.Errorf("%d days are refused: %s", days, a.raw)
			}
			if p, a := r.priced(r.token, query, input(date("2025-12-31")-days, test.key, test.more)); p.Verdict.Code == verdictAccepted {
				t.Errorf("%d days are accepted: %s", days+1, a.raw)
			}
			if a := r.must(call{query: query, variables: input(date("2025-01-01"), test.key, test.more), token: r.token, accept: mediaGraphQL}); a.code() != codeTooExpensive {
				t.Errorf("it is run: %s", a.raw)
			}
		})
	}
}
