package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// operators asks the operators' address.
func (r *rig) operators(method, path, body string) (int, string) {
	r.t.Helper()
	rec := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	r.server.AdminHandler().ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

// limits reads /debug/limits.
func (r *rig) limits(query string) (v LimitsView) {
	r.t.Helper()
	status, body := r.operators(http.MethodGet, "/debug/limits"+query, "")
	if err := json.Unmarshal([]byte(body), &v); err != nil || status != http.StatusOK {
		r.t.Fatalf("/debug/limits%s: %d %v %s", query, status, err, body)
	}
	return v
}

// What was refused is shown with its reason, and who asked for most stands first.
func TestLimitsNameWhoAsks(t *testing.T) {
	now := time.Now()
	r := newRig(t, func(c *Config) { c.User, c.Now = budget(5.81, 0.001), func() time.Time { return now } })
	ask := func(query, client string) answer {
		return r.must(call{query: query, token: r.token, header: map[string]string{"Apollographql-Client-Name": client, "Apollographql-Client-Version": "3.1.0"}})
	}
	ask(`query Small { projects(first: 5) { nodes { id } } }`, "web")
	for range 5 {
		if a := ask(`query Big { projects(first: 100) { nodes { id } } timeEntries(first: 100) { nodes { id } } all: tags(first: 90) { nodes { id } } }`, "mobile"); a.code() != codeThrottled {
			t.Fatalf("answered %s", a.raw)
		}
	}
	v := r.limits("?by=refused")
	if len(v.Decisions) != 1 {
		t.Fatalf("decisions %+v, want the five equal refusals as one", v.Decisions)
	}
	d := v.Decisions[0]
	if d.Count != 5 || d.Verdict != "refused" || d.Code != codeThrottled || d.Reason != "budget" || d.Workspace != "Acme" || !strings.HasPrefix(d.Operation, "Big#") || d.Client != "mobile@3.1.0" || d.RetryAfterMs == 0 || d.Why == "" {
		t.Errorf("the decision is %+v", d)
	}
	if len(v.Askers) == 0 {
		t.Fatal("nobody has asked for most")
	}
	if c := v.Askers[0]; c.Workspace != "Acme" || c.Operation != d.Operation || c.Client != "mobile@3.1.0" || c.Refused != 5 || c.Share < 0.8 {
		t.Errorf("the culprit is %+v", c)
	}
	if len(v.Operations) != 2 || v.Operations[0].Operation != d.Operation || v.Operations[1].Ran != 1 || v.Operations[1].Work == 0 {
		t.Errorf("operations %+v", v.Operations)
	}
	if len(v.Tenants) != 1 || v.Tenants[0].Refused != 5 || v.Tenants[0].Ran != 1 || v.Tenants[0].WorkspaceID != int64(r.owner.Workspace.ID) {
		t.Errorf("tenants %+v", v.Tenants)
	}
	r.server.lookout.look(now, r.server.snapshot(), 1, false)
	if sec := r.limits("?seconds=300").Seconds; len(sec) != 1 || sec[0].Refused[limits.Interactive] != 5 || sec[0].Ran[limits.Interactive] != 1 {
		t.Errorf("the last second is %+v", sec)
	}
	now = now.Add(2 * time.Minute)
	if v := r.limits(""); len(v.Tenants) != 0 || len(v.Askers) != 0 {
		t.Errorf("two minutes later: %+v", v.Tenants)
	}
	for path, want := range map[string]string{
		"/debug/limits?seconds=-1": "seconds=\"-1\" is no whole number between 0 and 300",
		"/debug/limits?by=name":    `by="name": spenders are ordered by work, asked or refused`,
	} {
		if status, body := r.operators(http.MethodGet, path, ""); status != http.StatusBadRequest || strings.TrimSpace(body) != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A flood of made-up names takes bounded memory and hides nobody.
func TestSpendersAreBounded(t *testing.T) {
	var s spenders
	now := time.Now()
	for i := range 20_000 {
		s.add(who{1, fmt.Sprint("made up ", i), "bot"}, spent{asked: 1, refused: 1}, now)
		if i%10 == 0 {
			s.add(who{2, "Year", "mobile"}, spent{asked: 5, work: 5, ran: 1}, now)
		}
	}
	rows := s.sums(byOperation, now, nil)
	if len(rows) > mostSpenders+1 {
		t.Errorf("%d rows", len(rows))
	}
	sortSpenders(rows, "work")
	if rows[0].operation != "Year" || rows[0].ran < 1900 {
		t.Errorf("first stands %+v", rows[0])
	}
	total := int64(0)
	for _, r := range rows {
		total += r.refused
	}
	if total != 20_000 {
		t.Errorf("%d refusals are counted", total)
	}
	if tenants := s.sums(byTenant, now, nil); len(tenants) != 2 {
		t.Errorf("tenants %+v", tenants)
	}
}

// Made-up names of clients and operations are somebody's: what scatters is told of the
// operation, the client or the workspace that has it together.
func TestMadeUpNamesHideNobody(t *testing.T) {
	for _, test := range []struct {
		name, operation, client string // of who floods; %d is made up
		wants                   who
		block                   string
	}{
		{"a name for each time", "Year%d", "bot%d", who{2, anyOperation, anyClient}, "--tenant 2"},
		{"a client for each time", "Year#1", "bot@%d", who{2, "Year#1", anyClient}, "--operation 'Year#1'"},
		{"an operation for each time", "Year%d", "bot@1", who{2, anyOperation, "bot@1"}, "--client 'bot@1'"},
		{"an operation of others", "Day#1", "it's@1", who{2, "Day#1", "it's@1"}, `--client 'it'\''s@1'`},
		{"the names of all others", "Day#1", "web@7", who{2, "Day#1", "web@7"}, "--tenant 2"},
	} {
		l, now := newLookout(), time.Now()
		made := func(text string, n int) string { return strings.ReplaceAll(text, "%d", fmt.Sprint(n)) }
		for n := range 3000 {
			l.spenders.add(who{2, made(test.operation, n), made(test.client, n)}, spent{name: "Globex", asked: 2, refused: 1}, now)
			l.spenders.add(who{1, "Day#1", "web@7"}, spent{name: "Acme", asked: 0.5, ran: 1}, now)
		}
		views, all := l.askersLocked(&inForce{}, now, nil)
		if first := views[0]; all != 7500 || first.WorkspaceID != 2 || first.Workspace != "Globex" || first.Operation != test.wants.operation || first.Client != test.wants.client || first.Refused != 3000 || first.Share != 0.8 || first.Block != test.block {
			t.Errorf("%s: of %v points first stands %+v", test.name, all, first)
		}
		for d, table := range l.spenders.slices[now.UnixNano()/int64(spenderSpan)%spenderSlices].tables {
			if len(table) > mostSpenders+1 {
				t.Errorf("%s: %d rows in dimension %d", test.name, len(table), d)
			}
		}
	}
}

// Who is blocked and goes on all the same does not hide the next.
func TestBlockedClientsHideNobody(t *testing.T) {
	r := newRig(t, nil)
	ask := func(client string, times int) {
		for range times {
			r.must(call{query: `query Day { projects(first: 5) { nodes { id } } }`, token: r.token, header: map[string]string{"Apollographql-Client-Name": client}})
		}
	}
	ask("bot", 3)
	if status, text := r.order(http.MethodPost, "client", "bot", 60); status != http.StatusCreated {
		t.Fatalf("the order: %d %s", status, text)
	}
	if first := r.limits("").Askers[0]; first.Client != "bot" || !first.Blocked {
		t.Errorf("after the block first stands %+v", first)
	}
	ask("bot", 20)
	ask("web", 4)
	if v := r.limits("?by=refused"); v.Askers[0].Client != "web" || v.Askers[0].Blocked || v.Clients[0].Client != "bot" || v.Clients[0].Refused != 20 || v.Clients[0].Ran != 3 {
		t.Errorf("first stand %+v and %+v", v.Askers[0], v.Clients[0])
	}
}

// Where one workspace asks for all, there is none to be told from others.
func TestNobodyIsToldToBlockEverybody(t *testing.T) {
	l, now := newLookout(), time.Now()
	for n := range 1000 {
		l.spenders.add(who{2, fmt.Sprint("Year", n), fmt.Sprint("bot", n)}, spent{asked: 2, refused: 1}, now)
	}
	if views, _ := l.askersLocked(&inForce{}, now, nil); views[0].Operation != anyOperation || views[0].Client != anyClient || views[0].Block != "" {
		t.Errorf("first stands %+v", views[0])
	}
}

// A report that runs is seen before it ends.
func TestRunningOperationsCount(t *testing.T) {
	l := newLookout()
	r := &request{id: "7", doc: &document{label: "Year#1"}, class: limits.Report, client: "web"}
	r.viewer.Workspace = timesheet.Workspace{ID: 3, Name: "Acme"}
	r.price.Expected = 400
	l.begin(r, time.Now(), func(error) {})
	sums, oldest := l.inFlightLocked(time.Now().Add(time.Second))
	if got := sums[whoAsks(r)]; got.work != 400 || got.asked != 400 || len(oldest) != 1 || oldest[0].id != "7" {
		t.Errorf("in flight %+v, oldest %+v", got, oldest)
	}
	l.end(r)
	if sums, _ = l.inFlightLocked(time.Now()); len(sums) != 0 {
		t.Errorf("in flight after its end: %+v", sums)
	}
}

// Noting a refusal allocates nothing once who asks is known.
func TestNotingARefusalAllocatesNothing(t *testing.T) {
	l, now := newLookout(), time.Now()
	r := &request{id: "7", doc: &document{label: "Year#1"}, class: limits.Report, client: "web", refusal: &limits.Refusal{Reason: limits.Backlog, Queue: 3}}
	r.price.Basis = "declared"
	f := refuse(codeOverloaded, "busy").with("reason", "backlog").retry(time.Second)
	if got := testing.AllocsPerRun(1000, func() { l.note(r, f, now) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
	if l.decisions.n != 1 || l.decisions.ring[0].count != 1001 || l.decisions.ring[0].queue != 3 {
		t.Errorf("kept %d decisions, the first %+v", l.decisions.n, l.decisions.ring[0])
	}
	if want := "3 of its class wait already: it could not end before its deadline"; l.decisions.ring[0].explain() != want {
		t.Errorf("it says %q", l.decisions.ring[0].explain())
	}
}

// Every refusal has its reason in words, whatever the gate's reason or the code.
func TestEveryRefusalIsExplained(t *testing.T) {
	var faults []*fault
	for reason := range newTestGate(t).Snapshot().Classes[limits.Interactive].Refused {
		faults = append(faults, refuse(codeOverloaded, "busy").with("reason", reason.String()))
	}
	for code := range statuses {
		faults = append(faults, refuse(code, "no"))
	}
	for _, f := range faults {
		l := newLookout()
		r := &request{id: "7", doc: &document{label: "Year#1"}}
		r.price.Basis = "declared"
		l.note(r, f, time.Now())
		if d := l.decisions.ring[0]; d.verdict != verdictRefused || d.explain() == "" {
			t.Errorf("%s %s: %s %q", f.code, f.why(), d.verdict, d.explain())
		}
	}
}

func newTestGate(t *testing.T) *limits.Static {
	t.Helper()
	gate, err := limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(1)})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// The ring keeps the newest.
func TestDecisionsAreBounded(t *testing.T) {
	var l decisions
	for i := range 1000 {
		l.add(decision{at: time.Unix(int64(i), 0), reason: fmt.Sprint(i)})
	}
	last := l.last(1000)
	if len(last) != keptDecisions || last[0].reason != "999" || last[len(last)-1].reason != fmt.Sprint(1000-keptDecisions) {
		t.Errorf("%d decisions from %s to %s", len(last), last[0].reason, last[len(last)-1].reason)
	}
}

// What changes in the gate is a decision, once.
func TestLookTellsWhatChanged(t *testing.T) {
	l := newLookout()
	state := func(seats, servers int, crowded bool) limits.Snapshot {
		s := limits.Snapshot{Adaptive: &limits.AdaptiveSnapshot{Processes: servers, Crowded: crowded}}
		for i := range s.Classes {
			s.Classes[i].Class, s.Classes[i].Seats = limits.Class(i), 1
		}
		s.Classes[limits.Interactive].Seats = seats
		return s
	}
	browned := state(2, 2, true)
	browned.Adaptive.Rung = limits.NoExtras
	for i, s := range []limits.Snapshot{state(8, 1, false), state(8, 1, false), browned, state(8, 2, false)} {
		l.look(time.Unix(int64(i), 0), s, 1, i == 3)
	}
	var told []string
	for _, d := range l.changes.last(20) {
		told = append(told, d.text)
	}
	want := []string{
		"seats of interactive: 8, before 2", "the crowd is over", "brownout: normal, before no_extras", "the database is away",
		"seats of interactive: 2, before 8", "a crowd: more comes than the database can do; the newest is served first", "brownout: no_extras, before normal", "servers on the database: 2, before 1",
	}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

func TestGateMetrics(t *testing.T) {
	r := newRig(t, nil)
	r.ask(`{ projects(first: 5) { nodes { id } } }`, nil)
	r.server.countSlots(t.Context())
	if err := r.store.AddUsage(t.Context(), time.Now(), map[timesheet.WorkspaceID]store.Demand{1: {Operations: 9, Work: 30 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	r.server.readHeadroom(t.Context())
	_, body := r.operators(http.MethodGet, "/metrics", "")
	for _, want := range []string{
		`headroom_gate_absorb_seconds{class="interactive"} 0`, `headroom_gate_promised_seconds{class="report"} 0`,
		`headroom_report_slots{state="taken"} 0`, `headroom_report_slots{state="all"} 1`,
		"headroom_brownout_step 0", `headroom_demotion{state="none"} 1`, `headroom_ratio 4`, `headroom_database_cores 2`,
		`headroom_estimate_ratio_count{class="interactive"} 1`, `headroom_budget_points_total{kind="refused"} 0`, `headroom_work_seconds_total{class="interactive"} `,
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if h := r.limits("").Headroom; h == nil || h.Ratio != 4 || len(h.Weeks) != 1 || h.Weeks[0].PeakWorkMs != 30_000 {
		t.Errorf("the headroom is %+v, want the two minutes that two cores do in a minute over half a minute", h)
	}
}
