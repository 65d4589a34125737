package loadtest

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// While arrivals are sent their results are written, each once all before it have
// ended; when all have, the files are those of a run that was written at its end.
func TestRecordedWhileItIsSent(t *testing.T) {
	s := stormScenario(t)
	a := synthetic(t, s.Phases, healthy)
	whole := t.TempDir()
	if err := testReport(t, s, a).write(whole); err != nil {
		t.Fatal(err)
	}
	want := readResults(t, filepath.Join(whole, resultsFile))

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, runFile), []byte("of an older run"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := record(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, runFile)); !os.IsNotExist(err) {
		t.Errorf("an older run's verdict stands beside what is recorded: %v", err)
	}
	at := &place{}
	const first, straggler = 1000, 700
	for i := range uint32(first) {
		if i != straggler {
			a.over.raise(i)
		}
	}
	r.advance(a, at, false)
	same := func(x, y vegeta.Result) bool { return x.Equal(y) }
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want[:straggler], same) {
		t.Errorf("%d results are written while the %dth has not ended, want those before it", len(got), straggler)
	}
	a.over.raise(straggler)
	r.advance(a, at, false)
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want[:first], same) {
		t.Errorf("%d results are written of %d that have ended", len(got), first)
	}
	r.advance(a, at, true)
	if failed := r.close(0); len(failed) > 0 {
		t.Fatal(failed)
	}
	if got := readResults(t, filepath.Join(dir, resultsFile)); !slices.EqualFunc(got, want, same) {
		t.Errorf("%d results, want the %d that are written at an end", len(got), len(want))
	}
}

// crowded is an attack of clients with three operations each, who are kept waiting
// for different times, beside people of an open stream.
func crowded(t *testing.T, clients int) *attack {
	t.Helper()
	const d = time.Second
	p, err := newPlan([]Phase{{Name: "storm", For: d, Judged: true, Streams: []Stream{
		{Class: ClassInteractive, Each: []*Operation{myDay, running, projects}, Rate: constant(float64(clients), d)},
		officeStream(50, d),
	}}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:8080", Path: "/graphql"}
	a, err := newAttack(p, testDeck(), newClient(target, leastInFlight, ""), &live{})
	if err != nil {
		t.Fatal(err)
	}
	a.start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for n, arrival := range p.arrivals {
		due := arrival.due
		for i := range p.streams[arrival.stream].rows() {
			end := due + time.Duration(1+n*7%11)*400*time.Millisecond
			a.rows[int(arrival.row)+i] = packed(row{outcome: OK, status: 200, sent: due, end: end})
			due = a.rows[int(arrival.row)+i].end.since()
		}
	}
	a.hits = len(p.arrivals)
	return a
}

// What clients ask after their first operation is due when that has ended. It stands
// between what others were due then, or vegeta's plot refuses the file; and each second
// stands once in a stored run.
func TestCrowdIsRecordedInTheOrderOfDues(t *testing.T) {
	const clients = 20
	a, dir := crowded(t, clients), t.TempDir()
	r, err := record(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := &place{}
	for i := range a.rows {
		if i%10 != 9 {
			a.over.raise(uint32(i))
		}
	}
	r.advance(a, at, false)
	some := len(readResults(t, filepath.Join(dir, resultsFile)))
	r.advance(a, at, true)
	if failed := r.close(0); len(failed) > 0 {
		t.Fatal(failed)
	}
	all := readResults(t, filepath.Join(dir, resultsFile))
	if some == 0 || some >= len(all) || len(all) != len(a.rows) {
		t.Errorf("%d results while some had not ended, then %d of %d", some, len(all), len(a.rows))
	}
	for i := range all {
		if all[i].Seq != uint64(i) || i > 0 && all[i].Timestamp.Before(all[i-1].Timestamp) {
			t.Fatalf("result %d has number %d and is due at %v", i, all[i].Seq, all[i].Timestamp)
		}
	}
	var seen []int
	for _, second := range seconds(a, 0, "storm", ClassInteractive) {
		seen = append(seen, second.Second)
	}
	ascending(t, seen)
	for _, s := range series([]*attack{a}, a.deck.operations, 1) {
		seen = nil
		for _, bin := range s.Seconds {
			seen = append(seen, bin.Second)
		}
		ascending(t, seen)
	}
}

func ascending(t *testing.T, seconds []int) {
	t.Helper()
	if each := slices.Compact(slices.Sorted(slices.Values(seconds))); len(each) < 2 || !slices.Equal(each, seconds) {
		t.Errorf("the seconds %v, want each of several once, in order", seconds)
	}
}
