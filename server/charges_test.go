package server

import (
	"net/http"
	"strings"
	"testing"
)

// What cannot be read as the schema wants it is paid for by who sends it, however it
// is wrong: a flood of it ends at its sender's budget.
func TestRefusedInputIsPaidFor(t *testing.T) {
	const page = `query($n: Int) { projects(first: $n) { nodes { id } } }`
	for name, bad := range map[string]struct {
		call
		code string
	}{
		"a variable of another type": {call{query: page, variables: map[string]any{"n": "ten"}}, codeBadUserInput},
		"a variable out of range":    {call{query: page, variables: map[string]any{"n": 1e12}}, codeBadUserInput},
		"a nested variable": {call{query: `query($i: ReportInput!) { timesheetReport(input: $i) { asOf } }`, variables: map[string]any{
			"i": map[string]any{"period": map[string]any{"from": "yesterday"}},
		}}, codeBadUserInput},
		"a literal that is no date": {call{query: `{ myDay(date: "2026-02-30") { day } }`}, codeBadUserInput},
		"a list without a size":     {call{query: page}, codeSlicing},
		"a negative size":           {call{query: page, variables: map[string]any{"n": -1}}, codeSlicing},
	} {
		for _, path := range []string{"/graphql", pathCost} {
			t.Run(name+" to "+strings.TrimPrefix(path, "/"), func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.User = budget(5, 0.001) })
				bad.path, bad.token = path, r.token
				if a := r.must(bad.call); a.code() != bad.code {
					t.Fatalf("code %q, want %q: %s", a.code(), bad.code, a.raw)
				}
				last := ""
				for range 5 { // each costs a point, and more where the machine is busy
					last = r.must(bad.call).code()
				}
				if last != codeThrottled {
					t.Errorf("the sixth refusal of a budget of five points: %s", last)
				}
			})
		}
	}
}

// An empty budget stops nobody from stopping a timer, and a preview knows.
func TestStoppingATimerNeedsNoBudget(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(3, 0.001) })
	start := call{query: `mutation { startTimer(input: {}) { timeEntry { id } } }`, token: r.token}
	for range 3 {
		r.must(start)
	}
	if a := r.must(start); a.code() != codeThrottled {
		t.Fatalf("the budget holds still: %s", a.raw)
	}
	for _, path := range []string{pathCost, "/graphql", "/graphql"} {
		if a := r.must(call{path: path, query: stopsTimer, token: r.token}); a.status != http.StatusOK || a.code() != "" || strings.Contains(a.raw, codeThrottled) {
			t.Errorf("%s: %s", path, a.raw)
		}
	}
}

// A circle of fragments is named as one, and not for the comparisons without end that
// it would take.
func TestCircleOfFragmentsIsNamed(t *testing.T) {
	r := newRig(t, nil)
	for name, test := range map[string]struct{ query, want string }{
		"through fields": {`{ projects(first: 1) { nodes { ...A } } } fragment A on Project { client { ...B } } fragment B on Client { projects(first: 1) { nodes { ...A } } }`, `Cannot spread fragment "A" within itself via "B".`},
		"of one":         {`{ projects(first: 1) { nodes { ...A } } } fragment A on Project { client { projects(first: 1) { nodes { ...A } } } }`, `Cannot spread fragment "A" within itself.`},
		"without fields": {`{ projects(first: 1) { nodes { ...A } } } fragment A on Project { ...B } fragment B on Project { id ...A }`, `Cannot spread fragment "A" within itself via "B".`},
	} {
		a := r.must(call{query: test.query, token: r.token, accept: mediaGraphQL})
		if a.code() != codeValidationFailed || len(a.Errors) != 1 || a.Errors[0].Message != test.want {
			t.Errorf("%s: %s, want %s", name, a.raw, test.want)
		}
	}
}
