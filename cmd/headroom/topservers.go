package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"headroom/limits"
	"headroom/server"
)

// look is what one server says, or why it does not.
type look struct {
	address string
	view    server.LimitsView
	err     error
}

// look asks all servers at once. It fails where none answers.
func (c *TopCmd) look(ctx context.Context) ([]look, error) {
	looks := make([]look, len(c.AdminURL))
	var all sync.WaitGroup
	for i, address := range c.AdminURL {
		all.Go(func() {
			looks[i].address = address
			looks[i].err = c.askAt(ctx, address, http.MethodGet, "/debug/limits?seconds=10&by="+c.By, nil, &looks[i].view)
		})
	}
	all.Wait()
	if !slices.ContainsFunc(looks, func(l look) bool { return l.err == nil }) {
		return nil, looks[0].err
	}
	return looks, nil
}

// renderServers shows each server, where there are several.
func renderServers(out io.Writer, looks []look) {
	if len(looks) < 2 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nSERVER\tGATE\tBUSY\tQUEUED\tREFUSED/s\tSLOWDOWN")
	for _, l := range looks {
		if l.err != nil {
			fmt.Fprintf(w, "%s\t%s\n", printable(l.address), printable(l.err.Error()))
			continue
		}
		busy, queued, refused := 0, 0, 0
		for _, c := range l.view.Classes {
			busy, queued = busy+c.Busy, queued+c.Queued
		}
		for _, s := range l.view.Seconds {
			for _, n := range s.Refused {
				refused += n
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f\t%.1f\n", printable(l.address), l.view.Gate, busy, queued, float64(refused)/float64(max(1, len(l.view.Seconds))), l.view.Slowdown)
	}
	flush(w)
}

// together is one picture of what the servers say that answer.
func together(looks []look, by string) server.LimitsView {
	var views []server.LimitsView
	for _, l := range looks {
		if l.err == nil {
			views = append(views, l.view)
		}
	}
	sum := views[0]
	for _, v := range views[1:] {
		join(&sum, v)
	}
	if len(views) == 1 {
		return sum
	}
	sum.Seconds = joinSeconds(views)
	for _, rows := range []*[]server.SpenderView{&sum.Askers, &sum.Tenants, &sum.Operations, &sum.Clients} {
		order := by
		if rows == &sum.Askers {
			order = "blame"
		}
		*rows = joinSpenders(*rows, sum.Asked, order)
	}
	slices.SortFunc(sum.Running, func(a, b server.RunningView) int { return cmp.Compare(b.Ms, a.Ms) })
	for _, rows := range [][]server.DecisionView{sum.Decisions, sum.Changes} {
		slices.SortStableFunc(rows, func(a, b server.DecisionView) int { return b.At.Compare(a.At) })
	}
	return sum
}

// join adds what another server says. What is the database's is the same on both.
func join(sum *server.LimitsView, v server.LimitsView) {
	if !strings.Contains(sum.Gate, v.Gate) {
		sum.Gate += ", " + v.Gate
	}
	sum.DatabaseUp = sum.DatabaseUp && v.DatabaseUp
	sum.Crowded = sum.Crowded || v.Crowded
	sum.Kept = min(sum.Kept, v.Kept)
	sum.Slowdown = max(sum.Slowdown, v.Slowdown)
	sum.Asked += v.Asked
	sum.Brownout, sum.BrownoutOf = higher(sum.Brownout, sum.BrownoutOf, v.Brownout, v.BrownoutOf)
	sum.Headroom = cmp.Or(sum.Headroom, v.Headroom)
	sum.Slots.Taken = cmp.Or(sum.Slots.Taken, v.Slots.Taken)
	for i := range sum.Classes {
		slots := sum.Classes[i].Seats
		joinClass(&sum.Classes[i], v.Classes[i])
		if sum.Servers > 0 && sum.Classes[i].Class == limits.Report.String() { // the gates follow the database, whose slots these are
			sum.Classes[i].Seats = max(slots, v.Classes[i].Seats)
		}
	}
	for _, o := range v.Orders {
		at := slices.IndexFunc(sum.Orders, func(known server.OrderView) bool { return known.ID == o.ID })
		if at < 0 {
			sum.Orders = append(sum.Orders, o)
			continue
		}
		sum.Orders[at].Refused += o.Refused
	}
	sum.Askers, sum.Tenants = append(sum.Askers, v.Askers...), append(sum.Tenants, v.Tenants...)
	sum.Operations, sum.Clients = append(sum.Operations, v.Operations...), append(sum.Clients, v.Clients...)
	sum.Running = append(sum.Running, v.Running...)
	sum.Decisions, sum.Changes = append(sum.Decisions, v.Decisions...), append(sum.Changes, v.Changes...)
}

// higher is the higher of two rungs, "" being none, and the workspace that is on it
// alone, if there is just one on both servers.
func higher(a, ofA, b, ofB string) (rung, of string) {
	one, _ := limits.ParseStep(a) // a name that is none is no rung
	other, _ := limits.ParseStep(b)
	switch {
	case other > one:
		return b, ofB
	case other == one && ofA != ofB:
		return a, ""
	}
	return a, ofA
}

// joinClass adds the seats of another server and what they do.
func joinClass(sum *server.ClassView, c server.ClassView) {
	if n := sum.Admitted + c.Admitted; n > 0 {
		sum.HeldMs = (sum.HeldMs*float64(sum.Admitted) + c.HeldMs*float64(c.Admitted)) / float64(n)
	}
	sum.Seats, sum.Busy, sum.Queued, sum.Admitted = sum.Seats+c.Seats, sum.Busy+c.Busy, sum.Queued+c.Queued, sum.Admitted+c.Admitted
	sum.WaitedMs, sum.RunningMs, sum.WaitingMs, sum.PromisedMs = sum.WaitedMs+c.WaitedMs, sum.RunningMs+c.RunningMs, sum.WaitingMs+c.WaitingMs, sum.PromisedMs+c.PromisedMs
	sum.AbsorbMs = max(sum.AbsorbMs, c.AbsorbMs)
	for reason, n := range c.Refused {
		sum.Refused[reason] += n
	}
	for reason, n := range c.WouldRefuse {
		sum.WouldRefuse[reason] += n
	}
}

// joinSpenders adds up the rows of who is the same on several servers.
func joinSpenders(rows []server.SpenderView, asked float64, by string) []server.SpenderView {
	all := map[[4]string]server.SpenderView{}
	for _, r := range rows {
		key := [4]string{fmt.Sprint(r.WorkspaceID), r.Workspace, r.Operation, r.Client}
		sum, known := all[key]
		if !known {
			all[key] = r
			continue
		}
		sum.Asked, sum.Work, sum.WaitedMs = sum.Asked+r.Asked, sum.Work+r.Work, sum.WaitedMs+r.WaitedMs
		sum.Ran, sum.Refused, sum.Late = sum.Ran+r.Ran, sum.Refused+r.Refused, sum.Late+r.Late
		sum.Blocked = sum.Blocked || r.Blocked
		all[key] = sum
	}
	out := slices.Collect(maps.Values(all))
	for i := range out {
		if asked > 0 {
			out[i].Share = out[i].Asked / asked
		}
	}
	slices.SortFunc(out, func(a, b server.SpenderView) int {
		order := cmp.Compare(b.Work, a.Work)
		switch by {
		case "refused":
			order = cmp.Compare(b.Refused, a.Refused)
		case "asked":
			order = cmp.Compare(b.Asked, a.Asked)
		case "blame":
			order = cmp.Compare(b.Blame(), a.Blame())
		}
		return cmp.Or(order, cmp.Compare(b.Asked, a.Asked), cmp.Compare(a.Workspace, b.Workspace), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Client, b.Client))
	})
	return out
}

// joinSeconds adds up what several servers did in the same seconds.
func joinSeconds(views []server.LimitsView) []server.SecondView {
	all := map[int64]server.SecondView{}
	for _, v := range views {
		for _, s := range v.Seconds {
			sum, known := all[s.At]
			if !known {
				all[s.At] = s
				continue
			}
			for _, rows := range [][2][]int{{sum.Ran, s.Ran}, {sum.Refused, s.Refused}, {sum.Busy, s.Busy}, {sum.Seats, s.Seats}, {sum.Queued, s.Queued}} {
				for i := range rows[0] {
					rows[0][i] += rows[1][i]
				}
			}
			for i := range sum.Absorb {
				sum.Absorb[i] = max(sum.Absorb[i], s.Absorb[i])
			}
			sum.Work += s.Work
			sum.Slowdown, sum.Crowded = max(sum.Slowdown, s.Slowdown), sum.Crowded || s.Crowded
			all[s.At] = sum
		}
	}
	out := slices.Collect(maps.Values(all))
	slices.SortFunc(out, func(a, b server.SecondView) int { return cmp.Compare(a.At, b.At) })
	return out
}
