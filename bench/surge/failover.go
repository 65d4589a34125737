package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"headroom/loadtest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"bench/lab"
)

// failedOver is one run of a crowd that comes back, as surge stored it.
type failedOver struct {
	Limits      string
	Line        string // the verdict
	Calibration *loadtest.Calibration
	Verdict     loadtest.Verdict
	Kinds       []loadtest.Kind
	Flow        []loadtest.FlowSecond
	Gate        []loadtest.GateMoment // of the interactive class
	Reasons     []loadtest.Reason
}

// failover sends the scenario of that name to a real server, with limits and without,
// on data that have a person for each client.
func (g *goes) failover(ctx context.Context, o options, b *bed) error {
	program, data, tokens, err := b.company(ctx, cmp.Or(o.data, b.fresh("data")), 750_000, 300)
	if err != nil {
		return err
	}
	out := b.fresh("out")
	defer os.RemoveAll(out)
	run := exec.CommandContext(ctx, b.surge, "run", "failover", "--tokens", tokens, "--out", out, "--seed", fmt.Sprint(b.seed),
		"--twice", "--serve", program+" serve --no-demo --log-level warn --data-dir "+data)
	run.Stdout, run.Stderr = os.Stderr, os.Stderr
	failed := run.Run()
	if run.ProcessState == nil {
		return failed
	}
	for _, limits := range []string{"on", "off"} {
		r, err := loadtest.ReadRecord(filepath.Join(out, limits))
		if err != nil {
			return errors.Join(failed, err)
		}
		f := failedOver{Limits: limits, Line: r.Line, Calibration: r.Calibration, Verdict: r.Verdict, Kinds: r.Kinds, Flow: r.Flow, Reasons: r.Reasons}
		for _, moment := range r.Gate {
			if moment.Class == loadtest.ClassInteractive {
				f.Gate = append(f.Gate, moment)
			}
		}
		g.Failovers = append(g.Failovers, f)
	}
	return nil // what surge thinks of it is what is published
}

// publishFailover writes the page and the picture of the crowd.
func publishFailover(o options) error {
	list, err := read(o.out, "failover")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(`# A crowd comes back: measured

Written by ` + "`cd bench && go run ./surge failover`" + `; do not edit. Raw figures are in
[surge-runs/failover.json](surge-runs/failover.json); what is sent and promised is in
[load testing](../load-testing.md#the-other-site-is-lost).

![Right answers and refusals, second by second, with limits and without](surge-failover.svg)
`)
	for _, g := range list {
		g.writeFailover(&b)
	}
	if err := os.WriteFile(filepath.Join(o.out, "surge-failover.md"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "surge-failover.svg"), []byte(list[len(list)-1].crowdPicture()), 0o644)
}

func (g *goes) writeFailover(b *strings.Builder) {
	m := g.Machine
	changed := ""
	if !m.Clean {
		changed = " with changes"
	}
	fmt.Fprintf(b, "\n## %s, commit %s%s\n\n`%s`, %d cores of %s, load before %s.\n", m.Date.Format("2 January 2006 15:04 MST"), m.Commit, changed, m.Command, m.Cores, m.CPU, m.Load)
	if len(g.Failovers) == 0 {
		return
	}
	fmt.Fprintf(b, "The server did %.0f of the crowd's operations a second for %d clients, without limits.\n",
		g.Failovers[0].Calibration.Interactive.PerSecond, g.Failovers[0].Calibration.Interactive.Clients)
	b.WriteString("\n| limits | clients | came | got all six | half of these within | 99 % within | attempts an operation | useful work |\n|---|---|---|---|---|---|---|---|\n")
	for _, f := range g.Failovers {
		for _, k := range f.Kinds {
			fmt.Fprintf(b, "| %s | %s | %d | %.1f %% | %s | %s | %.2f | %.0f %% |\n", f.Limits, k.Client, k.Clients, 100*float64(k.Served)/float64(max(1, k.Clients)),
				seconds(k, k.Response.P50), seconds(k, k.Response.P99), float64(k.Attempts)/float64(max(1, k.Operations)), 100*k.Useful)
		}
	}
	b.WriteString("\n| limits | promise | seen | |\n|---|---|---|---|\n")
	for _, f := range g.Failovers {
		for _, r := range f.Verdict.Results {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.Limits, r.Objective, r.Observed, yes(r.Decision == loadtest.Met))
		}
		if r := f.Verdict.Recovery; r != nil {
			fmt.Fprintf(b, "| %s | back in bound within %s | %s | %s |\n", f.Limits, time.Duration(r.Within), after(r), yes(r.Back && r.After <= r.Within))
		}
	}
	b.WriteString("\n")
	for _, f := range g.Failovers {
		fmt.Fprintf(b, "- Limits %s: **%s**", f.Limits, f.Verdict.Word)
		if len(f.Verdict.Reasons) > 0 {
			fmt.Fprintf(b, ". %s", strings.Join(f.Verdict.Reasons, "; "))
		}
		for _, v := range f.Verdict.Vitals {
			if v.CPU != nil {
				fmt.Fprintf(b, ". Processors in the %s: the server's %.0f %%, surge's %.0f %%, others' %.1f %%; lag in the burst p99 %.0f ms", v.Phase, 100*v.CPU.Server, 100*v.CPU.Client, 100*v.CPU.Strangers, ms(v.Burst.P99))
			}
		}
		b.WriteString(".\n")
	}
}

// seconds is a time of those who were served, if anybody was.
func seconds(k loadtest.Kind, t loadtest.Millis) string {
	if k.Served == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f s", time.Duration(t).Seconds())
}

func after(r *loadtest.Recovery) string {
	if !r.Back {
		return "never"
	}
	return fmt.Sprintf("%.1f s", time.Duration(r.After).Seconds())
}

// crowdPicture is what came back to the clients, with limits and without.
func (g *goes) crowdPicture() string {
	marks := []float64{0, 20, 40, 60, 80}
	right := lab.Chart{Title: "Right answers a second", Across: "seconds; everybody comes back at 10", Marks: marks, Low: 1, Top: 10_000}
	other := lab.Chart{Title: "Refused, failed and timed out a second", Across: "seconds", Marks: marks, Low: 1, Top: 10_000}
	for _, f := range g.Failovers {
		good, bad := lab.Line{Name: "limits " + f.Limits}, lab.Line{Name: "limits " + f.Limits}
		for _, s := range f.Flow {
			at := float64(s.Second) + 0.5
			good.X, good.Y = append(good.X, at), append(good.Y, float64(s.OK))
			bad.X, bad.Y = append(bad.X, at), append(bad.Y, float64(s.Shed+s.Other))
		}
		right.Lines, other.Lines = append(right.Lines, good), append(other.Lines, bad)
	}
	return lab.Picture([]lab.Chart{right, other})
}

// company builds headroom and seeds data for it if there are none yet.
func (b *bed) company(ctx context.Context, data string, entries, tenants int) (program, folder, tokens string, err error) {
	if program, err = b.build(ctx, "headroom"); err != nil {
		return "", "", "", err
	}
	if folder, err = filepath.Abs(data); err != nil {
		return "", "", "", err
	}
	tokens = folder + "-tokens.csv"
	if _, err := os.Stat(tokens); !errors.Is(err, os.ErrNotExist) {
		return program, folder, tokens, err
	}
	seed := exec.CommandContext(ctx, program, "seed", "--data-dir", folder, "--entries", fmt.Sprint(entries), "--tenants", fmt.Sprint(tenants), "--tokens", tokens)
	if out, err := seed.CombinedOutput(); err != nil {
		return "", "", "", fmt.Errorf("seed: %w\n%s", err, out)
	}
	return program, folder, tokens, nil
}
