package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"headroom/loadtest"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// replayed is a replay beside what was captured, both as the server recorded them.
type replayed struct {
	Speed          float64
	Rows           int                // replayed
	Mix            map[string]float64 // by class: its share less that of the capture
	Points         float64            // of all, as a share of the capture's
	OffP50, OffP99 float64            // ms between when a request came and when it should, as the server saw it
	LagP50, LagP99 float64            // ms by which surge sent it late
}

// The load that is captured: an office with its reports.
const officeFor = 20 * time.Second

var office = fmt.Sprintf(`version: 1
name: office
about: What is captured.
extend: 0
classes:
  interactive: { slo: { p99: 100ms } }
  report: { slo: { answered: 100%% } }
phases:
  - name: office
    for: %s
    streams:
      - { mix: { MyDay: 35, Running: 20, Page: 15, Projects: 10, Start: 8, Stop: 7, Create: 5 }, rate: 80 }
      - { mix: { MonthReport: 4, YearsReport: 1 }, rate: 2 }
`, officeFor)

const (
	realAddress  = "127.0.0.1:18780"
	realOperator = "127.0.0.1:18781"
)

// replay captures a load on a real server, and what that server is asked when the
// capture is sent again at two speeds.
func (g *goes) replay(ctx context.Context, o options, b *bed) error {
	stop, tokens, err := b.serveReal(ctx, o.data, 50_000)
	if err != nil {
		return err
	}
	defer stop()
	path := b.fresh("capture.ndjson.gz")
	target := []string{"--target", "http://" + realAddress + "/graphql", "--tokens", tokens}
	if _, err := b.ask(ctx, "run", office, target[1], append(target[2:], "--duration", "3s")...); err != nil {
		return err // a server that has just started prices what it does not know yet by its dearest
	}
	if err := capturing(ctx, path, func() error {
		_, err := b.ask(ctx, "run", office, target[1], target[2:]...)
		return err
	}); err != nil {
		return err
	}
	before, err := readCapture(path)
	if err != nil {
		return err
	}
	for _, speed := range []float64{1, 5} {
		again, planned := b.fresh("capture.ndjson.gz"), 0
		var lag loadtest.Lag
		if err := capturing(ctx, again, func() error {
			out := b.fresh("out")
			s, err := b.command(ctx, out, append([]string{"replay", path, "--out", out, "--speed", fmt.Sprint(speed)}, target...)...)
			if err == nil {
				lag = s.record.Verdict.Vitals[0].Lag
				for _, p := range s.record.Phases {
					planned += p.Planned
				}
			}
			return err
		}); err != nil {
			return err
		}
		after, err := readCapture(again)
		if err != nil {
			return err
		}
		if len(after) < planned || planned != len(before) {
			return fmt.Errorf("%d requests were captured, %d sent again, %d came", len(before), planned, len(after))
		}
		r := beside(before, after[len(after)-planned:], speed) // what surge asks before it sends is left out
		r.LagP50, r.LagP99 = ms(lag.P50), ms(lag.P99)
		g.Replays = append(g.Replays, r)
	}
	return nil
}

// serveReal starts headroom on data, of which it seeds so many entries if there are
// none yet.
func (b *bed) serveReal(ctx context.Context, data string, entries int) (stop func(), tokens string, err error) {
	program, data, tokens, err := b.company(ctx, cmp.Or(data, b.fresh("data")), entries, 20)
	if err != nil {
		return nil, "", err
	}
	command := exec.CommandContext(ctx, program, "serve", "--no-demo", "--log-level", "warn", "--data-dir", data, "--addr", realAddress, "--admin-addr", realOperator)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	if err := command.Start(); err != nil {
		return nil, "", err
	}
	stop = func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = command.Wait()                          // and said why
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err := ask(ctx, http.MethodGet, "http://"+realAddress+"/readyz"); err == nil {
			return stop, tokens, nil
		} else if time.Now().After(until) {
			stop()
			return nil, "", err
		}
	}
}

// ask fetches a page of the server's.
func ask(ctx context.Context, method, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s answers %d: %s", method, url, response.StatusCode, body)
	}
	return body, err
}

// capturing records what the server is asked meanwhile.
func capturing(ctx context.Context, path string, during func() error) error {
	const at = "http://" + realOperator + "/debug/capture"
	if _, err := ask(ctx, http.MethodPost, at+"?minutes=5"); err != nil {
		return err
	}
	failed := during()
	body, err := ask(ctx, http.MethodDelete, at)
	if err := errors.Join(failed, err); err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o600)
}

// capturedRow is what counts of a captured request.
type capturedRow struct {
	At     float64 `json:"t"` // microseconds
	Class  string  `json:"cls"`
	Points float64 `json:"pts"`
}

// readCapture reads the rows of a capture in the order in which they came.
func readCapture(path string) (rows []capturedRow, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(zipped)
	if _, err := lines.ReadString('\n'); err != nil { // the header
		return nil, err
	}
	decoder := json.NewDecoder(lines)
	for {
		var row capturedRow
		switch err := decoder.Decode(&row); {
		case errors.Is(err, io.EOF):
			slices.SortStableFunc(rows, func(a, b capturedRow) int { return cmp.Compare(a.At, b.At) })
			return rows, nil
		case err != nil:
			return nil, err
		}
		rows = append(rows, row)
	}
}

// beside compares as many rows. The clocks of two captures begin at different
// moments, so times are told from the median of their differences.
func beside(before, after []capturedRow, speed float64) replayed {
	r := replayed{Speed: speed, Rows: len(after), Mix: map[string]float64{}}
	var was, is float64
	off := make([]float64, len(after))
	for i := range after {
		was += before[i].Points
		is += after[i].Points
		r.Mix[before[i].Class] -= 1 / float64(len(after))
		r.Mix[after[i].Class] += 1 / float64(len(after))
		off[i] = (after[i].At - before[i].At/speed) / 1e3
	}
	r.Points = is / was
	slices.Sort(off)
	middle := off[len(off)/2]
	for i := range off {
		off[i] = math.Abs(off[i] - middle)
	}
	slices.Sort(off)
	r.OffP50, r.OffP99 = off[len(off)/2], off[len(off)*99/100]
	return r
}
