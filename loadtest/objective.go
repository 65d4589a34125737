package loadtest

import (
	"math"
	"strconv"
	"time"
)

// An Objective is one promise to a class: of the samples it counts, at most the
// allowed share may be bad.
type Objective struct {
	Class Class
	Name  string // "p99", "ok", ...
	Limit string // "<= 100 ms", ...

	phase   string // in which it holds
	allowed float64
	counts  func(sample) bool
	// bad judges by what the person saw; proven, more narrowly, by what neither the
	// generator nor, if the machine was hogged, its other programs can have caused.
	bad     func(sample) bool
	proven  func(sample, doubt) bool
	observe func(*tally) string

	latency  time.Duration // the limit, of objectives about response time
	optional bool          // met where it counts nothing
	attempts bool          // it counts attempts instead of operations
	kind     string        // it counts clients of this kind instead of operations; empty: none

	// settled, if there is one, fixes a limit that depends on what was found.
	settled func(rounds []*attack, phase string) Objective
	// measure, if there is one, takes the place of all that counts samples.
	measure func(rounds []*attack, phase string) (observed string, samples int, holds bool)
}

// within promises that the share q of the answers come within limit. Refusals
// to serve have an objective of their own; an error is no answer, however fast.
func within(class Class, q float64, limit time.Duration) Objective {
	broken := func(s sample) bool { return s.outcome == Failed || s.outcome == Connection }
	return Objective{
		Class: class, Name: percentile(q), Limit: "<= " + short(limit), allowed: 1 - q, latency: limit,
		counts: func(s sample) bool { return s.reached() && s.outcome != Shed && s.outcome != Throttled },
		bad:    func(s sample) bool { return broken(s) || s.response() > limit },
		proven: func(s sample, not doubt) bool { return broken(s) || not.longer(s.service(), limit) },
		observe: func(t *tally) string {
			if t.share(Failed, Connection) > 1-q {
				return errorsOnly
			}
			return short(t.response.at(q))
		},
	}
}

// errorsOnly is seen where there are more errors than answers that may be late.
const errorsOnly = "errors"

// okShare promises that at least the share given is answered right and in time.
func okShare(class Class, share float64) Objective {
	return Objective{
		Class: class, Name: "ok", Limit: ">= " + percent(share), allowed: 1 - share,
		counts:  sample.reached,
		bad:     func(s sample) bool { return s.outcome != OK },
		proven:  func(s sample, not doubt) bool { return s.outcome != OK && not.serversFault(s) },
		observe: func(t *tally) string { return percent(t.share(OK)) },
	}
}

// shedBudget promises that at most the share given is refused for load.
func shedBudget(class Class, share float64) Objective {
	shed := func(s sample) bool { return s.outcome == Shed }
	o := Objective{
		Class: class, Name: "shed", Limit: "<= " + percent(share), allowed: share,
		counts: sample.reached, bad: shed,
		proven:  func(s sample, not doubt) bool { return !not.hogged && shed(s) },
		observe: func(t *tally) string { return percent(t.share(Shed)) },
	}
	if share == 0 {
		o.Limit, o.observe = "0", func(t *tally) string { return strconv.Itoa(t.outcomes[Shed]) }
	}
	return o
}

// okOrShed promises that at least the share given is either answered or refused
// in the documented way.
func okOrShed(class Class, share float64) Objective {
	bad := func(s sample) bool { return s.outcome != OK && s.outcome != Shed && s.outcome != Throttled }
	limit := ">= " + percent(share)
	if share == 1 {
		limit = percent(share)
	}
	return Objective{
		Class: class, Name: "ok + shed", Limit: limit, allowed: 1 - share,
		counts: sample.reached, bad: bad,
		proven:  func(s sample, not doubt) bool { return bad(s) && not.serversFault(s) },
		observe: func(t *tally) string { return percent(t.share(OK, Shed, Throttled)) },
	}
}

// shedWithin promises that refusals come fast.
func shedWithin(class Class, q float64, limit time.Duration) Objective {
	return Objective{
		Class: class, Name: "shed " + percentile(q), Limit: "<= " + short(limit), allowed: 1 - q, latency: limit, optional: true, attempts: true,
		counts:  func(s sample) bool { return s.outcome == Shed },
		bad:     func(s sample) bool { return s.refusedIn() > limit },
		proven:  func(s sample, not doubt) bool { return not.longer(s.service()-s.waited(), limit) },
		observe: func(t *tally) string { return short(t.shed.at(q)) },
	}
}

// served promises that the share given of the clients of a kind have all their
// operations answered right within the limit.
func served(class Class, kind string, share float64, limit time.Duration) Objective {
	return Objective{
		Class: class, Name: kind + " clients served", Limit: percent(share) + " within " + short(limit), allowed: 1 - share,
		kind: kind, counts: sample.reached,
		bad: func(s sample) bool { return s.outcome != OK || s.response() > limit },
		proven: func(s sample, not doubt) bool {
			return !not.hogged && s.outcome != OK || not.longer(s.service(), limit)
		},
		observe: func(t *tally) string {
			return percent(t.share(OK)) + ", " + percentile(share) + " " + short(t.response.at(share))
		},
	}
}

// doubt is what speaks for the server when something took long or was refused.
type doubt struct {
	hogged bool          // the generator or other programs had its processors
	delay  time.Duration // by which the generator may have lengthened any operation
}

// handed is how often an operation is handed from one goroutine to another between
// being sent and being over: to its connection, to the kernel, back, and to who asked.
// Each time it may have to wait for a processor as long as it had to be sent.
const handed = 4

// longer reports whether the server took longer than a limit, whatever the generator did.
func (d doubt) longer(took, limit time.Duration) bool { return !d.hogged && took-d.delay > limit }

// serversFault tells whether a bad outcome can be laid at the server's door
// even if the generator was not well. A throttled client asked for too much; an
// answer is provably late only if the server itself took so long; and on a
// hogged machine neither delay nor refusal for load is the server's fault.
func (d doubt) serversFault(s sample) bool {
	switch s.outcome {
	case Throttled:
		return false
	case Shed:
		return !d.hogged
	case Late, Timeout:
		return d.longer(s.service(), s.late)
	}
	return true
}

// Result is an objective with what was found.
type Result struct {
	Phase     string   `json:"phase"`
	Class     Class    `json:"class"`
	Objective string   `json:"objective"` // "p99 <= 100 ms"
	Observed  string   `json:"observed"`
	Samples   int      `json:"samples"`
	Bad       int      `json:"bad"`
	Effective float64  `json:"effective_samples"` // after the clustering of bad ones
	Decision  Decision `json:"decision"`
	Proven    bool     `json:"proven"` // violated whatever the generator did
	Needs     int      `json:"needs,omitempty"`

	name, limit string
	latency     time.Duration
	over        bool // the share of bad samples is more than allowed, by luck or not
}

// evaluate decides an objective over the phase of all rounds.
func (o Objective) evaluate(rounds []*attack, phase string, not doubt) Result {
	if o.measure != nil {
		return o.result(rounds, phase, not)
	}
	if o.settled != nil {
		o = o.settled(rounds, phase)
	}
	bad, proven := o.clusters(rounds, phase, not)
	r := Result{Phase: phase, Class: o.Class, Objective: o.Name + " " + o.Limit, name: o.Name, limit: o.Limit, latency: o.latency}
	for _, second := range bad {
		r.Samples += int(second.n)
		r.Bad += int(second.bad)
	}
	r.Observed = o.observe(o.tally(rounds, phase))
	if r.Samples == 0 {
		r.Observed = "-"
	}
	if r.Samples == 0 && o.optional {
		r.Decision = Met
		return r
	}
	r.Proven = decideClusters(proven, o.allowed).decision == Violated
	r.over = float64(r.Bad) > o.allowed*float64(r.Samples)
	d := decideClusters(bad, o.allowed)
	r.Effective, r.Decision = d.effective, d.decision
	if r.Proven {
		r.Decision = Violated
	}
	if r.Decision == Undecided {
		r.Needs = samplesFor(o.allowed)
	}
	return r
}

// samples calls yield for what the objective counts: operations, attempts, or
// clients.
func (o Objective) samples(round *attack, phase string, yield func(sample)) {
	switch {
	case o.kind != "":
		round.clients(phase, o.kind, yield)
	case o.attempts:
		round.attempts(phase, o.Class, yield)
	default:
		round.samples(phase, o.Class, yield)
	}
}

// tally sums up what the objective is about.
func (o Objective) tally(rounds []*attack, phase string) *tally {
	if o.kind == "" {
		return tallyOf(rounds, phase, o.Class)
	}
	t := &tally{}
	for _, round := range rounds {
		round.clients(phase, o.kind, t.add)
	}
	return t
}

// clusters counts the objective's samples by second, once with what is bad and
// once with what is provably bad.
func (o Objective) clusters(rounds []*attack, phase string, not doubt) (bad, proven []cluster) {
	for _, round := range rounds {
		first := len(bad)
		o.samples(round, phase, func(s sample) {
			if !o.counts(s) {
				return
			}
			for len(bad) <= first+s.second {
				bad, proven = append(bad, cluster{}), append(proven, cluster{})
			}
			at := first + s.second
			bad[at].n++
			proven[at].n++
			if o.bad(s) {
				bad[at].bad++
			}
			if o.proven(s, not) {
				proven[at].bad++
			}
		})
	}
	return bad, proven
}

type decided struct {
	decision  Decision
	effective float64
}

func decideClusters(seconds []cluster, allowed float64) decided {
	var n, bad float64
	for _, s := range seconds {
		n += s.n
		bad += s.bad
	}
	weight := spread(seconds)
	return decided{decide(bad/weight, n/weight, allowed), n / weight}
}

func percentile(q float64) string { return "p" + strconv.FormatFloat(q*100, 'g', 4, 64) }

// percent shows a share with one digit, near the top with two, rounded down so
// that 99.995 % does not read as all.
func percent(share float64) string {
	if share == 0 || share == 1 {
		return strconv.Itoa(int(share)*100) + " %"
	}
	digits := 1
	if share > 0.99 {
		digits = 2
	}
	scale := math.Pow10(digits)
	return strconv.FormatFloat(math.Floor(share*100*scale+1e-6)/scale, 'f', -1, 64) + " %"
}

// short shows a duration with three digits, in milliseconds below a second.
func short(d time.Duration) string {
	if d >= time.Second {
		return strconv.FormatFloat(math.Round(d.Seconds()*100)/100, 'g', 4, 64) + " s"
	}
	return strconv.FormatFloat(float64(d.Microseconds())/1e3, 'g', 3, 64) + " ms"
}
