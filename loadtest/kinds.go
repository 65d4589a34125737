package loadtest

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// Kind is what became of one kind of clients that reconnected in a phase.
type Kind struct {
	Phase      string    `json:"phase"`
	Client     string    `json:"client"` // heeding, ...
	Clients    int       `json:"clients"`
	Served     int       `json:"served"` // got right answers to all they asked
	Operations int       `json:"operations"`
	OK         int       `json:"ok"`       // of the operations
	Attempts   int       `json:"attempts"` // for all operations
	Useful     float64   `json:"useful"`   // share of the server's work, its queue aside and as far as it tells, that went into right answers
	Response   Quantiles `json:"response"` // of whole clients that were served, from first due to last answer
}

// kinds sums up the clients of a run by phase and kind.
func kinds(rounds []*attack, spans []span) []Kind {
	var list []Kind
	for _, span := range spans {
		for index, b := range behaviours {
			k := Kind{Phase: span.Name, Client: b.Name}
			var whole histogram
			var spent, useful time.Duration
			for _, round := range rounds {
				round.clients(span.Name, b.Name, func(s sample) {
					k.Clients++
					if s.outcome == OK {
						k.Served++
						whole.add(s.response())
					}
				})
				round.crowd(span.Name, index, func(s sample) {
					k.Operations++
					k.Attempts += int(s.attempts)
					if s.outcome == OK {
						k.OK++
					}
				}, func(r *row) {
					if spent += r.work(); r.outcome == OK {
						useful += r.work()
					}
				})
			}
			if k.Clients == 0 {
				continue
			}
			if k.Response = whole.quantiles(); spent > 0 {
				k.Useful = float64(useful) / float64(spent)
			}
			list = append(list, k)
		}
	}
	return list
}

// anyKind stands for all kinds of clients.
const anyKind = -1

// crowd calls operation for each operation of a phase's clients of a kind, the
// index of its behaviour, and attempt for each of their attempts.
func (a *attack) crowd(phase string, kind int, operation func(sample), attempt func(*row)) {
	crowded := func(stream plannedStream) bool {
		return len(stream.Each) > 0 && a.plan.phases[stream.phase].Name == phase
	}
	for _, arrival := range a.plan.arrivals {
		stream := a.plan.streams[arrival.stream]
		if !crowded(stream) {
			continue
		}
		for i := range stream.rows() {
			r := a.rows[int(arrival.row)+i].row()
			if kind != anyKind && int(r.kind) != kind || r.outcome == Unsent {
				continue
			}
			operation(sample{row: r})
			if r.attempts <= 1 {
				attempt(&r)
			}
		}
	}
	for i := range a.tries {
		if t := &a.tries[i]; (kind == anyKind || int(t.kind) == kind) && crowded(a.plan.streams[t.stream]) {
			attempt(&t.row)
		}
	}
}

// share is how many of the clients were served.
func (k Kind) share() float64 { return float64(k.Served) / float64(max(1, k.Clients)) }

// kindPair is one kind of clients, with limits and without.
type kindPair struct{ on, off Kind }

// kinds are those of both runs.
func (p *Pair) kinds() (list []kindPair) {
	for _, on := range p.On.Kinds {
		for _, off := range p.Off.Kinds {
			if on.Phase == off.Phase && on.Client == off.Client {
				list = append(list, kindPair{on, off})
			}
		}
	}
	return list
}

// writeKinds sets what became of the clients with limits and without side by side.
func (p *Pair) writeKinds(w io.Writer) error {
	if p.On == nil || p.Off == nil {
		return nil
	}
	var rows [][]string
	for _, both := range p.kinds() {
		row := []string{both.on.Client}
		for _, show := range []func(Kind) string{
			func(k Kind) string { return percent(k.share()) },
			func(k Kind) string { return quantile(k.Response, k.Response.P50) },
			func(k Kind) string { return quantile(k.Response, k.Response.P99) },
			Kind.perOperation,
			func(k Kind) string { return percent(k.Useful) },
		} {
			row = append(row, show(both.on), show(both.off))
		}
		rows = append(rows, row)
	}
	var b bytes.Buffer
	table(&b, []string{"clients, limits on and off", "served: on", "off", "p50: on", "off", "p99: on", "off", "attempts: on", "off", "useful: on", "off"}, rows)
	_, err := w.Write(b.Bytes())
	return err
}

// perOperation is how many attempts an operation took.
func (k Kind) perOperation() string {
	return fmt.Sprintf("%.2f", float64(k.Attempts)/float64(max(1, k.Operations)))
}

func (r *Record) writeKinds(b *bytes.Buffer) {
	var rows [][]string
	for _, k := range r.Kinds {
		rows = append(rows, []string{
			k.Phase + " " + k.Client, fmt.Sprint(k.Clients), percent(k.share()),
			quantile(k.Response, k.Response.P50), quantile(k.Response, k.Response.P99),
			k.perOperation(), percent(k.Useful),
		})
	}
	table(b, []string{"clients", "came", "served", "within p50", "p99", "attempts an operation", "useful work"}, rows)
}
