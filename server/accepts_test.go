package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/timesheet"
)

// What the resolvers refuse of sizes and periods the preview refuses too, with the
// same code, and what it suggests is accepted by both.
func TestPreviewKnowsWhatResolversAccept(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e6, 1e6), budget(1e6, 1e6) })
	r.newProject("Bridge")
	pages := func(n int64) string { return fmt.Sprintf(`{ projects(first: %d) { nodes { name } } }`, n) }
	last := func(n int64) string { return fmt.Sprintf(`{ projects(last: %d) { nodes { name } } }`, n) }
	nested := func(n int64) string {
		return fmt.Sprintf(`{ projects(first: 2) { nodes { tasks(first: %d) { nodes { name } } } } }`, n)
	}
	rows := func(n int64) string {
		return fmt.Sprintf(`{ timesheetReport(input: {period: {from: "2025-01-01", to: "2025-01-31"}, groupBy: [USER], maxRows: %d}) { rows { key } } }`, n)
	}
	for _, c := range []struct {
		name        string
		query       func(int64) string
		given, most int64
		code        string
	}{
		{"a page of 101", pages, 101, 100, codeBadUserInput},
		{"of 500", pages, 500, 100, codeBadUserInput},
		{"of 10000", pages, 10_000, 100, codeBadUserInput},
		{"the largest", pages, 2147483647, 100, codeTooExpensive},
		{"from the end", last, 101, 100, codeBadUserInput},
		{"a page in a page", nested, 101, 100, codeBadUserInput},
		{"the largest in a page", nested, 2147483647, 100, codeTooExpensive},
		{"the rows of a report", rows, 10_001, 10_000, codeTooExpensive},
		{"none", pages, 0, 0, codeBadUserInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			p, a := r.priced(r.token, c.query(c.given), nil)
			if ran := r.must(call{query: c.query(c.given), token: r.token}); p.Verdict.Code != c.code || ran.code() != c.code {
				t.Fatalf("the preview says %s, /graphql %s, want %s", a.raw, ran.raw, c.code)
			}
			if c.most == 0 {
				return
			}
			if len(p.Suggestions) == 0 || p.Suggestions[0].Kind != limits.ReduceArgument || p.Suggestions[0].MaxAccepted.N != c.most {
				t.Fatalf("it suggests %+v, want %d", p.Suggestions, c.most)
			}
			again, a := r.priced(r.token, c.query(c.most), nil)
			if ran := r.must(call{query: c.query(c.most), token: r.token}); again.Verdict.Code != verdictAccepted || ran.code() != "" {
				t.Errorf("applied: the preview says %s, /graphql %s", a.raw, ran.raw)
			}
		})
	}
}

// A number of more than 32 bits is no Int, wherever it stands, for the preview as for
// the run.
func TestIntsHave32Bits(t *testing.T) {
	r := newRig(t, nil)
	for name, query := range map[string]string{
		"a page":      `{ projects(first: 2147483648) { nodes { name } } }`,
		"below":       `{ projects(first: -2147483649) { nodes { name } } }`,
		"of 64 bits":  `{ projects(first: 99999999999999999999) { nodes { name } } }`,
		"a default":   `query($n: Int = 2147483648) { projects(first: $n) { nodes { name } } }`,
		"in an input": `{ timesheetReport(input: {period: {from: "2025-01-01", to: "2025-01-31"}, groupBy: [USER], maxRows: 2147483648}) { rows { key } } }`,
	} {
		for _, path := range []string{pathCost, pathGraphQL} {
			if a := r.must(call{path: path, query: query, token: r.token}); a.code() != codeBadUserInput || !strings.Contains(a.raw, " is no Int") {
				t.Errorf("%s at %s: %s", name, path, a.raw)
			}
		}
	}
}

// What is suggested mends all that is refused: nothing is, where a smaller size or a
// shorter period would leave another argument or another field wrong.
func TestSuggestionsMendAllThatIsRefused(t *testing.T) {
	r := newRig(t, nil)
	long := strings.Repeat("x", timesheet.MaxDescription+1)
	report := func(period, rest string) string {
		return `{ timesheetReport(input: {period: {from: "` + period + `", to: "2025-12-31"}, maxRows: 10, ` + rest + `}) { rows { key } } }`
	}
	for name, test := range map[string]struct {
		query    string
		suggests bool
	}{
		"a page too long":            {`{ projects(first: 500) { nodes { name } } }`, true},
		"two":                        {`{ projects(first: 500) { nodes { name } } tags(last: 101) { nodes { name } } }`, true},
		"from a cursor that is none": {`{ projects(first: 500, after: "x") { nodes { name } } }`, false},
		"from the wrong end":         {`{ projects(first: 500, before: "x") { nodes { name } } }`, false},
		"by a text too long":         {`{ projects(first: 500, filter: {text: "` + long + `"}) { nodes { name } } }`, false},
		"beside a wrong cursor":      {`{ projects(first: 500) { nodes { name } } tags(first: 1, after: "x") { nodes { name } } }`, false},
		"a period too long":          {report("1825-01-01", `groupBy: [DAY]`), true},
		"by a key twice":             {report("1825-01-01", `groupBy: [DAY, DAY]`), false},
		"rounded to nothing":         {report("1825-01-01", `groupBy: [DAY], rounding: {minutes: 0, mode: UP}`), false},
		"of a text":                  {report("1825-01-01", `groupBy: [DAY], filter: {text: "`+long+`"}`), false},
		"entries of too long":        {`{ timeEntries(first: 1, filter: {period: {from: "1825-01-01", to: "2025-12-31"}}) { nodes { id } } }`, true},
		"of a text as well":          {`{ timeEntries(first: 1, filter: {period: {from: "1825-01-01", to: "2025-12-31"}, text: "` + long + `"}) { nodes { id } } }`, false},
	} {
		p, a := r.priced(r.token, test.query, nil)
		if p.Verdict.Code != codeBadUserInput || test.suggests != (len(p.Suggestions) > 0) {
			t.Errorf("%s: %.400s", name, a.raw)
		}
	}
}

// All of the calendar is more than a report spans: what is suggested is not.
func TestNarrowRangeStaysWithinAReport(t *testing.T) {
	for _, statistics := range []bool{false, true} {
		t.Run(fmt.Sprintf("statistics %v", statistics), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Statistics = statistics })
			if statistics {
				s := r.server.statistics
				s.of(r.owner.Workspace.ID)
				s.keep(r.owner.Workspace.ID, company(), time.Now())
			}
			query := func(from, to string) string {
				return fmt.Sprintf(`{ timesheetReport(input: {period: {from: "%s", to: "%s"}, groupBy: [USER], maxRows: 50}) { rows { key } } }`, from, to)
			}
			for from, to := range map[string]string{"0001-01-01": "9999-12-31", "1900-01-01": "2025-12-31", "1925-12-31": "2025-12-31"} {
				p, a := r.priced(r.token, query(from, to), nil)
				if ran := r.must(call{query: query(from, to), token: r.token}); p.Verdict.Code != codeBadUserInput || ran.code() != codeBadUserInput {
					t.Fatalf("from %s: the preview says %s, /graphql %s", from, a.raw, ran.raw)
				}
				if len(p.Suggestions) == 0 || p.Suggestions[0].Kind != limits.NarrowRange {
					t.Fatalf("no range is suggested: %s", a.raw)
				}
				given, most := p.Suggestions[0].Given.N, p.Suggestions[0].MaxAccepted.N
				if want := int64(date(to)-date(from)) + 1; given != want || most < 36500 || most > 36525 {
					t.Errorf("%d days given, want %d; %d accepted", given, want, most)
				}
				start := (date(to) - timesheet.Date(most) + 1).String()
				again, a := r.priced(r.token, query(start, to), nil)
				if ran := r.must(call{query: query(start, to), token: r.token}); again.Verdict.Code != verdictAccepted || ran.code() != "" {
					t.Errorf("from %s: the preview says %s, /graphql %s", start, a.raw, ran.raw)
				}
			}
		})
	}
}
