package loadtest

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Calibration is what the server did when as many asked at a time as can work
// at a time: the figures that a storm's rates come from.
type Calibration struct {
	Reports     Capacity `json:"reports"`
	Interactive Capacity `json:"interactive"`
}

// Capacity is the result of a closed loop: the next request of each of so many
// clients goes out when its last was answered.
type Capacity struct {
	PerSecond float64         `json:"per_second"` // right answers
	Clients   int             `json:"clients"`
	Median    Millis          `json:"p50_ms"` // of right answers
	Others    float64         `json:"others"` // share of the machine that other programs used meanwhile, as far as that was seen
	Answers   map[string]int  `json:"answers"`
	reasons   map[string]int  // of answers that were not right
	times     []time.Duration // of right answers
}

// How long calibration measures.
const (
	reportsFor     = 5 * time.Second
	interactiveFor = 3 * time.Second
)

// calibrate measures what a scenario counts in: reports, then interactive work.
// The clients are as many as keep the processors busy: one report each, a few of
// the short operations.
func (s *session) calibrate(ctx context.Context, wanted map[Class][]Weighted) (Calibration, error) {
	var c Calibration
	var err error
	cores := runtime.NumCPU()
	if mix := wanted[ClassReport]; mix != nil {
		s.say("measuring how many reports a second the server can do (%s)", reportsFor)
		if c.Reports, err = s.capacity(ctx, ClassReport, mix, cores, reportsFor); err != nil {
			return c, err
		}
	}
	if mix := wanted[ClassInteractive]; mix != nil {
		s.say("measuring its interactive capacity (%s)", interactiveFor)
		c.Interactive, err = s.capacity(ctx, ClassInteractive, mix, 4*cores, interactiveFor)
	}
	return c, err
}

// capacity measures one class on a machine that others leave alone.
func (s *session) capacity(ctx context.Context, class Class, mix []Weighted, clients int, d time.Duration) (Capacity, error) {
	return undisturbed(s.say, func() (Capacity, error) {
		s.watch.quiet(ctx, quietWithin, s.say)
		before := s.watch.read()
		c, err := s.closedLoop(ctx, class, mix, clients, d)
		c.Others = between(before, s.watch.read(), runtime.NumCPU()).Strangers
		return c, err
	})
}

// calibrations is how often a measurement that others disturb is begun.
const calibrations = 3

// undisturbed repeats a measurement until other programs left the machine alone
// meanwhile. All rates and bounds follow from it, so without one there is no run.
func undisturbed(say func(string, ...any), measure func() (Capacity, error)) (c Capacity, err error) {
	for range calibrations {
		if c, err = measure(); err != nil || c.Others <= maxStrangersCPU {
			return c, err
		}
		say("other programs used %s of the machine meanwhile: that does not count", percent(c.Others))
	}
	return c, stopf(ExitInvalid, "other programs used %s of the machine (bound %s) while the server's capacity was measured, %d times: a load that follows from that proves nothing",
		percent(c.Others), percent(maxStrangersCPU), calibrations)
}

// quietWithin is how long calibration waits for other programs.
const quietWithin = time.Minute

// pause is what a closed-loop client rests after an answer that was not right,
// so that refusals do not eat what is measured.
const pause = 50 * time.Millisecond

// closedLoop measures one class for the time d. Requests under way at its end
// are waited for and count, with their time, so that an answer slower than d
// still gives a rate.
func (s *session) closedLoop(ctx context.Context, class Class, weights []Weighted, clients int, d time.Duration) (Capacity, error) {
	m, err := s.deck.mix(weights)
	if err != nil {
		return Capacity{}, err
	}
	sum := Capacity{Clients: clients, Answers: map[string]int{}, reasons: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			one := s.loopOne(ctx, class, m, uint64(i)<<32|calibrationDomain, d)
			mu.Lock()
			defer mu.Unlock()
			sum.add(one)
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return sum, stopf(ExitInterrupted, "stopped while calibrating")
	}
	if len(sum.times) > 0 {
		slices.Sort(sum.times)
		sum.Median = Millis(sum.times[len(sum.times)/2])
	}
	return sum, nil
}

// calibrationDomain keeps calibration's draws apart from those of the load.
const calibrationDomain = 1 << 62

// loopOne is one client of a closed loop; from numbers its draws.
func (s *session) loopOne(ctx context.Context, class Class, m *mix, from uint64, d time.Duration) Capacity {
	c := Capacity{Answers: map[string]int{}, reasons: map[string]int{}}
	began := time.Now()
	for seq := from; time.Since(began) < d && ctx.Err() == nil; seq++ {
		call, err := s.deck.draw(m, s.Seed, seq)
		if err != nil {
			c.reasons[err.Error()]++
			break
		}
		within, cancel := context.WithTimeout(ctx, patienceOf(class).Abandon)
		try := s.client.send(within, "", call.user.Token, call.body)
		cancel()
		j := classify(call.op, call.user, try.answer)
		c.Answers[j.outcome.String()]++
		if j.outcome == OK {
			c.times = append(c.times, try.end.Sub(try.sent))
			continue
		}
		c.reasons[j.detail]++
		wait(ctx, time.Now().Add(pause))
	}
	if n := len(c.times); n > 0 {
		c.PerSecond = float64(n) / time.Since(began).Seconds()
	}
	return c
}

func (c *Capacity) add(one Capacity) {
	c.PerSecond += one.PerSecond
	c.times = append(c.times, one.times...)
	for name, n := range one.Answers {
		c.Answers[name] += n
	}
	for reason, n := range one.reasons {
		c.reasons[reason] += n
	}
}

// of is how many operations of a class the server does a second.
func (c *Calibration) of(class Class) (float64, error) {
	capacity := c.Interactive
	if class == ClassReport {
		capacity = c.Reports
	}
	if capacity.PerSecond == 0 {
		return 0, capacity.nothing()
	}
	return capacity.PerSecond, nil
}

// nothing explains a calibration without a right answer. Empty budgets void it;
// other answers are the server's failure.
func (c Capacity) nothing() error {
	most, reason := 0, "no answer"
	for text, n := range c.reasons {
		if n > most || n == most && text < reason {
			most, reason = n, text
		}
	}
	if c.Answers[Throttled.String()] > 0 {
		return stopf(ExitInvalid, "no right answer while calibrating, only %s: give more people with --tokens", reason)
	}
	return stopf(ExitViolated, "no right answer while calibrating: %s (%d times)", reason, most)
}
