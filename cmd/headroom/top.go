package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"headroom/server"
)

// TopCmd shows who asks for most and what the gate does about it.
type TopCmd struct {
	Operators
	By    string        `default:"work" enum:"work,asked,refused" help:"Order of tenants, operations and clients: by work done, points asked for, or refusals."`
	Once  bool          `help:"Print once and end."`
	JSON  bool          `name:"json" help:"Print JSON, a line each time."`
	Every time.Duration `default:"1s" help:"How often to look." placeholder:"DURATION"`
}

// Run looks until it is interrupted; where the output is no terminal, once. What
// several servers say is one picture.
func (c *TopCmd) Run(env *environment) error {
	if c.Every < 100*time.Millisecond {
		return fmt.Errorf("--every is at least 100ms")
	}
	once := c.Once || !c.JSON && !terminal(env.stdout)
	for {
		looks, err := c.look(env.ctx)
		if err == nil {
			err = c.show(env.stdout, looks, once)
		}
		if err != nil || once {
			return err
		}
		select {
		case <-env.ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
	}
}

func terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// clearScreen moves to the top left and forgets what is below.
const clearScreen = "\x1b[H\x1b[2J"

func (c *TopCmd) show(out io.Writer, looks []look, once bool) error {
	v := together(looks, c.By)
	if c.JSON {
		return json.NewEncoder(out).Encode(v)
	}
	var page strings.Builder
	if !once {
		page.WriteString(clearScreen)
	}
	renderTop(&page, v, looks)
	_, err := io.WriteString(out, page.String())
	return err
}

// renderTop draws the page.
func renderTop(out io.Writer, v server.LimitsView, looks []look) {
	fmt.Fprintln(out, headline(v))
	fmt.Fprintln(out, culprit(v)) // the second line, as the runbooks say
	for _, o := range v.Orders {
		fmt.Fprintln(out, inForce(o))
	}
	renderServers(out, looks)
	renderClasses(out, v)
	for _, table := range []struct {
		name string
		rows []server.SpenderView
	}{{"TENANT", v.Tenants}, {"OPERATION", v.Operations}, {"CLIENT", v.Clients}} {
		renderSpenders(out, table.name, table.rows)
	}
	renderRunning(out, v.Running)
	renderDecisions(out, v.Decisions)
	renderChanges(out, v.Changes)
}

func headline(v server.LimitsView) string {
	parts := []string{v.At.Format(time.TimeOnly) + " UTC"}
	if h := v.Headroom; h != nil {
		parts = append(parts, fmt.Sprintf("headroom %.1f", h.Ratio))
	}
	parts = append(parts, "gate "+v.Gate, plural(v.Cores, "core"))
	if v.Servers > 0 {
		parts = append(parts, plural(v.Servers, "server"))
	}
	parts = append(parts, fmt.Sprintf("slowdown %.1f", v.Slowdown))
	if v.Slots.Taken != nil {
		parts = append(parts, fmt.Sprintf("report slots %d of %d", *v.Slots.Taken, v.Slots.All))
	}
	if v.Crowded {
		parts = append(parts, fmt.Sprintf("CROWD: %.0f %% of the clients are served", 100*v.Kept))
	}
	if v.Brownout != "" {
		rung := "BROWNOUT " + v.Brownout
		if v.BrownoutOf != "" {
			rung += " of workspace " + v.BrownoutOf
		}
		parts = append(parts, rung)
	}
	if !v.DatabaseUp {
		parts = append(parts, "THE DATABASE IS AWAY")
	}
	if v.Draining {
		parts = append(parts, "DRAINING")
	}
	return strings.Join(parts, " · ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// culprit names who asked for most, and how to block them where others suffer.
func culprit(v server.LimitsView) string {
	if len(v.Askers) == 0 {
		return "nobody asked for anything in the last minute"
	}
	c := &v.Askers[0]
	refused := int64(0)
	for _, t := range v.Tenants {
		refused += t.Refused
	}
	text := printable(fmt.Sprintf("most asked for: %s · %s · %s: %.0f %% of the points of the last minute, %d ran, %d refused", tenant(*c), c.Operation, c.Client, 100*c.Share, c.Ran, c.Refused))
	switch {
	case c.Blocked:
		text += ", blocked now"
	case refused > 0 && c.Share >= 0.5 && c.Block != "":
		text += fmt.Sprintf("\n  headroom gate block %s --for 10m --reason TEXT", printable(c.Block))
	}
	return text
}

func tenant(s server.SpenderView) string {
	if s.WorkspaceID == 0 {
		return s.Workspace
	}
	return fmt.Sprintf("%s (%d)", s.Workspace, s.WorkspaceID)
}

func renderClasses(out io.Writer, v server.LimitsView) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nCLASS\tSEATS\tBUSY\tQUEUED\tRAN/s\tREFUSED/s\tHOLDS A SEAT\tABSORBED IN\t")
	for i, c := range v.Classes {
		ran, refused := 0, 0
		for _, s := range v.Seconds {
			ran, refused = ran+s.Ran[i], refused+s.Refused[i]
		}
		n := float64(max(1, len(v.Seconds)))
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%s\t%s\t\n", c.Class, c.Seats, c.Busy, c.Queued, float64(ran)/n, float64(refused)/n, known(c.HeldMs), known(c.AbsorbMs))
	}
	flush(w)
}

// known is shortMs of what may be nothing.
func known(ms float64) string {
	if ms == 0 {
		return "–"
	}
	return shortMs(ms)
}

// shortMs is a time given in milliseconds, as short as it makes sense.
func shortMs(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 120_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f min", ms/60_000)
}

func renderSpenders(out io.Writer, name string, rows []server.SpenderView) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n%-42s\tASKED\tWORK\tRAN\tREFUSED\tLATE\n", name)
	if len(rows) == 0 {
		fmt.Fprintln(w, "nobody")
	}
	for _, r := range rows[:min(len(rows), 5)] {
		label := tenant(r)
		switch name {
		case "OPERATION":
			label = r.Operation
		case "CLIENT":
			label = r.Client
		}
		fmt.Fprintf(w, "%-42s\t%.0f %%\t%s\t%d\t%d\t%d\n", cut(label, 42), 100*r.Share, shortMs(r.Work), r.Ran, r.Refused, r.Late)
	}
	flush(w)
}

// cut shortens what a client has called itself.
func cut(text string, most int) string {
	runes := []rune(printable(text))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

func renderRunning(out io.Writer, rows []server.RunningView) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out, "\nRUNNING LONGEST")
	for _, r := range rows[:min(len(rows), 3)] {
		fmt.Fprintf(out, "%s  %s  %s · %s · %s  request %s\n", shortMs(r.Ms), r.Class, cut(r.Workspace, 30), cut(r.Operation, 42), cut(r.Client, 30), printable(r.Request))
	}
}

func renderDecisions(out io.Writer, rows []server.DecisionView) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out, "\nLAST DECISIONS")
	for _, d := range rows[:min(len(rows), 8)] {
		fmt.Fprintf(out, "%s  %s %d x %s %s · %s · %s: %s\n", d.At.Format(time.TimeOnly), d.Verdict, d.Count, d.Class, cut(d.Workspace, 30), cut(d.Operation, 42), cut(d.Client, 30), d.Why)
	}
}

func renderChanges(out io.Writer, rows []server.DecisionView) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out, "\nWHAT CHANGED IN THE GATE")
	for _, d := range rows[:min(len(rows), 5)] {
		fmt.Fprintf(out, "%s  %s\n", d.At.Format(time.TimeOnly), printable(d.Why))
	}
}

// flush writes a table; what it is written into does not fail.
func flush(w *tabwriter.Writer) { _ = w.Flush() }
