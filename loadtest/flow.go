package loadtest

import (
	"slices"
	"time"
)

// FlowSecond is what clients that reconnect sent in a second, and what came back in
// it: attempts, not operations. Series count by when an operation was due, which is
// long before its answer where clients try again.
type FlowSecond struct {
	Round  int `json:"round"`
	Second int `json:"second"` // since the round's start
	Sent   int `json:"sent"`
	OK     int `json:"ok"`
	Shed   int `json:"shed"`
	Other  int `json:"other"` // neither
}

// flow lists the seconds from the first attempt of a round's clients to its last
// answer; it is empty if none reconnect.
func flow(rounds []*attack) []FlowSecond {
	var list []FlowSecond
	for number, round := range rounds {
		var seconds []FlowSecond
		at := func(when time.Duration) *FlowSecond {
			second := int(max(0, when) / time.Second)
			for len(seconds) <= second {
				seconds = append(seconds, FlowSecond{Round: number, Second: len(seconds)})
			}
			return &seconds[second]
		}
		for _, span := range round.plan.phases {
			round.crowd(span.Name, anyKind, func(sample) {}, func(r *row) {
				at(r.sent).Sent++
				switch answers := at(r.end); r.outcome {
				case OK, Late:
					answers.OK++
				case Shed:
					answers.Shed++
				default:
					answers.Other++
				}
			})
		}
		first := slices.IndexFunc(seconds, func(s FlowSecond) bool { return s.Sent > 0 })
		list = append(list, seconds[max(0, first):]...)
	}
	return list
}

// flowed is a count of the flow in each bin, a second; nil if nobody reconnects.
func (t timeline) flowed(of func(FlowSecond) int) []float64 {
	if len(t.run.Flow) == 0 {
		return nil
	}
	values := make([]float64, t.bins)
	for _, s := range t.run.Flow {
		at := int((time.Duration(s.Round) * t.round).Seconds()) + s.Second
		values[min(t.bins-1, at/t.width)] += float64(of(s)) / float64(t.width)
	}
	return values
}

// flowChart is what came back to clients that reconnect, when it came.
func (t timeline) flowChart(id string) *chart {
	sent := t.flowed(func(s FlowSecond) int { return s.Sent })
	if sent == nil {
		return nil
	}
	parts := []part{
		{"right", "ok", t.flowed(func(s FlowSecond) int { return s.OK })},
		{"refused", "shed", t.flowed(func(s FlowSecond) int { return s.Shed })},
		{"other", "failed", t.flowed(func(s FlowSecond) int { return s.Other })},
	}
	most := slices.Max(sent)
	for i := range sent {
		most = max(most, parts[0].values[i]+parts[1].values[i]+parts[2].values[i])
	}
	c := &chart{
		ID: id + "-flow", Title: "Answers to clients that reconnect, a second", Note: "Attempts by when their answer came; the line is what was sent.",
		X: clock(t.end()), Y: linear("attempts a second", most), Bands: t.bands(), Table: figures{Head: []string{"at", "sent/s", "right/s", "refused/s", "other/s"}},
	}
	c.stack(t.x(), parts)
	c.line("sent", "intended", t.x(), sent)
	for i := range sent {
		row := []string{moment(float64(i * t.width)), number(sent[i])}
		for _, p := range parts {
			row = append(row, number(p.values[i]))
		}
		c.Table.Rows = append(c.Table.Rows, row)
	}
	return c
}

// right are the right answers in each bin, a second: by when they came to clients
// that reconnect, else by when they were due.
func (t timeline) right() []float64 {
	if came := t.flowed(func(s FlowSecond) int { return s.OK }); came != nil {
		return came
	}
	return t.perSecond()[0]
}
