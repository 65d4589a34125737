package loadtest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
)

// Pair is one storm sent twice: to a server that protects itself, and to the
// same server told not to. The second must fail, or the storm was none.
type Pair struct {
	On, Off *Record // nil if it did not come to that
	Exit    Exit
	Worse   []string // kinds of clients of whom fewer were served with limits than without
	order   []string
}

// Twice runs a report storm against servers that it starts itself with the
// command line serve. Calibration happens once, on a server of its own without
// limits, so that both runs get the same arrivals; the seed draws their order.
func Twice(ctx context.Context, c Config, serve string) (*Pair, error) {
	if c.Target != "" || c.Admin != "" {
		return nil, stopf(ExitUsage, "a server that surge starts itself has no target: leave --target and --admin away")
	}
	calibration, err := calibrateFor(ctx, c, serve)
	if err != nil {
		return nil, err
	}
	pair := &Pair{order: order(c.Seed)}
	for _, limits := range pair.order {
		report, err := c.against(ctx, serve, limits, calibration)
		if err != nil {
			return nil, fmt.Errorf("with limits %s: %w", limits, err)
		}
		if limits == "on" {
			pair.On = report
		} else {
			pair.Off = report
		}
		if ctx.Err() != nil {
			break
		}
	}
	pair.conclude()
	if c.Out != "" && pair.On != nil && pair.Off != nil {
		return pair, pair.writePage(filepath.Join(c.Out, pairFile))
	}
	return pair, nil
}

// pairFile shows both runs on one page.
const pairFile = "both.html"

// writePage puts both runs on one page.
func (p *Pair) writePage(path string) error {
	study := NewStudy([]*Record{p.On, p.Off}, []string{"limits on", "limits off"})
	if err := writeFile(path, study.WriteHTML); err != nil {
		return fmt.Errorf("write the page of both runs: %w", err)
	}
	return nil
}

// conclude judges the pair: beside both verdicts, no kind of client may be worse
// off with the limits.
func (p *Pair) conclude() {
	p.Exit = bothExit(p.On, p.Off)
	if p.Exit != ExitPass {
		return
	}
	for _, both := range p.kinds() {
		if both.on.share() <= both.off.share() && both.on.share() < 1 {
			p.Worse = append(p.Worse, both.on.Client)
			p.Exit = ExitViolated
		}
	}
}

// order alternates by seed which run comes first, so that over many pairs
// neither has the warmer machine.
func order(seed uint64) []string {
	if rand.New(rand.NewPCG(seed, orderDomain)).IntN(2) == 0 {
		return []string{"on", "off"}
	}
	return []string{"off", "on"}
}

// orderDomain keeps the drawing of the order apart from other draws.
const orderDomain = 3 << 62

// calibrateFor measures what a server can do that refuses nothing.
func calibrateFor(ctx context.Context, c Config, serve string) (*Calibration, error) {
	c.Out = ""
	var calibration Calibration
	err := c.with(ctx, serve, "off", func(s *session) error {
		wanted := s.spec.measures()
		if len(wanted) == 0 {
			return nil
		}
		var err error
		calibration, err = s.calibrate(ctx, wanted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	return &calibration, nil
}

// against runs the storm on a fresh server.
func (c Config) against(ctx context.Context, serve, limits string, calibration *Calibration) (*Record, error) {
	if c.Out != "" {
		c.Out = filepath.Join(c.Out, limits)
	}
	var report *Record
	err := c.with(ctx, serve, limits, func(s *session) error {
		s.say("the storm with limits %s", limits)
		var err error
		report, err = s.run(ctx, calibration)
		return err
	})
	return report, err
}

// with starts a server, opens a session on it, and stops it afterwards.
func (c Config) with(ctx context.Context, serve, limits string, use func(*session) error) error {
	server, err := startServer(ctx, serve, limits)
	if err != nil {
		return err
	}
	defer server.stop()
	c.Target, c.Admin = server.target, server.admin
	s, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer s.client.close()
	return use(s)
}

// bothExit passes only for exactly a pass with limits and a violation without.
func bothExit(on, off *Record) Exit {
	if on == nil || off == nil {
		return ExitInterrupted
	}
	with, without := on.Verdict.Exit, off.Verdict.Exit
	switch {
	case with == ExitInterrupted || without == ExitInterrupted:
		return ExitInterrupted
	case with == ExitPass && without == ExitViolated:
		return ExitPass
	case with == ExitInvalid || without == ExitInvalid:
		return ExitInvalid
	}
	return ExitViolated
}

// WriteText writes both reports in the order in which they ran, and the two
// verdicts last.
func (p *Pair) WriteText(w io.Writer) error {
	reports := map[string]*Record{"on": p.On, "off": p.Off}
	for _, limits := range p.order {
		if report := reports[limits]; report != nil {
			fmt.Fprintf(w, "\n--limits %s", limits)
			if err := report.WriteText(w); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(w)
	if err := p.writeKinds(w); err != nil {
		return err
	}
	for _, limits := range []string{"on", "off"} {
		if report := reports[limits]; report != nil {
			fmt.Fprintf(w, "limits %-3s  %s\n", limits, report.Line)
		}
	}
	_, err := fmt.Fprintln(w, p.conclusion())
	return err
}

func (p *Pair) conclusion() string {
	switch p.Exit {
	case ExitPass:
		return "PASS     the limits hold what fails without them"
	case ExitInterrupted:
		return "INTERRUPTED"
	case ExitInvalid:
		return "INVALID  a run that proves nothing, proves nothing about the other"
	}
	if p.On.Verdict.Exit != ExitPass {
		return "FAIL     the limits do not hold"
	}
	if len(p.Worse) > 0 {
		return "FAIL     no more of the clients that are " + strings.Join(p.Worse, ", ") + " are served with the limits than without"
	}
	return "FAIL     it passes without limits too: the storm was none"
}
