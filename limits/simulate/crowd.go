package simulate

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"headroom/limits"
)

// Crowd are clients that lost another site and come back within a moment. Each asks
// for its operations one after the other, as an app that has lost all it knew.
type Crowd struct {
	At, Within time.Duration
	Clients    int
	Devices    int       // that share a person's token; 0: 1
	Sizes      []float64 // core-seconds of the operations of each
	Kinds      [numKinds]int
}

// kind is what a client does after an answer that is not right.
type kind int

const (
	retryLink kind = iota // four more attempts within seconds, whatever it was told
	noRetry
	heeding // comes back when it was told
	deaf    // every second again
	numKinds
)

var kindNames = [numKinds]string{"retrylink", "no-retry", "heeding", "deaf"}

// attempts are the most of each kind for an operation.
var attempts = [numKinds]int{5, 1, 60, 30}

// Failover (M8) is a crowd that makes 40 s of work, as surge's scenario of that name
// sends it, beside 10 % clicks.
func Failover(cores int) Setup {
	s := base("failover", cores, begin+90*second, people(cores, 0.1))
	s.Storm = [2]time.Duration{begin, begin + second}
	s.Crowd = &Crowd{
		At: begin, Within: second, Sizes: []float64{0.002, 0.0015, 0.002, 0.007, 0.0025, 0.007},
		Kinds: [numKinds]int{retryLink: 40, noRetry: 25, heeding: 25, deaf: 10},
	}
	work := 0.0
	for _, size := range s.Crowd.Sizes {
		work += size
	}
	s.Crowd.Clients = int(40 * float64(cores) / work)
	return s
}

// visitor is one of them.
type visitor struct {
	crowd  *Crowd
	kind   kind
	person int
	rng    *rand.Rand
	born   time.Duration
	at     int  // the operation it asks for
	failed bool // an operation was given up
}

// come lets the crowd in.
func (w *world) come(c *Crowd, rng *rand.Rand) {
	sum := 0
	for _, weight := range c.Kinds {
		sum += weight
	}
	for i := range c.Clients {
		v := &visitor{crowd: c, person: i / max(1, c.Devices), rng: rng}
		for draw := rng.IntN(sum); draw >= c.Kinds[v.kind]; v.kind++ {
			draw -= c.Kinds[v.kind]
		}
		w.after(c.At+time.Duration(rng.Float64()*float64(c.Within)), func() {
			v.born = w.now
			w.ask(v)
		})
	}
}

// crowdSource is what the operations of a crowd are.
var crowdSource = &Source{Class: limits.Interactive, Tries: -1, Group: 1}

// ask sends a visitor's next operation.
func (w *world) ask(v *visitor) {
	if v.at == len(v.crowd.Sizes) {
		w.result.crowd[v.kind].left(v, w.now)
		return
	}
	size := v.crowd.Sizes[v.at] * math.Exp(-0.125) * lognormal(v.rng, 0.5)
	op := &operation{
		source: crowdSource, size: size, born: w.now, screen: w.screens, visitor: v, tenant: 1 + v.person%200, client: 1_000_000_000 + v.person,
		forecast: time.Duration(size * w.Estimate * lognormal(v.rng, 0.25) * 1e9),
	}
	w.screens++
	w.result.born(op)
	w.result.crowd[v.kind].operations++
	w.attempt(op)
}

// on goes to the next operation.
func (v *visitor) on(w *world, ok bool) {
	v.at, v.failed = v.at+1, v.failed || !ok
	w.ask(v)
}

// lost tells a visitor that an attempt brought nothing: when to come back, or 0 if it
// was not told.
func (v *visitor) lost(w *world, op *operation, told time.Duration) {
	pause := time.Second // of the deaf
	switch v.kind {
	case retryLink:
		pause = time.Duration(v.rng.Float64() * float64(300*time.Millisecond<<(op.tries-1)))
	case heeding:
		pause = told
	}
	if op.tries >= attempts[v.kind] || v.kind == heeding && told == 0 {
		v.on(w, false)
		return
	}
	w.after(pause, func() { w.attempt(op) })
}

// visits are what became of one kind of clients.
type visits struct {
	clients, served      int // who got all that they asked
	operations, attempts int
	took                 []time.Duration // of whole clients that were served
}

// share are those who got all that they asked.
func (r *visits) share() float64 { return float64(r.served) / float64(max(1, r.clients)) }

func (r *visits) left(v *visitor, now time.Duration) {
	r.clients++
	if !v.failed {
		r.served++
		r.took = append(r.took, now-v.born)
	}
}

// crowd are the goals of a crowd that comes back (M8).
func (b Bench) crowd(ctx context.Context) []Check {
	r := b.run(ctx, Failover(b.Cores), b.Size.Seeds[0])
	all := visits{}
	for _, v := range r.crowd {
		all.operations, all.attempts = all.operations+v.operations, all.attempts+v.attempts
	}
	work := 0.0
	for i := range r.samples {
		if s := &r.samples[i]; int(s.group) == crowdSource.Group && s.ok {
			work += s.size
		}
	}
	ideal := time.Duration(work / float64(b.Cores) * 1e9)
	checks := []Check{
		{"M8", "clients that heed hints with all their answers", 100 * r.crowd[heeding].share(), 99, true, "%"},
		{"M8", "99 % of them, of the ideal time", ratio(quantile(r.crowd[heeding].took, 0.99), ideal), 1.2, false, "x"},
		{"M8", "attempts an operation, of clients of all kinds", float64(all.attempts) / float64(all.operations), 2.5, false, ""},
	}
	without := Bench{Cores: b.Cores, Policy: None(), Size: b.Size, Change: b.Change}
	none := without.run(ctx, Failover(b.Cores), b.Size.Seeds[0])
	for kind := range numKinds {
		if most := 100 * none.crowd[kind].share(); most < 100 {
			checks = append(checks, Check{"M8", kindNames[kind] + " clients with all their answers, and not fewer than without a gate", 100*r.crowd[kind].share() - most, 0, true, "%"})
		}
	}
	return checks
}
