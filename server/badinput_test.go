package server

import (
	"maps"
	"strings"
	"testing"
	"time"
)

const badReport = `query($input: ReportInput!) { timesheetReport(input: $input) { rows { key } } }`

// What makes no sense of a report is refused in one line that says where it stands
// and what is wrong, and nothing is read for it.
func TestReportsThatMakeNoSense(t *testing.T) {
	r := newRig(t, nil)
	january := map[string]any{"from": "2026-01-01", "to": "2026-01-31"}
	round := func(minutes any) any { return map[string]any{"mode": "UP", "minutes": minutes, "scope": "ROW"} }
	days := func(from, to any) any { return map[string]any{"from": from, "to": to} }
	for name, c := range map[string]struct {
		field string
		value any // nil: the field is left out
		want  string
	}{
		"no period":              {"period", nil, "input.period is missing; its type is PeriodInput!"},
		"an empty period":        {"period", map[string]any{}, "input.period.from is missing; its type is Date!"},
		"no end":                 {"period", map[string]any{"from": "2026-01-01"}, "input.period.to is missing; its type is Date!"},
		"an end of null":         {"period", days("2026-01-01", nil), "input.period.to may not be null; its type is Date!"},
		"a field that is none":   {"period", map[string]any{"from": "2026-01-01", "to": "2026-01-31", "till": "x"}, "input.period.till is unknown: PeriodInput has no such field"},
		"a field like another":   {"period", map[string]any{"form": "2026-01-01", "from": "2026-01-01", "to": "2026-01-31"}, `input.period.form is unknown: PeriodInput has no such field: did you mean "from"?`},
		"a text for a period":    {"period", "2026", "input.period is no PeriodInput"},
		"30 February":            {"period", days("2026-02-30", "2026-03-01"), "input.period.from is wrong: a Date is written as 2026-03-31"},
		"until infinity":         {"period", days("2026-01-01", "infinity"), "input.period.to is wrong: a Date is written as 2026-03-31"},
		"the end first":          {"period", days("2026-02-01", "2026-01-01"), "period: the period ends (2026-01-01) before it begins (2026-02-01)"},
		"a century and a day":    {"period", days("1926-01-01", "2026-01-01"), "period: the period is longer than 100 years"},
		"an unknown zone":        {"timeZone", "Europe/Bukarest", `input.timeZone is wrong: "Europe/Bukarest" is no IANA time zone; did you mean Europe/Bucharest, Europe/Budapest, Asia/Jakarta?`},
		"an abbreviation":        {"timeZone", "CEST", `input.timeZone is wrong: "CEST" is no IANA time zone; did you mean Europe/Berlin, Europe/Paris, Europe/Madrid?`},
		"four keys":              {"groupBy", []any{"DAY", "USER", "TAG", "TASK"}, "groupBy: a report has 1 to 3 keys, this one has 4"},
		"no key":                 {"groupBy", []any{}, "groupBy: a report has 1 to 3 keys, this one has 0"},
		"a key twice":            {"groupBy", []any{"DAY", "DAY"}, "groupBy: DAY stands twice"},
		"an unknown key":         {"groupBy", []any{"DAY", "HOUR"}, "input.groupBy[1] is no GroupKey, which is one of CLIENT, PROJECT, TASK, USER, TAG, BILLABLE, DAY, WEEK, MONTH, YEAR"},
		"rounding to 0 minutes":  {"rounding", round(0), "rounding.minutes: a report rounds to 1 to 60 minutes"},
		"rounding to 61 minutes": {"rounding", round(61), "rounding.minutes: a report rounds to 1 to 60 minutes"},
		"rounding to a half":     {"rounding", round(1.5), "input.rounding.minutes is no Int"},
		"rounding to nothing":    {"rounding", map[string]any{"mode": "UP"}, "input.rounding.minutes is missing; its type is Int!"},
		"no rows":                {"maxRows", 0, "maxRows: a report has 1 to 10000 rows"},
		"older than a day":       {"freshness", map[string]any{"maxAgeSeconds": 86401}, "freshness.maxAgeSeconds: a report is 0 to 86400 seconds old"},
	} {
		t.Run(name, func(t *testing.T) {
			input := map[string]any{"period": january, "groupBy": []any{"PROJECT"}}
			if input[c.field] = c.value; c.value == nil {
				delete(input, c.field)
			}
			a := r.must(call{query: badReport, variables: map[string]any{"input": maps.Clone(input)}, token: r.token, accept: mediaGraphQL})
			if a.code() != codeBadUserInput {
				t.Fatalf("got %s", a.raw)
			}
			got := a.Errors[0].Message
			if field, ok := a.Errors[0].Extensions["field"].(string); ok {
				got = field + ": " + got
			}
			if got != c.want {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
	if a := r.must(call{query: badReport, token: r.token}); a.code() != codeBadUserInput || a.Errors[0].Message != "input is missing; its type is ReportInput!" {
		t.Errorf("without the variable: %s", a.raw)
	}
	if a := r.must(call{query: `{ timesheetReport(input: {period: {from: "2026-01-01"}, groupBy: [DAY]}) { source } }`, token: r.token}); !strings.Contains(a.raw, `\"PeriodInput.to\" of required type \"Date!\"`) {
		t.Errorf("in the document: %s", a.raw)
	}
	if a := r.ask(badReport, map[string]any{"input": map[string]any{"period": map[string]any{"from": "1971-01-01", "to": "1971-01-01"}, "groupBy": []any{"PROJECT"}}}); !strings.Contains(a.raw, `"rows":[]`) {
		t.Errorf("a day without entries: %s", a.raw)
	}
}

// Rates, budgets and locks that make no sense are refused with their field, and
// change nothing.
func TestMoneyThatMakesNoSense(t *testing.T) {
	r := newRig(t, nil)
	project := r.newProject("Bridge")
	const rate = `mutation($input: SetRateInput!) { done: setRate(input: $input) { userErrors { code field } } }`
	const budget = `mutation($input: SetBudgetInput!) { done: setBudget(input: $input) { userErrors { code field } } }`
	const lock = `mutation($input: LockPeriodInput!) { done: lockPeriod(input: $input) { userErrors { code field } } }`
	for name, c := range map[string]struct {
		query string
		input map[string]any
		want  string
	}{
		"an unknown currency":       {rate, map[string]any{"minor": 100, "currency": "EUX"}, `"INVALID","field":"currency"`},
		"small letters":             {rate, map[string]any{"minor": 100, "currency": "eur"}, `"INVALID","field":"currency"`},
		"a rate beyond the highest": {rate, map[string]any{"minor": 1000000001}, `"OUT_OF_RANGE","field":"minor"`},
		"a rate beyond 64 bits":     {rate, map[string]any{"minor": 9.223372036854775808e18}, "input.minor is wrong"},
		"a rate of 30 digits":       {rate, map[string]any{"minor": 1e30}, "input.minor is wrong"},
		"a rate below zero":         {rate, map[string]any{"minor": -1}, `"OUT_OF_RANGE","field":"minor"`},
		"a rate of a fraction":      {rate, map[string]any{"minor": 1.5}, "input.minor is wrong"},
		"from 9999":                 {rate, map[string]any{"minor": 1, "effectiveFrom": "9999-01-01"}, `"OUT_OF_RANGE","field":"effectiveFrom"`},
		"through no first day":      {rate, map[string]any{"minor": 1, "applyThrough": "2026-01-01"}, `"INVALID","field":"applyThrough"`},
		"a budget below zero":       {budget, map[string]any{"projectId": project, "seconds": -1}, `"field":"seconds"`},
		"a budget of EUX":           {budget, map[string]any{"projectId": project, "minor": 100, "currency": "EUX"}, `"INVALID","field":"currency"`},
		"a lock in the future":      {lock, map[string]any{"through": time.Now().AddDate(0, 0, 3).Format(time.DateOnly)}, `"IN_FUTURE","field":"through"`},
		"a lock in 1066":            {lock, map[string]any{"through": "1066-10-14"}, `"field":"through"`},
		"a lock of no day":          {lock, map[string]any{}, "input.through is missing; its type is Date!"},
	} {
		t.Run(name, func(t *testing.T) {
			a := r.must(call{query: c.query, variables: map[string]any{"input": c.input}, token: r.token, accept: mediaGraphQL})
			if !strings.Contains(a.raw, c.want) || strings.Contains(a.raw, codeInternal) {
				t.Errorf("it says %s, want %s", a.raw, c.want)
			}
		})
	}
	a := r.ask(`{ rates(first: 10) { nodes { kind } } projectBudgets(first: 10) { nodes { id } } viewer { workspace { lockedThrough } } }`, nil)
	if !strings.Contains(a.raw, `"rates":{"nodes":[]},"projectBudgets":{"nodes":[]},"viewer":{"workspace":{"lockedThrough":null}}`) {
		t.Errorf("what was refused has changed something: %s", a.raw)
	}
}
