package loadtest

import (
	"slices"
	"strings"
)

// serverPart is what the server says about itself: its work in each phase, and
// its gate and pools at the borders between them.
func (r *Record) serverPart() pagePart {
	return pagePart{
		Title: "The server", Tables: nonEmpty(r.workTable(), r.gateTable(), r.poolTable()),
		Lead: "Read from the operators' address at each border between phases. Statements, rows and points per operation, and the rows that the database scanned for them, do not depend on the machine: a change there is a change of the program.",
	}
}

// searchPart is what a search for the breakpoint found, step by step.
func (r *Record) searchPart() pagePart {
	points := pageTable{Title: "Breakpoints", Head: []string{"what held", "up to, a second", "broke at", "what broke", "used up"}}
	for _, p := range r.Points {
		above := "–"
		if p.Above > 0 {
			above = number(p.Above)
		}
		points.Rows = append(points.Rows, []string{p.Name, number(p.Rate), above, typeset(p.Rule), p.Resource})
	}
	steps := pageTable{Title: "Steps, as they were sent", Head: []string{"a second", "answered right, a second", "refused", "p50", "p99", "headroom_ratio", "what broke"}}
	for _, s := range r.Steps {
		var why []string
		for _, b := range s.Broke {
			why = append(why, typeset(b.Rule))
		}
		steps.Rows = append(steps.Rows, []string{
			number(s.Rate), number(s.Goodput), number(float64(s.Shed)), quantile(s.Response, s.Response.P50), quantile(s.Response, s.Response.P99), s.headroom(),
			strings.Join(append(why, s.Invalid...), "; "),
		})
	}
	return pagePart{Title: "The search", Lead: "The greatest rates at which the promises held: bracketed, halved, confirmed.", Tables: nonEmpty(points, steps)}
}

func (r *Record) workTable() pageTable {
	t := pageTable{Title: "Work per operation", Head: []string{"phase", "answered", "statements", "rows", "points", "scanned", "processor time"}}
	for _, w := range r.Work {
		n := r.ran(w.Round, w.Phase, w.Class)
		if n == 0 {
			continue
		}
		name, scanned, cpu := w.Phase+", all", "–", "–"
		if w.Class != "" {
			name = w.Phase + ", " + string(w.Class)
		}
		if w.Scanned > 0 {
			scanned = number(w.Scanned / n)
		}
		if w.CPUSeconds > 0 {
			cpu = millis(w.CPUSeconds * 1000 / n)
		}
		t.Rows = append(t.Rows, []string{roundName(name, w.Round), number(n), number(w.Statements / n), number(w.Rows / n), number(w.Points / n), scanned, cpu})
	}
	return t
}

// roundName marks what belongs to a later round.
func roundName(name string, round int) string {
	if round == 0 {
		return name
	}
	return name + " (round " + number(float64(round+1)) + ")"
}

// ran counts the operations of a phase that the server ran: all that were
// neither refused nor lost on the way.
func (r *Record) ran(round int, phase string, class Class) float64 {
	n := 0
	for _, s := range r.Series {
		if s.Round != round || s.Phase != phase || class != "" && s.Class != class || s.Attempts {
			continue
		}
		if s.Outcome == OK.String() || s.Outcome == Late.String() {
			for _, bin := range s.Seconds {
				n += bin.Count
			}
		}
	}
	return float64(n)
}

// gateTable shows each class's seats at the borders, and what was let in and
// refused since the last.
func (r *Record) gateTable() pageTable {
	t := pageTable{Title: "The gate", Head: []string{"border", "class", "seats", "busy", "queued", "admitted since", "refused since"}}
	for i, reading := range r.Readings {
		for _, class := range labelsOf(reading.Counters, "headroom_gate_seats", "class") {
			get := func(name string) float64 { return reading.Counters.sum(name, Class(class)) }
			row := []string{roundName(reading.Border, reading.Round), class, number(get("headroom_gate_seats")), number(get("headroom_gate_busy")), number(get("headroom_gate_queued")), "–", "–"}
			if i > 0 {
				before := r.Readings[i-1].Counters
				row[5] = number(get("headroom_gate_admitted_total") - before.sum("headroom_gate_admitted_total", Class(class)))
				row[6] = number(get("headroom_gate_refused_total") - before.sum("headroom_gate_refused_total", Class(class)))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// poolTable shows the connections of each pool at the borders.
func (r *Record) poolTable() pageTable {
	t := pageTable{Title: "Connections to the database", Head: []string{"border", "pool", "busy", "open", "at most"}}
	for _, reading := range r.Readings {
		for _, pool := range labelsOf(reading.Counters, "headroom_pool_connections", "pool") {
			get := func(state string) string {
				return number(reading.Counters[`headroom_pool_connections{pool="`+pool+`",state="`+state+`"}`])
			}
			t.Rows = append(t.Rows, []string{roundName(reading.Border, reading.Round), pool, get("busy"), get("open"), get("max")})
		}
	}
	return t
}

// labelsOf are the values that a label of a counter has, in order.
func labelsOf(c Counters, name, label string) []string {
	var list []string
	for series := range c {
		base, labels, _ := strings.Cut(series, "{")
		if base != name {
			continue
		}
		_, rest, found := strings.Cut(labels, label+`="`)
		value, _, closed := strings.Cut(rest, `"`)
		if found && closed && !slices.Contains(list, value) {
			list = append(list, value)
		}
	}
	slices.Sort(list)
	return list
}
