package loadtest

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines collects what a run says while it goes on.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestRunFailsAServerOfErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var progress lines
	report, err := Run(t.Context(), Config{
		Scenario: "smoke", Duration: time.Second, Rate: 50, Out: dir, Progress: &progress, Terminal: true,
		Target: fake(t, func(w http.ResponseWriter, _ *http.Request, _ asked) {
			w.WriteHeader(http.StatusInternalServerError)
			say(w, `{"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict.Exit != ExitViolated {
		t.Errorf("exit %d (%q), want %d", report.Verdict.Exit, report.Verdict.Reasons, ExitViolated)
	}
	if report.Reasons[0].Reason != "500 INTERNAL_SERVER_ERROR" {
		t.Errorf("reasons %+v, want the server's code", report.Reasons)
	}
	for _, name := range []string{runFile, "report.txt", resultsFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.Contains(progress.String(), "smoke 1/1 s") && !strings.Contains(progress.String(), "warm 1/3 s") {
		t.Errorf("progress %q tells nothing", progress.String())
	}
}

func TestRunNeverPassesOnFewSamples(t *testing.T) {
	t.Parallel()
	report, err := Run(t.Context(), Config{Scenario: "smoke", Duration: time.Second, Rate: 50, Target: fake(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict.Exit == ExitPass {
		t.Error("a second of 50 arrivals passes")
	}
	ok := report.Verdict.Results[2]
	if ok.Objective != "ok >= 99.9 %" || ok.Decision != Undecided || ok.Needs != 2995 {
		t.Errorf("%s is %s and needs %d, want ok >= 99.9 %% undecided and in need of 2995", ok.Objective, ok.Decision, ok.Needs)
	}
}

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	report, err := Run(ctx, Config{Scenario: "smoke", Target: fake(t, func(w http.ResponseWriter, _ *http.Request, a asked) {
		right(w, a)
		once.Do(func() { time.AfterFunc(100*time.Millisecond, cancel) })
	})})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if report.Verdict.Exit != ExitInterrupted || !strings.Contains(text.String(), "INTERRUPTED") || !strings.Contains(text.String(), "MyDay") && report.Phases[0].Outcomes["ok"] == 0 {
		t.Errorf("exit %d, want %d with a partial report:\n%s", report.Verdict.Exit, ExitInterrupted, text.String())
	}
}

// One seat, 100 ms a report: no more than ten a second can come back.
func TestClosedLoop(t *testing.T) {
	t.Parallel()
	s := testSession(t, fake(t, hall(true)))
	got, err := s.closedLoop(t.Context(), ClassReport, []Weighted{{yearsReport, 1}}, 2, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if got.PerSecond <= 0 || got.PerSecond > 11 || time.Duration(got.Median) < 100*time.Millisecond || got.Clients != 2 {
		t.Errorf("%.1f reports a second with %d clients, median %v; want at most 10 of at least 100ms", got.PerSecond, got.Clients, time.Duration(got.Median))
	}
}

func TestClosedLoopWithoutAnswers(t *testing.T) {
	t.Parallel()
	s := testSession(t, fake(t, func(w http.ResponseWriter, _ *http.Request, _ asked) { refuse(w) }))
	got, err := s.closedLoop(t.Context(), ClassReport, []Weighted{{yearsReport, 1}}, 2, 100*time.Millisecond)
	if err != nil || got.PerSecond != 0 {
		t.Fatalf("%+v, %v, want a rate of 0", got, err)
	}
	if err := got.nothing(); ExitOf(err) != ExitViolated || !strings.Contains(err.Error(), "OVERLOADED") {
		t.Errorf("error %v, want a violation that names OVERLOADED", err)
	}
}

func TestClosedLoopInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := testSession(t, fake(t, func(_ http.ResponseWriter, r *http.Request, _ asked) {
		cancel()
		<-r.Context().Done()
	}))
	if _, err := s.closedLoop(ctx, ClassReport, []Weighted{{yearsReport, 1}}, 2, time.Hour); ExitOf(err) != ExitInterrupted || err == nil {
		t.Errorf("error %v, want exit %d", err, ExitInterrupted)
	}
}

// A hall with limits sheds reports and keeps interactive work whole; without,
// the same load cannot all be answered at once.
func TestStormAgainstAHall(t *testing.T) {
	t.Parallel()
	s := testSession(t, fake(t, hall(true)))
	a := s.send(t, t.Context(), 2000, stormPhase(time.Second, 100, 100))
	office, reports := tallyOf([]*attack{a}, "storm", ClassInteractive), tallyOf([]*attack{a}, "storm", ClassReport)
	if office.outcomes[OK]+office.outcomes[Late] != 100 {
		t.Errorf("interactive outcomes %v, want 100 answered", office.outcomes)
	}
	if n := reports.outcomes[OK] + reports.outcomes[Shed]; n != 100 || reports.outcomes[Shed] == 0 || reports.outcomes[OK] == 0 {
		t.Errorf("report outcomes %v, want 100 ok or shed, and some of each", reports.outcomes)
	}
	if reports.shed.quantiles().Samples != int64(reports.outcomes[Shed]) {
		t.Errorf("%d shed latencies of %d shed", reports.shed.quantiles().Samples, reports.outcomes[Shed])
	}
}
