package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"headroom/limits"
)

// statementKind is a statement of the simulated day: what a point of it takes, and
// how often it is asked for beside the others.
type statementKind struct {
	name        string
	fixed       float64 // milliseconds
	slope       float64 // milliseconds for a point
	least, most float64 // points, drawn evenly on a logarithmic scale
	share       float64
}

var dayKinds = []statementKind{
	{"entriesPage", 0.2, 0.8, 0.5, 4, 0.6},
	{"readDay", 0.15, 1, 0.4, 2, 0.3},
	{"reportGroups.sums", 0.2, 1.4, 2, 60, 0.07},
	{"reportGroups.index", 0.3, 0.9, 5, 400, 0.03},
}

// day is a server that learns for a whole day.
type day struct {
	engine   *engine
	db       *database
	gate     *limits.Static
	learner  *limits.Learner
	lessons  []limits.Lesson
	random   *rand.Rand
	answered int
	calm     int
}

func (d *day) clock() time.Time { return time.Unix(1_800_000_000, 0).Add(d.engine.now) }

// price is that of an operation which one statement answers.
func price(statement string, points float64) *limits.Price {
	return &limits.Price{Expected: points, Fields: []limits.FieldPrice{{Root: true, Mostly: statement, Expected: points}}}
}

// ask sends one operation.
func (d *day) ask() {
	at := d.random.Float64()
	kind := dayKinds[0]
	for _, k := range dayKinds {
		if kind = k; at < k.share {
			break
		}
		at -= k.share
	}
	points := kind.least * math.Pow(kind.most/kind.least, d.random.Float64())
	p := price(kind.name, points)
	class := limits.Interactive
	if points > 50 {
		class = limits.Report
	}
	start := func(permit *limits.Permit, refusal *limits.Refusal) {
		if refusal != nil {
			return
		}
		began := d.engine.now
		noise := math.Exp(0.15 * d.random.NormFloat64())
		size := (kind.fixed + kind.slope*points) / 1000 * noise
		d.db.run(&job{size: size, statements: 1, done: func() {
			took := float64(d.engine.now-began) / 1e6
			d.answered++
			d.learner.Observe(p, took)
			if permit.Calm() {
				d.calm++
				d.learner.Learn(p, took)
			}
			permit.Done(limits.Outcome{DB: d.engine.now - began, Statements: 1})
		}})
	}
	permit, refusal, waiter := d.gate.Offer(limits.Request{Class: class, Tenant: "a", Client: "b", Work: d.learner.Forecast(p), Deadline: d.clock().Add(15 * time.Second)}, func(p *limits.Permit, r *limits.Refusal) {
		d.engine.after(0, func() { start(p, r) })
	})
	if waiter == nil {
		start(permit, refusal)
	}
}

// run lets an hour pass in which so many operations come a second.
func (d *day) run(until time.Duration, rate func(time.Duration) float64, slower func(time.Duration) float64) {
	var next func()
	next = func() {
		d.ask()
		if wait := time.Duration(d.random.ExpFloat64() / rate(d.engine.now) * 1e9); d.engine.now+wait < until {
			d.engine.after(wait, next)
		}
	}
	d.engine.after(0, next)
	var minute func()
	minute = func() {
		d.lessons = d.learner.Exchange(d.lessons)
		d.db.sync()
		d.db.speed = 1 / slower(d.engine.now)
		d.db.share()
		if d.engine.now+time.Minute <= until {
			d.engine.after(time.Minute, minute)
		}
	}
	d.engine.after(0, minute)
	for {
		group, at := d.db.next()
		switch {
		case len(d.engine.events) > 0 && d.engine.events[0].at <= at:
			e := d.engine.pop()
			if e.at > until {
				return
			}
			d.engine.now = e.at
			e.fn()
		case group != nil:
			d.engine.now = at
			d.db.finish(group)
		default:
			return
		}
	}
}

func newDay(t *testing.T) *day {
	t.Helper()
	d := &day{engine: &engine{}, learner: limits.NewLearner(), random: rand.New(rand.NewPCG(24, 7))}
	d.db = newDatabase(d.engine, 2, 100*time.Microsecond, 0)
	gate, err := limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(2), Clock: d.clock, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	d.gate = gate
	return d
}

// Over a day in which ever more comes and the database becomes three times slower,
// no price moves, forecasts stay what they are on an idle machine, and what is left
// over shows as a slowdown. Were the load learned, forecasts would rise with it, and
// nobody would see that anything was wrong.
func TestADayOfRisingLoadIsNoLesson(t *testing.T) {
	d := newDay(t)
	table := limits.PriceTable{Prices: map[string]float64{}}
	for _, k := range dayKinds {
		table.Prices["statement."+k.name] = 1
	}
	steady := func(time.Duration) float64 { return 1 }
	d.run(2*time.Hour, func(time.Duration) float64 { return 2 }, steady)
	before := map[string]float64{}
	for _, k := range dayKinds {
		before[k.name] = float64(d.learner.Forecast(price(k.name, k.most))) / 1e6
		if want := k.fixed + k.slope*k.most + 0.1; math.Abs(math.Log2(before[k.name]/want)) > 0.3 {
			t.Errorf("%s of %v points is forecast as %.1f ms after two quiet hours, want about %.1f", k.name, k.most, before[k.name], want)
		}
	}
	published := table.Proposal("statement.", d.learner.Snapshot(), d.lessons)
	from := d.engine.now
	rising := func(at time.Duration) float64 { return 2 + 10*(at-from).Hours()/24 }
	slower := func(at time.Duration) float64 { return math.Pow(3, (at-from).Hours()/24) }
	for hour := 1; hour <= 24; hour++ {
		d.run(from+time.Duration(hour)*time.Hour, rising, slower)
		if got := d.learner.Slowdown(); hour%6 == 0 && (got < 0.75*slower(d.engine.now) || got > 2.5*slower(d.engine.now)) {
			t.Errorf("after %d hours the slowdown is %.2f, the database is %.2f times slower", hour, got, slower(d.engine.now))
		}
		for name, was := range before {
			now := float64(d.learner.Forecast(price(name, kindOf(name).most))) / 1e6
			if math.Abs(math.Log2(now/was)) > 0.4 {
				t.Errorf("after %d hours %s is forecast as %.1f ms, was %.1f", hour, name, now, was)
			}
		}
	}
	if d.answered < 500_000 || d.calm < 100_000 {
		t.Errorf("%d operations, %d alone: too few to say anything", d.answered, d.calm)
	}
	proposed := table.Proposal("statement.", d.learner.Snapshot(), d.lessons)
	for name := range table.Prices {
		if was, now := published[name], proposed[name]; math.Abs(was-now) > 0.1 && was > 0 && now > 0 {
			t.Errorf("the load would move the price of %s from %.2f to %.2f", name, was, now)
		}
	}
	t.Logf("%d operations, %d of them alone; slowdown %.2f, drift %.2f", d.answered, d.calm, d.learner.Slowdown(), d.learner.Snapshot().Drift)
}

func kindOf(name string) statementKind {
	for _, k := range dayKinds {
		if k.name == name {
			return k
		}
	}
	return statementKind{}
}
