package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"headroom/limits"
	"headroom/timesheet"
)

// browned is a server whose gate people hold on a rung, with a project, an entry
// and a running timer.
type browned struct {
	*rig
	other string // the token of somebody who changes nothing
}

func newBrowned(t *testing.T) browned {
	t.Helper()
	r := newRig(t, func(c *Config) { c.Gate, c.Cores = Adaptive, 2 })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.server.tend(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	other, err := r.store.EnsureMember(t.Context(), r.owner, "Ada", "ada@acme.example", timesheet.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	r.ask(`mutation { createProject(input: {name: "Bridge"}) { project { id } } }`, nil)
	r.ask(`mutation { startTimer(input: {description: "running"}) { timeEntry { id } } }`, nil)
	return browned{r, r.mint(r.owner, other.ID, timesheet.ScopeWrite)}
}

func (b browned) on(step limits.Step) { b.server.adaptive.Brown(step, "a test") }

// wants sends a query and says what came of it: the code, and the gate's reason.
func (b browned) wants(token, query, code, reason string) answer {
	b.t.Helper()
	a := b.must(call{token: token, query: query, accept: mediaGraphQL})
	got := ""
	if len(a.Errors) > 0 {
		got, _ = a.Errors[0].Extensions["reason"].(string)
	}
	if a.code() != code || got != reason {
		b.t.Errorf("%.60s: %q, %q; want %q, %q: %s", query, a.code(), got, code, reason, a.raw)
	}
	if code != "" && (a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "") {
		b.t.Errorf("%.60s: status %d, Retry-After %q", query, a.status, a.header.Get("Retry-After"))
	}
	return a
}

const (
	aReport    = `{ timesheetReport(input: {period: {from: "2026-01-01", to: "2026-01-31"}, groupBy: [PROJECT]%s}) { asOf source } }`
	freshness  = `, freshness: {maxAgeSeconds: 3600}`
	aQuery     = `{ viewer { role } }`
	aMutation  = `mutation { createTag(input: {name: %q}) { tag { id } } }`
	stopsTimer = `mutation { stopTimer(input: {}) { userErrors { code } } }`
)

func TestBrownoutRefusesBackground(t *testing.T) {
	b := newBrowned(t)
	later := call{token: b.token, query: aQuery, header: map[string]string{"X-Headroom-Class": "background"}}
	if a := b.must(later); a.status != http.StatusOK {
		t.Fatalf("a background operation: %s", a.raw)
	}
	b.on(limits.NoBackground)
	a := b.must(later)
	if a.status != http.StatusServiceUnavailable || a.code() != codeOverloaded || a.Errors[0].Extensions["reason"] != "brownout" {
		t.Errorf("a background operation: status %d, %s", a.status, a.raw)
	}
	b.wants(b.token, fmt.Sprintf(aReport, ""), "", "")
}

// A report that may be older is given from memory, and no seat of a report is taken
// for it; one that the caller's own change has overtaken is made.
func TestBrownoutGivesKeptReports(t *testing.T) {
	b := newBrowned(t)
	made := func() uint64 { return b.server.snapshot().Classes[limits.Report].Admitted }
	old := b.wants(b.other, fmt.Sprintf(aReport, ""), "", "").Data["timesheetReport"].(map[string]any)["asOf"]
	b.wants(b.token, fmt.Sprintf(aMutation, "urgent"), "", "")
	b.wants(b.token, `mutation { createTimeEntry(input: {startedAt: "2026-01-05T08:00:00Z", endedAt: "2026-01-05T09:00:00Z"}) { timeEntry { id } userErrors { code message } } }`, "", "")
	b.on(limits.KeptReports)
	before := made()
	got := b.wants(b.other, fmt.Sprintf(aReport, freshness), "", "").Data["timesheetReport"].(map[string]any)
	if got["source"] != "CACHE" || got["asOf"] != old || made() != before {
		t.Errorf("the report that is kept: %v as of %v, %d more seats; want that of %v", got["source"], got["asOf"], made()-before, old)
	}
	for _, ask := range [][2]string{{b.token, freshness}, {b.other, ""}} { // the first has changed something since
		before := made()
		got := b.wants(ask[0], fmt.Sprintf(aReport, ask[1]), "", "").Data["timesheetReport"].(map[string]any)
		if made() != before+1 {
			t.Errorf("a report that may not be older took %d seats, as of %v", made()-before, got["asOf"])
		}
	}
	b.on(limits.RefuseReports)
	b.wants(b.other, fmt.Sprintf(aReport, freshness), "", "")
	b.wants(b.other, strings.Replace(fmt.Sprintf(aReport, freshness), "2026", "2025", 1), codeOverloaded, "brownout")
	b.wants(b.other, fmt.Sprintf(aReport, ""), codeOverloaded, "brownout")
	b.wants(b.other, `{ summary(period: {from: "2026-01-01", to: "2026-01-31"}) { totals { seconds } } }`, codeOverloaded, "brownout")
	b.wants(b.other, aQuery, "", "")
}

func TestBrownoutLeavesExtrasOut(t *testing.T) {
	b := newBrowned(t)
	const query = `{ projects(first: 5) { totalCount nodes { name burn { percent } } } clients(first: 5) { count: totalCount } }`
	if a := b.wants(b.token, query, "", ""); strings.Contains(a.raw, `"shed"`) || !strings.Contains(a.raw, `"totalCount":1`) {
		t.Fatalf("on no rung: %s", a.raw)
	}
	b.on(limits.NoExtras)
	a := b.wants(b.token, query, "", "")
	for _, want := range []string{
		`"totalCount":null`, `"count":null`, `"burn":null`, `"name":"Bridge"`, `{"path":["projects","totalCount"],"reason":"OVERLOADED"}`,
		`{"path":["projects","nodes",0,"burn"],"reason":"OVERLOADED"}`, `{"path":["clients","count"],"reason":"OVERLOADED"}`,
	} {
		if !strings.Contains(a.raw, want) {
			t.Errorf("the answer lacks %s: %s", want, a.raw)
		}
	}
}

func TestBrownoutOnlyReads(t *testing.T) {
	b := newBrowned(t)
	b.on(limits.ReadOnly)
	b.wants(b.token, fmt.Sprintf(aMutation, "one"), codeReadOnly, "")
	b.wants(b.token, aQuery, "", "")
	b.wants(b.token, stopsTimer, "", "")
	b.on(limits.OnlyControl)
	b.wants(b.token, aQuery, codeOverloaded, "brownout")
	b.wants(b.token, stopsTimer, "", "")
	b.on(limits.Normal)
	b.wants(b.token, fmt.Sprintf(aMutation, "one"), "", "")
	b.wants(b.token, aQuery, "", "")
}
