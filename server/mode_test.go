package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// limited is a counter's value by its class and mode.
func (r *rig) limited(code string, mode Mode) float64 {
	r.t.Helper()
	families, err := r.server.metrics.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != "headroom_limit_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := prometheus.Labels{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["code"] == code && labels["mode"] == string(mode) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// A rule that is measured counts what it would have refused, and the others
// refuse all the same.
func TestRulesAreMeasuredApart(t *testing.T) {
	const dear = `{ projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`
	for _, test := range []struct {
		measured        []Rule
		caps, throttled string // codes of a dear operation, and of one without a budget
	}{
		{nil, codeTooExpensive, codeThrottled},
		{[]Rule{RuleCaps}, "", codeThrottled},
		{[]Rule{RuleBudgets}, codeTooExpensive, ""},
		{[]Rule{RuleCaps, RuleBudgets, RuleGate}, "", ""},
	} {
		r := newRig(t, func(c *Config) {
			c.Measured = test.measured
			c.User = budget(300, 0.001)
		})
		a := r.must(call{query: dear, token: r.token, accept: mediaGraphQL})
		if a.code() != test.caps {
			t.Errorf("measured %v: a dear operation is answered %q, want %q", test.measured, a.code(), test.caps)
		}
		key := r.server.accountOf(*mustRead(t, r)).budgets[0].Key
		r.server.userBudget.Charge(key, 600)
		b := r.must(call{query: `{ viewer { role } }`, token: r.token, accept: mediaGraphQL})
		if b.code() != test.throttled || (b.status == http.StatusOK) != (test.throttled == "") {
			t.Errorf("measured %v: an empty budget is answered %d, %q, want %q", test.measured, b.status, b.code(), test.throttled)
		}
		for code, refused := range map[string]string{codeTooExpensive: test.caps, codeThrottled: test.throttled} {
			mode := Measure
			if refused != "" {
				mode = Enforce
			}
			if n := r.limited(code, mode); n != 1 {
				t.Errorf("measured %v: %s counts %v in mode %s, want 1", test.measured, code, n, mode)
			}
		}
		admitted := strings.Contains(r.must(call{path: pathCost, query: dear, token: r.token, accept: mediaGraphQL}).raw, verdictAccepted)
		if want := test.caps == "" && test.throttled == ""; admitted != want {
			t.Errorf("measured %v: the preview's verdict differs from the answer's", test.measured)
		}
	}
}
