package server

import (
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
)

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// replica is a rig on a database that it shares with others, with the same
// workspace and token.
func replica(t *testing.T, dsn string, first *rig) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if first == nil {
		return rigOn(t, db, func(c *Config) { c.Statistics = true })
	}
	r := &rig{t: t, store: db, owner: first.owner, token: first.token}
	if r.server, err = New(Config{Store: db, Secret: []byte("a secret of the tests"), Log: slog.New(slog.DiscardHandler), Statistics: true}); err != nil {
		t.Fatal(err)
	}
	return r
}

const yearOfTasks = `query($in: ReportInput!) { timesheetReport(input: $in) { rows { key } } }`

func yearByTask(maxRows int) map[string]any {
	return map[string]any{"in": map[string]any{"period": map[string]any{"from": "2025-01-01", "to": "2025-12-31"}, "groupBy": "TASK", "maxRows": maxRows}}
}

// quoted is what a server asks for a report over a year.
func (r *rig) quoted(t *testing.T) float64 {
	t.Helper()
	doc, f := r.server.documents.load(t.Context(), params{query: yearOfTasks}, &timings{})
	if f != nil {
		t.Fatal(f)
	}
	return doc.formula.Price(yearByTask(50), r.server.estimatorFor(r.owner)).Expected
}

// A published table holds on every server at once, and only it moves a price.
func TestPublishedPricesAreFollowedByAllServers(t *testing.T) {
	dsn := storetest.New(t)
	a := replica(t, dsn, nil)
	b := replica(t, dsn, a)
	for _, r := range []*rig{a, b} {
		r.server.statistics.of(a.owner.Workspace.ID)
		r.server.statistics.keep(a.owner.Workspace.ID, company(), time.Now())
		r.server.startWork(t.Context())
	}
	before := a.quoted(t)
	if other := b.quoted(t); before != other || before < 20 {
		t.Fatalf("the same document costs %v and %v", before, other)
	}
	for range 200 { // whatever is learned
		a.server.work.Learn(priceOf(byReportIndex, 40), 120)
	}
	a.server.shareWork(t.Context())
	b.server.shareWork(t.Context())
	if after := a.quoted(t); after != before {
		t.Errorf("learning moved the price from %v to %v", before, after)
	}
	publish := func(name string, factor float64) {
		t.Helper()
		table, err := PublishedPrices(t.Context(), a.store)
		if err == nil {
			_, err = PublishPrices(t.Context(), a.store, table, map[string]float64{name: table.Prices[name] * factor}, "Ann", "a slower disk")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	publish("row.index", 1.2)
	for _, r := range []*rig{a, b} {
		eventually(t, "a server follows", func() bool {
			publish("row.result", 1.0001) // again, since a server may not listen yet
			return r.server.prices.list.Load().table.Version > 0
		})
		r.server.followPrices(t.Context())
		if got := r.quoted(t) / before; math.Abs(got-1.2) > 0.03 {
			t.Errorf("after a fifth more an index row costs %.2f times as much", got)
		}
	}
	a.server.followPrices(t.Context())
	if x, y := a.quoted(t), b.quoted(t); x != y {
		t.Errorf("after publishing the same document costs %v and %v", x, y)
	}
}

// priceOf is that of an operation that one statement answers.
func priceOf(statement string, points float64) *limits.Price {
	return &limits.Price{Expected: points, Fields: []limits.FieldPrice{{Root: true, Mostly: statement, Expected: points}}}
}

// What operations take is learned while they are alone, saved, and known to a
// server that starts. Reports that were kept teach nothing.
func TestWorkIsLearnedAndShared(t *testing.T) {
	dsn := storetest.New(t)
	a := replica(t, dsn, nil)
	a.server.statistics.of(a.owner.Workspace.ID)
	a.server.statistics.keep(a.owner.Workspace.ID, company(), time.Now())
	for i := range 12 {
		a.ask(yearOfTasks, yearByTask(10+i))
		a.ask(yearOfTasks, yearByTask(10+i)) // the same, which is kept
	}
	a.server.shareWork(t.Context())
	if got := measurements(a.server.work, byReportIndex); got != 12 {
		t.Errorf("%v measurements of 12 reports that were made, want 12", got)
	}
	b := replica(t, dsn, a)
	b.server.startWork(t.Context())
	if got := measurements(b.server.work, byReportIndex); got != 12 {
		t.Errorf("a server that starts knows %v measurements, want 12", got)
	}
	p := priceOf(byReportIndex, 40)
	if mine, other := a.server.work.Forecast(p), b.server.work.Forecast(p); mine != other || mine >= 40*time.Millisecond {
		t.Errorf("40 points of an empty workspace are forecast as %v and %v", mine, other)
	}
}

func measurements(l *limits.Learner, statement string) float64 {
	for _, s := range l.Snapshot().Statements {
		if s.Statement == statement {
			return s.Measurements
		}
	}
	return 0
}

// While others run, nothing is learned: what an operation takes then is theirs.
func TestNothingIsLearnedUnderLoad(t *testing.T) {
	r := newRig(t, nil)
	other, refusal := r.server.gate.Admit(t.Context(), limits.Request{Class: limits.Interactive})
	if refusal != nil {
		t.Fatal(refusal)
	}
	for range 20 {
		r.ask(`{ viewer { role } }`, nil)
	}
	r.server.shareWork(t.Context())
	if got := measurements(r.server.work, "Query.viewer"); got != 0 {
		t.Errorf("%v measurements under load, want none", got)
	}
	other.Drop()
	for range 20 {
		r.ask(`{ viewer { role } }`, nil)
	}
	r.server.shareWork(t.Context())
	if got := measurements(r.server.work, "Query.viewer"); got != 20 {
		t.Errorf("%v measurements of 20 operations that were alone", got)
	}
	if r.server.work.Slowdown() <= 0 {
		t.Error("the slowdown sees nothing")
	}
}

// A dear statement is explained, beside the requests, and compared with its price.
func TestAuditComparesWithThePlanner(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	s := r.server
	s.statistics.of(r.owner.Workspace.ID)
	s.statistics.keep(r.owner.Workspace.ID, company(), time.Now())
	s.audit.armed.Store(true)
	r.ask(yearOfTasks, yearByTask(10))
	if s.audit.armed.Load() {
		t.Fatal("a dear report was not sampled")
	}
	r.ask(yearOfTasks, yearByTask(11)) // one sample is enough
	found := <-s.audit.samples
	if found.statement != byReportIndex || found.reads < 100_000 {
		t.Errorf("sampled %s of %d rows", found.statement, found.reads)
	}
	s.explainSample(t.Context(), found)
	metrics, err := s.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range metrics {
		if family.GetName() == "headroom_audit_rows_ratio" {
			if h := family.GetMetric()[0].GetHistogram(); h.GetSampleCount() == 1 && h.GetSampleSum() < 0.01 {
				return // an empty table, priced as a large company
			}
		}
	}
	t.Errorf("the metric says nothing of a table that holds nothing of what was priced: %v", metrics)
}

// What a server exports for builds holds numbers and nothing that people wrote, and
// prices as the server itself does.
func TestExportedStatistics(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	r.ask(`mutation { createTimeEntry(input: {startedAt: "2026-03-02T09:00:00Z", endedAt: "2026-03-02T10:00:00Z", description: "Secret work"}) { timeEntry { id } userErrors { message } } }`, nil)
	admin := httptest.NewServer(r.server.AdminHandler())
	defer admin.Close()
	resp, err := http.Get(admin.URL + "/debug/statistics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || strings.Contains(string(raw), "Secret") {
		t.Fatalf("status %d, %v: %s", resp.StatusCode, err, raw)
	}
	found, err := ReadStatistics(strings.NewReader(string(raw)), time.Now())
	if err != nil || len(found.Workspaces) != 1 || found.Workspaces[0].Users != 1 {
		t.Fatalf("%+v, %v: %s", found, err, raw)
	}
	pricer, err := NewPricer("", limits.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	pricer.Follow(found)
	quote, err := pricer.Price(t.Context(), Trusted{Text: yearOfTasks}, yearByTask(50))
	if err != nil || quote.Price.Basis != limits.Statistics || quote.Price.Expected > 1 {
		t.Errorf("%+v, %v, want the price of a workspace with one entry", quote, err)
	}
}
