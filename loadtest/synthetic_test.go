package loadtest

import (
	"net/url"
	"testing"
	"time"
)

// synthetic is a finished attack whose rows are made up: answer gets the due
// time since the start of the phase and the class, and returns the row. Rows
// without an end are given 1 ms of service.
func synthetic(t *testing.T, phases []Phase, answer func(phase string, class Class, due time.Duration) row) *attack {
	t.Helper()
	return syntheticOf(t, phases, 1, answer)
}

// syntheticOf is synthetic with the arrivals of a seed.
func syntheticOf(t *testing.T, phases []Phase, seed uint64, answer func(phase string, class Class, due time.Duration) row) *attack {
	t.Helper()
	p, err := newPlan(phases, seed)
	if err != nil {
		t.Fatal(err)
	}
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:8080", Path: "/graphql"}
	a, err := newAttack(p, testDeck(), newClient(target, leastInFlight, ""), &live{})
	if err != nil {
		t.Fatal(err)
	}
	a.start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for seq, arrival := range p.arrivals {
		stream := p.streams[arrival.stream]
		span := p.phases[stream.phase]
		r := answer(span.Name, stream.Class, arrival.due-span.start)
		r.sent += arrival.due
		if r.end == 0 {
			r.end = time.Millisecond
		}
		r.end += arrival.due
		if r.outcome == Shed && r.told == 0 { // as a server does that spreads who comes back
			r.told = uint32(1000 + seq*37%2000)
		}
		c, err := a.deck.draw(a.mixes[arrival.stream], p.seed, uint64(seq))
		if err != nil {
			t.Fatal(err)
		}
		r.op = c.op.index
		a.rows[seq] = packed(r)
	}
	a.hits = len(a.rows)
	for range p.phases {
		a.usages = append(a.usages, Usage{Client: 0.1, Server: 0.4, Strangers: 0.05, Seen: true})
	}
	return a
}

// took is a row answered after so long.
func took(service time.Duration) row { return row{outcome: OK, status: 200, end: service} }

// lagged is a row sent late and answered so long after that.
func lagged(lag, service time.Duration) row {
	return row{outcome: OK, status: 200, sent: lag, end: lag + service}
}

func ended(outcome Outcome, service time.Duration) row {
	return row{outcome: outcome, end: service}
}

const (
	testStormFor  = 12 * time.Second
	absorbWatched = 10 * time.Second
)

// stormPhases are a storm's at 300 and 100 a second.
func stormPhases() []Phase {
	return []Phase{
		{Name: "storm", For: testStormFor, Streams: []Stream{officeStream(300, testStormFor), reportStream(100, testStormFor)}, Judged: true, Burst: time.Second},
		{Name: "recover", For: absorbWatched, Streams: []Stream{officeStream(300, absorbWatched)}, Judged: true},
	}
}

// built is a built-in scenario as the command line would have it.
func built(t *testing.T, name string, c Config, known *Calibration) Scenario {
	t.Helper()
	spec, err := loadSpec(name)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := spec.scenario(c, known)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// able is a calibration of a server of known capacity.
func able(reports, interactive float64) *Calibration {
	return &Calibration{Reports: Capacity{PerSecond: reports, Clients: 2}, Interactive: Capacity{PerSecond: interactive, Clients: 8}}
}

func stormScenario(t *testing.T) Scenario {
	t.Helper()
	s := built(t, "report-storm", Config{Duration: testStormFor}, able(20, 1000))
	s.Phases = stormPhases()
	return s
}

// healthy answers at once and sheds four reports of five, each until another time.
func healthy(_ string, class Class, due time.Duration) row {
	if class == ClassReport && due.Round(time.Millisecond)%(50*time.Millisecond) != 0 {
		r := ended(Shed, 2*time.Millisecond)
		r.told = uint32(1000 + due.Milliseconds()*7%4999) // each another time
		return r
	}
	return took(2 * time.Millisecond)
}
