package loadtest

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// climbed is the record of a search that ended by itself, or by stop.
func (s *session) climbed(c *climb, points []Point, audit *Audit, stop *Stop, began time.Time, print Fingerprint) *Record {
	r := &Record{
		Version: RecordVersion, Command: "breakpoint", Scenario: s.spec.name, ScenarioHash: s.scenarioHash(), Fingerprint: print,
		Target: s.target.String(), Seed: s.Seed, People: len(s.deck.scene.users), Began: began.UTC(), Took: Millis(time.Since(began)),
		Rounds: 1, Steps: c.steps, Points: points, Audit: audit, Verdict: concluded(points, audit, stop), done: &finished{},
	}
	if s.watch.why != "" {
		r.Notes = append(r.Notes, "the load of other programs was not judged: "+s.watch.why)
	}
	r.Line = fmt.Sprintf("%-7s  ", r.Verdict.Word) + strings.Join(r.Verdict.Reasons, "; ")
	return r
}

// concluded is the verdict of a search: it passes if it found a rate at which
// every promise holds, and what breaks above, and if the server was right about its
// headroom, where that was asked.
func concluded(points []Point, audit *Audit, stop *Stop) Verdict {
	var v Verdict
	for _, p := range points {
		v.Reasons = append(v.Reasons, p.String())
	}
	if audit != nil {
		v.Reasons = append(v.Reasons, audit.String())
	}
	switch {
	case stop.Exit == ExitInterrupted:
		v.Exit, v.Word = ExitInterrupted, "INTERRUPTED"
	case stop.Exit != 0:
		if v.Exit, v.Word = stop.Exit, "INVALID"; stop.Exit == ExitViolated {
			v.Word = "FAIL"
		}
		v.Reasons = append([]string{stop.Error()}, v.Reasons...)
	case len(points) == 0 || points[0].Rate == 0:
		v.Exit, v.Word = ExitViolated, "FAIL"
	case audit != nil && !audit.holds():
		v.Exit, v.Word = ExitViolated, "FAIL"
		last := len(v.Reasons) - 1
		v.Reasons = append(v.Reasons[last:], v.Reasons[:last]...)
	default:
		v.Exit, v.Word = ExitPass, "FOUND"
	}
	return v
}

// String tells a point in one line.
func (p Point) String() string {
	switch {
	case p.Rate == 0 && p.Above == 0:
		return p.Name + ": not found"
	case p.Rate == 0:
		return fmt.Sprintf("%s: broken at every rate, down to %.0f/s: %s", p.Name, p.Above, p.Rule)
	case p.Above == 0:
		return fmt.Sprintf("%s: at least %.0f/s, the greatest rate tried", p.Name, p.Rate)
	}
	text := fmt.Sprintf("%s: %.0f/s; at %.0f/s %s", p.Name, p.Rate, p.Above, p.Rule)
	if p.Resource != "" {
		text += " (" + p.Resource + ")"
	}
	return text
}

func (r *Record) writeSteps(b *bytes.Buffer) {
	var rows [][]string
	for _, s := range r.Steps {
		cpu := "-"
		if s.CPU != nil && s.CPU.Seen {
			cpu = percent(min(1, s.CPU.Client+s.CPU.Server+s.CPU.Strangers))
		}
		broke := "-"
		switch {
		case len(s.Invalid) > 0:
			broke = s.Invalid[0]
		case len(s.Broke) > 0:
			broke = s.Broke[0].Rule
		}
		rows = append(rows, []string{
			fmt.Sprintf("%.1f/s", s.Rate), fmt.Sprintf("%.0f s", s.Seconds), fmt.Sprintf("%.1f", s.Goodput), fmt.Sprint(s.Shed),
			quantile(s.Response, s.Response.P50), quantile(s.Response, s.Response.P99), cpu, s.headroom(), broke,
		})
	}
	table(b, []string{"step", "for", "goodput/s", "shed", "response p50", "p99", "machine", "headroom", "what broke"}, rows)
}

// headroom is what the server would say of itself; a dash if it does not.
func (s Step) headroom() string {
	if s.Headroom == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f x", s.Headroom)
}
