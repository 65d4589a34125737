package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"headroom/limits"
	"headroom/timesheet"
)

// Bounds of what /debug/limits tells.
const (
	shownSpenders  = 10
	shownDecisions = 50
	shownChanges   = 20
)

// debugLimits is GET /debug/limits. seconds asks for as many of the last ones, by
// asks for another order of the spenders: work, asked or refused.
func (s *Server) debugLimits(w http.ResponseWriter, r *http.Request) {
	by, seconds := r.FormValue("by"), 0
	if text := r.FormValue("seconds"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil || seconds < 0 || seconds > keptSeconds {
			plain(w, http.StatusBadRequest, fmt.Sprintf("seconds=%q is no whole number between 0 and %d", text, keptSeconds))
			return
		}
	}
	if by != "" && by != "work" && by != "asked" && by != "refused" {
		plain(w, http.StatusBadRequest, fmt.Sprintf("by=%q: spenders are ordered by work, asked or refused", by))
		return
	}
	s.showJSON(w, http.StatusOK, s.limitsView(by, seconds))
}

func (s *Server) showJSON(w http.ResponseWriter, status int, view any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(view); err != nil {
		s.log.Debug("write an answer to operators", "error", err)
	}
}

func (s *Server) limitsView(by string, seconds int) LimitsView {
	snapshot, now := s.snapshot(), s.now()
	v := LimitsView{
		At: now.UTC(), Mode: s.mode.Mode, Measured: s.mode.measured, Gate: s.gateName(), DatabaseUp: !s.health.away(), Draining: snapshot.Draining,
		Cores: s.cores, Kept: 1, Slowdown: round(s.work.Slowdown()), Headroom: s.headroomView(now), Demotion: DemotionView{s.demotionState(), s.store.Demotion().Reason},
		Orders: s.ordersInForce(now), Slots: SlotsView{All: snapshot.Classes[limits.Report].Seats},
	}
	if a := snapshot.Adaptive; a != nil {
		v.Servers, v.Crowded, v.Kept = a.Processes, a.Crowded, a.Kept
		if a.Rung > limits.Normal {
			v.Brownout, v.BrownoutOf = a.Rung.String(), a.Whose
		}
	}
	for _, c := range snapshot.Classes {
		v.Classes = append(v.Classes, classView(c))
	}
	l := s.lookout
	l.mu.Lock()
	defer l.mu.Unlock()
	if held := l.held; held >= 0 {
		v.Slots.Taken = &held
	}
	sums, oldest := l.inFlightLocked(now)
	v.Tenants = l.spendersLocked(byTenant, by, now, sums)
	v.Operations = l.spendersLocked(byOperation, by, now, sums)
	v.Clients = l.spendersLocked(byClient, by, now, sums)
	v.Askers, v.Asked = l.askersLocked(s.orders.now.Load(), now, sums)
	v.Running = []RunningView{}
	for _, op := range oldest {
		v.Running = append(v.Running, RunningView{op.id, op.class.String(), op.name, op.operation, op.client, round(op.points), millis(now.Sub(op.since))})
	}
	v.Decisions, v.Changes = l.decisions.views(shownDecisions), l.changes.views(shownChanges)
	for _, sec := range l.lastSecondsLocked(seconds) {
		v.Seconds = append(v.Seconds, sec.view())
	}
	return v
}

func (s *Server) headroomView(now time.Time) *HeadroomView {
	ratio := s.headroom.ratio(s.cores, now)
	if ratio == 0 {
		return nil
	}
	v := &HeadroomView{Ratio: round(ratio)}
	for _, w := range s.headroom.history() {
		v.Weeks = append(v.Weeks, WeekView{w.Week.Format(time.DateOnly), round(over(s.cores, w.Work)), w.Work.Milliseconds()})
	}
	return v
}

func classView(c limits.ClassSnapshot) ClassView {
	v := ClassView{
		Class: c.Class.String(), Seats: c.Seats, Busy: c.Busy, Queued: c.Queued, Admitted: c.Admitted,
		WaitedMs: millis(c.Waited), HeldMs: millis(c.Held), RunningMs: millis(c.Running), WaitingMs: millis(c.Waiting), PromisedMs: millis(c.Promised), AbsorbMs: millis(c.Absorb),
		Refused: map[string]uint64{}, WouldRefuse: map[string]uint64{},
	}
	for reason, n := range c.Refused {
		v.Refused[reason.String()] = n
	}
	for reason, n := range c.WouldRefuse {
		v.WouldRefuse[reason.String()] = n
	}
	return v
}

// askersLocked are those who asked for most, and all that was asked.
func (l *lookout) askersLocked(orders *inForce, now time.Time, running map[who]spent) (views []SpenderView, all float64) {
	var rows [dimensions][]spender
	for d := range rows {
		rows[d] = l.spenders.sums(d, now, running)
	}
	all = askedInAll(rows[byTenant])
	found := askers(&rows)
	views = spenderViews(found, byAll, all)
	for i := range views {
		o := orders.match(found[i].who, 0)
		views[i].Blocked = o != nil && o.left(now) > 0
		views[i].Block = found[i].block(&rows)
	}
	return views, round(all)
}

// spendersLocked are the first of a dimension.
func (l *lookout) spendersLocked(dimension int, by string, now time.Time, running map[who]spent) []SpenderView {
	rows := l.spenders.sums(dimension, now, running)
	sortSpenders(rows, by)
	return spenderViews(rows, dimension, askedInAll(rows))
}

func askedInAll(rows []spender) (all float64) {
	for _, r := range rows {
		all += r.asked
	}
	return all
}

// spenderViews are the first rows, of all that was asked.
func spenderViews(rows []spender, dimension int, all float64) []SpenderView {
	out := []SpenderView{}
	for _, r := range rows[:min(len(rows), shownSpenders)] {
		v := SpenderView{
			WorkspaceID: max(0, int64(r.tenant)), Workspace: tenantName(r.tenant, r.name), Operation: r.operation, Client: r.client,
			Asked: round(r.asked), Work: round(r.work), Ran: r.ran, Refused: r.refused, Late: r.late, WaitedMs: millis(r.waited),
		}
		if all > 0 {
			v.Share = round(r.asked / all)
		}
		if dimension == byOperation || dimension == byClient {
			v.Workspace = ""
		}
		if r.client == "" && dimension >= byClient {
			v.Client = "(unnamed)"
		}
		out = append(out, v)
	}
	return out
}

// tenantName is a workspace's name for operators.
func tenantName(id timesheet.WorkspaceID, name string) string {
	switch {
	case id == others.tenant:
		return "(others)"
	case id == 0:
		return "(no token)"
	}
	return name
}

func (l *decisions) views(most int) []DecisionView {
	out := []DecisionView{}
	for _, d := range l.last(most) {
		out = append(out, d.view())
	}
	return out
}

func (d *decision) view() DecisionView {
	v := DecisionView{
		At: d.at.UTC(), Verdict: d.verdict, Class: d.class.String(), Code: d.code, Reason: d.reason, Why: d.explain(), Count: d.count, Request: d.id,
		WorkspaceID: int64(d.who.tenant), Operation: d.who.operation, Client: d.who.client, Points: round(d.points), WaitMs: millis(d.wait), RetryAfterMs: d.retry.Milliseconds(),
	}
	if d.verdict != verdictGate {
		v.Workspace = tenantName(d.who.tenant, d.name)
	}
	return v
}

func (s *second) view() SecondView {
	v := SecondView{At: s.at, Slowdown: round(s.slowdown), Crowded: s.crowded}
	for _, c := range s.classes {
		v.Ran, v.Refused, v.Busy = append(v.Ran, c.ran), append(v.Refused, c.refused), append(v.Busy, c.busy)
		v.Seats, v.Queued, v.Absorb = append(v.Seats, c.seats), append(v.Queued, c.queued), append(v.Absorb, millis(c.absorb))
		v.Work += c.work
	}
	v.Work = round(v.Work)
	return v
}
