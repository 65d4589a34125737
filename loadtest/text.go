package loadtest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// WriteText writes the report for a person, the verdict last.
func (r *Record) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nsurge %s  %s  %d people  seed %d  %s", r.Scenario, r.Target, r.People, r.Seed, short(time.Duration(r.Took)))
	if r.Rounds > 1 {
		fmt.Fprintf(&b, "  %d rounds", r.Rounds)
	}
	b.WriteString("\n")
	r.writeCalibration(&b)
	r.writeSteps(&b)
	r.writePhases(&b)
	r.writeOperations(&b)
	r.writeWork(&b)
	r.writeKinds(&b)
	r.writeReasons(&b)
	r.writeGenerator(&b)
	r.writeObjectives(&b)
	b.WriteString("\n")
	if len(r.Verdict.Reasons) > 1 || len(r.Verdict.Reasons) == 1 && r.Verdict.Word == "FAIL" {
		for _, reason := range r.Verdict.Reasons {
			fmt.Fprintf(&b, "        %s\n", reason)
		}
	}
	b.WriteString(r.Line + "\n")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *Record) writeCalibration(b *bytes.Buffer) {
	if r.Calibration == nil {
		return
	}
	for _, measured := range []struct {
		name     string
		capacity Capacity
		sent     float64
	}{{"reports", r.Calibration.Reports, r.sentRates().Reports}, {"interactive", r.Calibration.Interactive, r.sentRates().Interactive}} {
		c := measured.capacity
		if c.Clients == 0 {
			continue
		}
		fmt.Fprintf(b, "the server does %.1f %s/s (%d at a time, p50 %s)", c.PerSecond, measured.name, c.Clients, short(time.Duration(c.Median)))
		if measured.sent > 0 {
			fmt.Fprintf(b, "; sent: %.1f/s", measured.sent)
		}
		b.WriteString("\n")
	}
}

func (r *Record) sentRates() Rates {
	if r.Rates == nil {
		return Rates{}
	}
	return *r.Rates
}

// table lays out rows under a header: the first column to the left, the others
// to the right.
func table(b *bytes.Buffer, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n")
	widths := make([]int, len(header))
	for _, row := range append(rows, header) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(b, "%-*s", widths[i], cell)
				continue
			}
			fmt.Fprintf(b, "  %*s", widths[i], cell)
		}
		b.WriteString("\n")
	}
}

func (r *Record) writePhases(b *bytes.Buffer) {
	var rows [][]string
	for _, p := range r.Phases {
		other := p.Planned - p.Outcomes["unsent"] - p.Outcomes["ok"] - p.Outcomes["shed"]
		rows = append(rows, []string{
			p.Phase + " " + string(p.Class), fmt.Sprint(p.Planned), fmt.Sprintf("%.1f", p.PerSecond),
			fmt.Sprint(p.Outcomes["ok"]), fmt.Sprint(p.Outcomes["shed"]), fmt.Sprint(other),
			quantile(p.Response, p.Response.P50), quantile(p.Response, p.Response.P95), quantile(p.Response, p.Response.P99),
			quantile(p.Service, p.Service.P50), quantile(p.Service, p.Service.P99),
			quantile(p.Server, p.Server.P50), quantile(p.Server, p.Server.P99), quantile(p.Shed, p.Shed.P99),
		})
	}
	table(b, strings.Split("phase,due,/s,ok,shed,other,response p50,p95,p99,service p50,p99,server p50,p99,shed p99", ","), rows)
}

func quantile(of Quantiles, value Millis) string {
	if of.Samples == 0 {
		return "-"
	}
	return short(time.Duration(value))
}

func (r *Record) writeOperations(b *bytes.Buffer) {
	var rows [][]string
	for _, o := range r.Operations {
		rows = append(rows, []string{
			o.Operation, fmt.Sprint(o.Sent), fmt.Sprint(o.OK),
			quantile(o.Response, o.Response.P50), quantile(o.Response, o.Response.P99), quantile(o.Response, o.Response.Max),
			quantile(o.Server, o.Server.P50), o.points(),
		})
	}
	table(b, []string{"operation", "sent", "ok", "response p50", "p99", "max", "server p50", "points"}, rows)
	for _, p := range r.Phases {
		if p.Judged && p.Refused > 0 {
			fmt.Fprintf(b, "phase %s: %d %s answers held userErrors, which is business as usual\n", p.Phase, p.Refused, p.Class)
		}
	}
}

// points are what the server says an operation took; a dash if it does not.
func (o OperationRecord) points() string {
	if o.Points == 0 {
		return "-"
	}
	return number(o.Points)
}

// writeWork says what the server did for an operation, by its own counters.
func (r *Record) writeWork(b *bytes.Buffer) {
	work := r.workTable()
	table(b, append([]string{"server's work"}, work.Head[1:]...), work.Rows)
}

// mostReasons is how many reasons the text shows; the files hold them all.
const mostReasons = 8

func (r *Record) writeReasons(b *bytes.Buffer) {
	var rows [][]string
	for _, reason := range r.Reasons[:min(len(r.Reasons), mostReasons)] {
		rows = append(rows, []string{reason.Operation, reason.Outcome, fmt.Sprint(reason.Count), reason.Reason})
	}
	table(b, []string{"not ok", "outcome", "count", "reason"}, rows)
}

func (r *Record) writeGenerator(b *bytes.Buffer) {
	var rows [][]string
	for _, v := range r.Verdict.Vitals {
		client, server, strangers := "-", "-", "-"
		if v.CPU != nil {
			client = percent(v.CPU.Client)
		}
		if v.CPU != nil && v.CPU.Seen {
			server, strangers = percent(v.CPU.Server), percent(v.CPU.Strangers)
		}
		rows = append(rows, []string{
			v.Phase, fmt.Sprintf("%d of %d", v.Sent, v.Planned),
			short(time.Duration(v.Lag.P50)), short(time.Duration(max(v.Lag.P99, v.Burst.P99))), client, server, strangers,
		})
	}
	table(b, []string{"generator", "sent", "lag p50", "p99", "CPU: ours", "server's", "others'"}, rows)
	for _, note := range r.Notes {
		fmt.Fprintln(b, note)
	}
}

func (r *Record) writeObjectives(b *bytes.Buffer) {
	var rows [][]string
	for _, result := range r.Verdict.Results {
		decision := string(result.Decision)
		if result.Proven {
			decision += ", proven"
		}
		rows = append(rows, []string{
			string(result.Class) + " " + result.Objective, result.Observed,
			fmt.Sprint(result.Bad), fmt.Sprint(result.Samples), fmt.Sprintf("%.0f", result.Effective), decision,
		})
	}
	table(b, []string{"objective", "observed", "bad", "samples", "effective", "decision"}, rows)
	if recovery := r.Verdict.Recovery; recovery != nil {
		fmt.Fprintf(b, "after the storm: %s (<= %s)\n", recovery, short(time.Duration(recovery.Within)))
	}
}
