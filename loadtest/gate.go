package loadtest

import (
	"context"
	"math"
	"slices"
	"time"
)

// GateMoment is the gate of a class and its pool at a moment, by the server's own
// gauges.
type GateMoment struct {
	Round       int     `json:"round"`
	At          Millis  `json:"at_ms"` // since the round's start
	Class       Class   `json:"class"`
	Seats       float64 `json:"seats"`
	Busy        float64 `json:"busy"`
	Queued      float64 `json:"queued"`
	Connections float64 `json:"connections"` // of the class's pool that are in use
}

// gate reads the gauges every so often until the last phase or ctx ends, or until
// the operators' address does not answer.
func (s *session) gate(ctx context.Context, round int, start time.Time, spans []span, every time.Duration) []GateMoment {
	if len(spans) == 0 {
		return nil
	}
	var list []GateMoment
	for at := time.Duration(0); at < spans[len(spans)-1].end; at += every {
		if wait(ctx, start.Add(at)); ctx.Err() != nil {
			break
		}
		counters, ok := s.counters(ctx)
		if !ok {
			break
		}
		list = append(list, gateMoments(counters, round, Millis(time.Since(start)))...)
	}
	return list
}

func gateMoments(c Counters, round int, at Millis) (list []GateMoment) {
	for _, class := range labelsOf(c, "headroom_gate_seats", "class") {
		list = append(list, GateMoment{
			Round: round, At: at, Class: Class(class),
			Seats: c.sum("headroom_gate_seats", Class(class)), Busy: c.sum("headroom_gate_busy", Class(class)), Queued: c.sum("headroom_gate_queued", Class(class)),
			Connections: c[`headroom_pool_connections{pool="`+class+`",state="busy"}`],
		})
	}
	return list
}

// gateCharts are the seats of each class that was ever busy, and who waited.
func (t timeline) gateCharts(id string) []*chart {
	var classes []Class
	for _, g := range t.run.Gate {
		if g.Busy+g.Queued > 0 && !slices.Contains(classes, g.Class) {
			classes = append(classes, g.Class)
		}
	}
	slices.Sort(classes)
	var list []*chart
	var waiting []gauge
	for i, class := range classes {
		list = append(list, t.gaugeChart(id+"-gate-"+string(class), "Seats: "+string(class), "Operations that run, of the seats there are, and the connections to the database in use.", []gauge{
			{"seats", "intended dashed", t.gauged(class, func(g GateMoment) float64 { return g.Seats })},
			{"busy", "one", t.gauged(class, func(g GateMoment) float64 { return g.Busy })},
			{"connections", "two", t.gauged(class, func(g GateMoment) float64 { return g.Connections })},
		}))
		waiting = append(waiting, gauge{string(class), []string{"three", "shed", "ok", "late"}[i%4], t.gauged(class, func(g GateMoment) float64 { return g.Queued })})
	}
	return append(list, t.gaugeChart(id+"-queued", "Waiting for a seat", "Operations in the queue of each class.", waiting))
}

// gauge is a line of a chart of gauges.
type gauge struct {
	name, kind string
	values     []float64
}

// gaugeChart draws gauges over time; nil if all are nought.
func (t timeline) gaugeChart(id, title, note string, gauges []gauge) *chart {
	most := 0.0
	c := &chart{ID: id, Title: title, Note: note, X: clock(t.end()), Bands: t.bands(), Table: figures{Head: []string{"at"}}}
	for _, g := range gauges {
		for _, v := range g.values {
			if !math.IsNaN(v) {
				most = math.Max(most, v)
			}
		}
		c.Table.Head = append(c.Table.Head, g.name)
	}
	if most == 0 {
		return nil
	}
	c.Y = linear("operations", most)
	for _, g := range gauges {
		c.line(g.name, g.kind, t.x(), g.values)
	}
	for i := range t.bins {
		row := []string{moment(float64(i * t.width))}
		for _, g := range gauges {
			cell := "–"
			if !math.IsNaN(g.values[i]) {
				cell = number(g.values[i])
			}
			row = append(row, cell)
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	return c
}

// gauged is the mean of a gauge in each bin; NaN where it was not read.
func (t timeline) gauged(class Class, of func(GateMoment) float64) []float64 {
	sum, n := make([]float64, t.bins), make([]float64, t.bins)
	for _, g := range t.run.Gate {
		if g.Class != class {
			continue
		}
		at := min(t.bins-1, int((time.Duration(g.Round)*t.round+time.Duration(g.At)).Seconds())/t.width)
		sum[at] += of(g)
		n[at]++
	}
	for i := range sum {
		sum[i] /= n[i] // 0/0 is NaN
	}
	return sum
}
