package limits

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// report is a price of one root field that a statement answers.
func report(statement string, points float64) *Price {
	return &Price{Expected: points, Fields: []FieldPrice{{Root: true, Coordinate: "Query." + statement, Mostly: statement, Expected: points}}}
}

// teach has a learner see n operations that take fixed + slope x points, with
// noise of up to a factor.
func teach(l *Learner, r *rand.Rand, statement string, n int, fixed, slope, noise float64) {
	for range n {
		points := math.Exp2(r.Float64()*10 - 1)
		l.Learn(report(statement, points), (fixed+slope*points)*math.Pow(noise, 2*r.Float64()-1))
	}
}

func forecast(l *Learner, statement string, points float64) float64 {
	return float64(l.Forecast(report(statement, points))) / float64(time.Millisecond)
}

func wantNear(t *testing.T, what string, got, want, factor float64) {
	t.Helper()
	if !(got >= want/factor && got <= want*factor) {
		t.Errorf("%s: got %.4g, want %.4g within a factor %.3g", what, got, want, factor)
	}
}

func TestWorkIsPointsUntilLearned(t *testing.T) {
	l := NewLearner()
	wantNear(t, "unknown statement", forecast(l, "a", 7), 7, 1.001)
	if got := l.Forecast(&Price{Expected: 3}); got != 3*time.Millisecond {
		t.Errorf("a price without fields: got %s, want 3ms", got)
	}
	two := &Price{Expected: 5, Fields: []FieldPrice{{Root: true, Mostly: "Query.a", Expected: 2}, {Root: true, Mostly: "Query.b", Expected: 3}, {Coordinate: "A.c", Expected: 1}}}
	if got := l.Forecast(two); got != 5*time.Millisecond {
		t.Errorf("two root fields: got %s, want 5ms", got)
	}
}

func TestLearnerFindsEachStatementsLine(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(1, 2))
	lines := map[string][2]float64{"sums": {0.3, 1.4}, "index": {0.2, 0.7}, "heap": {0.1, 1.0}, "text": {2, 1.2}}
	for name, line := range lines {
		teach(l, r, name, 400, line[0], line[1], 1.2)
	}
	l.Exchange(nil)
	for name, line := range lines {
		for _, points := range []float64{0.6, 2, 20, 400} {
			wantNear(t, fmt.Sprintf("%s of %g points", name, points), forecast(l, name, points), line[0]+line[1]*points, 1.15)
		}
	}
	for _, s := range l.Snapshot().Statements {
		if s.Clamped {
			t.Errorf("%s is clamped: %+v", s.Statement, s)
		}
	}
}

func TestLearnerIgnoresOutliers(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(3, 4))
	for range 10 {
		teach(l, r, "a", 30, 0.2, 1, 1.1)
		for range 5 { // a seventh of all: a checkpoint, a vacuum, a cold cache
			points := math.Exp2(r.Float64()*10 - 1)
			l.Learn(report("a", points), 200*points)
		}
	}
	l.Exchange(nil)
	for _, points := range []float64{1, 30, 400} {
		wantNear(t, fmt.Sprintf("%g points", points), forecast(l, "a", points), 0.2+points, 1.2)
	}
}

// A slow minute is not believed at once: however bad, it counts as a factor 2.
func TestLearnerDoubtsABadMinute(t *testing.T) {
	l := NewLearner()
	for range 200 {
		l.Learn(report("a", 10), 10)
	}
	saved := l.Exchange(nil)
	for range 8 {
		l.Learn(report("a", 10), 900)
	}
	after := l.Exchange(saved)
	if len(after) != 1 || !(after[0].Took > 10 && after[0].Took < 15) {
		t.Errorf("after a bad minute: %+v, want one lesson between 10 and 15 ms", after)
	}
}

func TestLearnerClampsAndRaisesAnAlarm(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"a", "b", "c", "d"} {
		teach(l, r, name, 200, 0.2, 1, 1.1)
	}
	teach(l, r, "wrong", 200, 0.2, 12, 1.1) // reads twelve times what it is priced for
	l.Exchange(nil)
	for _, s := range l.Snapshot().Statements {
		if s.Clamped != (s.Statement == "wrong") {
			t.Errorf("%s clamped: %t (slope %.3g)", s.Statement, s.Clamped, s.Slope)
		}
		if s.Slope > 3*l.Snapshot().General*1.01 {
			t.Errorf("%s has the slope %.3g, more than 3 x %.3g", s.Statement, s.Slope, l.Snapshot().General)
		}
	}
	wantNear(t, "a neighbour of the wrong one", forecast(l, "a", 40), 40.2, 1.15)
}

func TestLearnerRefusesWhatIsNoMeasurement(t *testing.T) {
	l := NewLearner()
	for range 64 {
		l.Learn(report("a", 10), 10)
	}
	bad := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -3, 0, 1e300}
	for _, ms := range bad {
		if l.Learn(report("a", 10), ms) {
			t.Errorf("%v was taken for a measurement", ms)
		}
		l.Observe(report("a", 10), ms)
	}
	nonsense := []Lesson{
		{Statement: "a", Octave: 3, Weight: math.NaN(), Points: 10, Took: 10},
		{Statement: "a", Octave: 3, Weight: 5, Points: 10, Took: math.Inf(1)},
		{Statement: "a", Octave: 99, Weight: 5, Points: 10, Took: 10},
		{Statement: "a", Octave: 3, Weight: 5, Points: -10, Took: 10},
		{Statement: "", Octave: 3, Weight: 5, Points: 10, Took: 10},
		{Statement: "a", Octave: 3, Weight: mostWeight + 1, Points: 10, Took: 10},
	}
	l.Exchange(nonsense)
	if got, want := l.Snapshot().Refused, uint64(len(bad)+len(nonsense)); got != want {
		t.Errorf("refused %d, want %d", got, want)
	}
	if got := forecast(l, "a", 10); math.Abs(got-10) > 0.5 || math.IsNaN(l.Slowdown()) {
		t.Errorf("forecast %g, slowdown %g after nonsense", got, l.Slowdown())
	}
}

// Two processes that exchange through one place know the same, whoever measured,
// and no measurement counts twice.
func TestLearnersShare(t *testing.T) {
	a, b, r := NewLearner(), NewLearner(), rand.New(rand.NewPCG(7, 8))
	var saved []Lesson
	for range 20 {
		teach(a, r, "x", 16, 0.5, 1.5, 1.1)
		teach(b, r, "y", 16, 0.1, 0.8, 1.1)
		saved = a.Exchange(saved)
		saved = b.Exchange(saved)
	}
	again := a.Exchange(saved)
	if fmt.Sprint(again) != fmt.Sprint(saved) {
		t.Errorf("an exchange without news changed what is known:\n%v\n%v", saved, again)
	}
	for _, name := range []string{"x", "y"} {
		for _, points := range []float64{1, 8, 200} {
			wantNear(t, name, forecast(a, name, points), forecast(b, name, points), 1.02)
		}
	}
	fresh := NewLearner()
	fresh.Exchange(saved)
	wantNear(t, "a process that starts", forecast(fresh, "x", 100), 150.5, 1.15)
}

func TestLearnerLeavesWhatIsSlowInGeneralToSlowdown(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(9, 10))
	names := []string{"a", "b", "c"}
	var saved []Lesson
	run := func(minutes int, load float64) {
		for range minutes {
			for _, name := range names {
				for range 10 {
					points := math.Exp2(r.Float64()*10 - 1)
					ms := load * (0.2 + points) * math.Pow(1.1, 2*r.Float64()-1)
					l.Observe(report(name, points), ms)
					l.Learn(report(name, points), ms)
				}
			}
			saved = l.Exchange(saved)
		}
	}
	run(60, 1)
	wantNear(t, "slowdown at rest", l.Slowdown(), 1, 1.1)
	run(600, 3)
	wantNear(t, "slowdown when everything takes three times as long", l.Slowdown(), 3, 1.2)
	wantNear(t, "its forecast", forecast(l, "a", 20), 20.2, 1.2)
	wantNear(t, "drift", l.Snapshot().Drift, 3, 1.2)
	saved = Repriced(saved, func(string) float64 { return 1 })
	run(5, 3)
	wantNear(t, "slowdown after a new table", l.Slowdown(), 1, 1.2)
}

func TestOperationsOfSeveralRootFieldsDoNotTeach(t *testing.T) {
	l := NewLearner()
	mixed := &Price{Expected: 20, Fields: []FieldPrice{{Root: true, Mostly: "Query.a", Expected: 10}, {Root: true, Mostly: "Query.b", Expected: 10}}}
	for range 200 {
		l.Learn(mixed, 400)
	}
	if n := len(l.Exchange(nil)); n != 0 {
		t.Errorf("%d lessons of operations with two equal root fields, want none", n)
	}
	dear := &Price{Expected: 20, Fields: []FieldPrice{{Root: true, Mostly: "Query.a", Expected: 19.5}, {Root: true, Mostly: "Query.b", Expected: 0.5}}}
	for range 32 {
		l.Learn(dear, 40)
	}
	if got := l.Exchange(nil); len(got) != 1 || got[0].Statement != "Query.a" {
		t.Errorf("lessons %+v, want one of Query.a, which is nearly all of it", got)
	}
}

func TestLearnerIsBounded(t *testing.T) {
	l := NewLearner()
	for i := range 2 * maxStatements {
		for range 100 {
			l.Learn(report(fmt.Sprint(i), float64(1+i%900)), 5)
		}
	}
	if got := len(l.Exchange(nil)); got > maxStatements {
		t.Errorf("%d lessons of %d statements, want at most %d", got, 2*maxStatements, maxStatements)
	}
}

func TestForecastDoesNotAllocate(t *testing.T) {
	l, r := NewLearner(), rand.New(rand.NewPCG(1, 1))
	teach(l, r, "a", 200, 0.2, 1, 1.1)
	p := report("a", 10)
	if n := testing.AllocsPerRun(100, func() { l.Forecast(p) }); n > 0 {
		t.Errorf("a forecast allocates %v times, want none", n)
	}
}
