package server

import (
	"testing"
	"time"

	"headroom/limits"
	"headroom/timesheet"
)

// A rate costs the entries that get it: few of one person or one month, none where it
// counts from now on, and never so much that nobody could set it.
func TestRateEstimates(t *testing.T) {
	e := estimatorOf(company(), timesheet.RoleOwner, 1)
	of := func(input map[string]any) float64 {
		got, known := e.Estimate("Mutation.setRate", given(map[string]any{"input": input}))
		if !known {
			t.Fatal("nothing is known of a rate")
		}
		if got.Work > got.MaxWork {
			t.Errorf("%v: %s expected, %s at most", input, got.Work, got.MaxWork)
		}
		return float64(got.Work) / float64(time.Millisecond)
	}
	february := map[string]any{"applyTo": "ALL_FROM", "applyFrom": "2025-02-01", "applyThrough": "2025-02-28", "userId": userText(1)}
	locked := date("2025-12-15")
	for _, test := range []struct {
		name   string
		input  map[string]any
		locked *timesheet.Date
		want   float64
	}{
		{"from now on", map[string]any{"applyTo": "FUTURE"}, nil, 2},
		{"without a word", map[string]any{}, nil, 2},
		{"a person's month", february, nil, 2 + 40*0.065},
		{"of a person, in all", map[string]any{"applyTo": "UNINVOICED", "userId": userText(2)}, nil, 2 + 24*40*0.065},
		{"of a busy person", map[string]any{"applyTo": "UNINVOICED", "userId": userText(busy)}, nil, 900},
		{"of somebody who has nothing", map[string]any{"applyTo": "UNINVOICED", "userId": userText(99999)}, nil, 2},
		{"of a person on a small project", map[string]any{"applyTo": "UNINVOICED", "userId": userText(busy), "projectId": projectText(5)}, nil, 2 + 24*70*0.065},
		{"of everybody", map[string]any{"applyTo": "UNINVOICED"}, nil, 900},
		{"since a day", map[string]any{"applyTo": "ALL_FROM", "applyFrom": "2025-12-01", "userId": userText(2)}, nil, 2 + 40*0.065},
		{"with books closed up to the middle of it", map[string]any{"applyTo": "ALL_FROM", "applyFrom": "2025-12-01", "userId": userText(2)}, &locked, 2 + 40*16/31.0*0.065},
		{"in closed books", february, &locked, 2},
	} {
		e.viewer.Workspace.LockedThrough = test.locked
		if got := of(test.input); got < test.want*0.95 || got > test.want*1.1 {
			t.Errorf("%s: %v points, want %v", test.name, got, test.want)
		}
	}
	if _, known := estimatorOf(company(), timesheet.RoleMember, 1).Estimate("Mutation.setRate", given(map[string]any{"input": february})); known {
		t.Error("a member, who may not set rates, is told how much others have done")
	}
}

// The dearest rate with all that it answers is within the cap of one operation, and
// one that reprices little is paid as little.
func TestRatesArePricedByWhatTheyReprice(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	r.server.statistics.know(r.owner.Workspace.ID, company(), time.Now())
	query := func(apply string) string {
		return `mutation { setRate(input: {minor: 100, applyTo: ` + apply + `}) { repriced rate { kind amount { minor } user { id name } project { id name client { id name } } } userErrors { code message } } }`
	}
	for apply, want := range map[string]float64{"UNINVOICED": 900, "FUTURE": 2} {
		p, a := r.priced(r.token, query(apply), nil)
		if p.Verdict.Code != verdictAccepted || p.Cost.Basis != limits.Statistics || p.Cost.Requested < want || p.Cost.Requested > want+1 || p.Cost.Class != "background" {
			t.Errorf("%s: %s, want %v points in the background", apply, a.raw, want)
		}
	}
}
