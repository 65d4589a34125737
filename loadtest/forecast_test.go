package loadtest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// usageOf is the CSV of weeks whose peak grows by so much a week.
func usageOf(weeks int, perMinute, growth float64) string {
	var b strings.Builder
	b.WriteString("week,workspace,peak_minute,entries\n")
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for w := range weeks {
		peak := perMinute * math.Exp(growth*float64(w))
		fmt.Fprintf(&b, "%s,all,%.0f,%d\n%[1]s,17,%.0[2]f,%d\n", start.AddDate(0, 0, 7*w).Format(time.DateOnly), peak, 100_000+1000*w, 5)
	}
	return b.String()
}

// found is a stored search with a breakpoint and the steps of a server that
// follows the scaling law.
func found(entries int, rate float64) *Record {
	r := &Record{Command: "breakpoint", Scenario: "baseline", Fingerprint: testFingerprint(), Points: []Point{{Name: pointAll, Rate: rate / 2}, {Name: pointInteractive, Rate: rate}}}
	r.Fingerprint.Data.Entries = entries
	for _, s := range stepsOf(scaling{Lambda: 100, Sigma: 0.05, Kappa: 0.001}, 0, 1, 2, 4, 8, 16, 24, 32, 48, 64) {
		r.Steps = append(r.Steps, Step{Goodput: s.Goodput, Service: Millis(s.Mean * float64(time.Second))})
	}
	return r
}

func TestForecast(t *testing.T) {
	now := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	runs := []*Record{found(100_000, 800), found(300_000, 500), found(1_000_000, 300)}
	f, err := NewForecast(runs, strings.NewReader(usageOf(29, 6000, 0.01)), Plan{Factor: 2, Target: 2}, now)
	if err != nil {
		t.Fatal(err)
	}
	peak := 100 * math.Exp(0.28)
	if math.Abs(f.Headroom-800/(2*peak)) > 0.01 || f.Exit != ExitPass || f.Median == nil || !f.Median.After(now) {
		t.Errorf("headroom %v, exit %d, median %v", f.Headroom, f.Exit, f.Median)
	}
	if f.Scaling == nil || math.Abs(f.Scaling.Sigma-0.05) > 0.001 {
		t.Errorf("scaling %+v: %s", f.Scaling, f.NoFit)
	}
	if tight, err := NewForecast(runs, strings.NewReader(usageOf(29, 6000, 0.01)), Plan{Factor: 2, Target: 4}, now); err != nil || tight.Exit != ExitHeadroom {
		t.Errorf("4 x wanted: %+v, %v", tight, err)
	}
	var text, page bytes.Buffer
	if err := errors.Join(f.WriteText(&text), (&Study{Forecast: f}).WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"headroom 3.02 x", "used up: earliest", "+68 % a year", "10 x"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, text.String())
		}
	}
	if !strings.Contains(page.String(), "What is wanted, and what the server bears") || strings.Contains(page.String(), "NaN") || strings.Contains(page.String(), "Inf") {
		t.Error("the page lacks the picture, or has no numbers in it")
	}
}

func TestForecastRefuses(t *testing.T) {
	now := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	usage := usageOf(29, 6000, 0.01)
	other := found(300_000, 500)
	other.Fingerprint.Machine.Processors = 64
	for _, test := range []struct {
		name  string
		runs  []*Record
		usage string
		says  string
	}{
		{"a search cut short in its first point", []*Record{stopped(1)}, usage, "came to an end"},
		{"a week twice", []*Record{found(100_000, 800)}, usage + "2026-03-02,all,6000,5\n", "line 60 of the usage: the week of 2026-03-02 stands there twice"},
		{"tenants alone", []*Record{found(100_000, 800)}, strings.ReplaceAll(usage, ",all,", ",18,"), "no lines of all workspaces"},
		{"less than nothing", []*Record{found(100_000, 800)}, "2026-01-05,all,-1,5\n", "line 1 of the usage"},
		{"not a number", []*Record{found(100_000, 800)}, "2026-01-05,all,NaN,5\n", "line 1 of the usage"},
		{"a run that was no search", []*Record{{Fingerprint: testFingerprint()}}, usage, "found no breakpoint"},
		{"another machine", []*Record{found(100_000, 800), other}, usage, "processors: 2 and 64"},
		{"the same data twice", []*Record{found(100_000, 800), found(100_000, 700)}, usage, "the same data"},
		{"few weeks", []*Record{found(100_000, 800)}, usageOf(3, 6000, 0.01), "fewer than 4 weeks"},
		{"no numbers", []*Record{found(100_000, 800)}, "2026-01-05,all,many,5\n", "line 1 of the usage"},
		{"another file", []*Record{found(100_000, 800)}, "a,b\n", "week,workspace,peak_minute,entries"},
		{"no runs", nil, usage, "no breakpoint"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewForecast(test.runs, strings.NewReader(test.usage), Plan{Factor: 1}, now)
			if err == nil || ExitOf(err) != ExitUsage || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

// stopped is a search that was interrupted while it sought one of its points.
func stopped(points int) *Record {
	r := found(100_000, 800)
	r.Verdict.Exit, r.Points = ExitInterrupted, r.Points[:points]
	return r
}

// The point at which a search was stopped may lie too high: the one before it counts.
func TestForecastOfASearchCutShort(t *testing.T) {
	now := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	f, err := NewForecast([]*Record{stopped(2)}, strings.NewReader(usageOf(29, 6000, 0)), Plan{Factor: 1, Target: 2}, now)
	if err != nil || f.bears(1) != 400 {
		t.Errorf("%+v, %v; want the 400 a second that were confirmed", f, err)
	}
}

func TestForecastRefusesPlans(t *testing.T) {
	for name, plan := range map[string]Plan{
		"peak": {Peak: math.NaN(), Factor: 1}, "failover factor": {Factor: math.Inf(1)}, "headroom wanted": {Factor: 1, Target: math.NaN()},
	} {
		_, err := NewForecast([]*Record{found(100_000, 800)}, strings.NewReader(usageOf(29, 6000, 0)), plan, time.Now())
		if err == nil || ExitOf(err) != ExitUsage || !strings.Contains(err.Error(), "a "+name+" of") {
			t.Errorf("%+v: %v, want that the %s is refused", plan, err, name)
		}
	}
}

// The week that goes on is left out: its busiest minute may be still to come.
func TestForecastLeavesOutTheWeekThatGoesOn(t *testing.T) {
	weeks, err := readUsage(strings.NewReader(usageOf(5, 600, 0)), time.Date(2026, 2, 4, 0, 0, 0, 0, time.UTC))
	if err != nil || len(weeks) != 4 || weeks[0].Peak != 10 {
		t.Errorf("%+v, %v; want 4 weeks of 10 a second", weeks, err)
	}
}
