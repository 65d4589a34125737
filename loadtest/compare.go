package loadtest

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Comparison says whether one server is slower than another.
type Comparison struct {
	Base       string            `json:"base"` // as given
	New        string            `json:"new"`
	Verdict    string            `json:"verdict"` // SLOWER, SAME, UNDECIDED, INVALID or INTERRUPTED
	Exit       Exit              `json:"exit"`
	Reasons    []string          `json:"reasons"`        // the first decided it
	Schemas    bool              `json:"schemas_differ"` // what was sent fits both
	Machine    *Primary          `json:"machine"`        // the base against itself; nil if that was not asked for
	Counters   []CounterChange   `json:"counters"`
	Primary    *Primary          `json:"primary"` // nil if counters decided, or there were too few runs
	Operations []OperationChange `json:"operations"`

	baseRuns, newRuns []*Record
	voids             bool // a run proves nothing but by the server's counters
	strict            bool // such runs are made again
	count             bool // counters alone
}

// Primary is the one endpoint that decides: processor time of the server and
// its database, for an operation of the mix.
type Primary struct {
	shift
	BaseMicros float64  `json:"base_us"` // geometric mean
	NewMicros  float64  `json:"new_us"`
	Pairs      int      `json:"pairs"`
	Decision   Decision `json:"decision"` // violated: slower
}

// CounterChange is work of the server for an operation, by its own counters.
// It does not depend on the machine.
type CounterChange struct {
	Counter string  `json:"counter"`
	Class   Class   `json:"class"` // empty: all
	Base    float64 `json:"base"`  // an operation
	New     float64 `json:"new"`
	More    bool    `json:"more"` // in every pair, by more than is allowed
}

// OperationChange is how the service time of one operation changed.
type OperationChange struct {
	Operation string  `json:"operation"`
	Ratio     float64 `json:"ratio"` // of the median service times, new / base
	P         float64 `json:"p"`     // over all operations together
}

// ExitRegression is the code of a comparison that found the new one slower.
const ExitRegression Exit = 5

// side is one of the two that are compared.
type side struct {
	text   string
	stored []*Record // of a baseline
	target string    // of a server that runs
	serve  string    // command line of one to start
}

// newSide understands an address, a folder of stored runs, or a command line.
func newSide(text string) (side, error) {
	s := side{text: text}
	if u, err := url.Parse(text); err == nil && u.Scheme != "" && u.Host != "" {
		s.target = text
		return s, nil
	}
	if _, err := os.Stat(text); err != nil {
		if !strings.ContainsAny(text, " ") {
			return s, stopf(ExitUsage, "%q is no address, no folder of stored runs and no command line of a server", text)
		}
		s.serve = text
		return s, nil
	}
	paths, err := filepath.Glob(filepath.Join(text, "*", runFile))
	if err != nil {
		return s, stopf(ExitUsage, "look for stored runs in %s: %w", text, err)
	}
	if len(paths) == 0 {
		paths = []string{text}
	}
	for _, path := range paths {
		r, err := ReadRecord(path)
		if err != nil {
			return s, &Stop{ExitUsage, err}
		}
		s.stored = append(s.stored, r)
	}
	slices.SortFunc(s.stored, func(a, b *Record) int { return a.Began.Compare(b.Began) })
	s.stored = s.stored[max(0, len(s.stored)-mostRuns):]
	return s, nil
}

// Comparing is how to compare.
type Comparing struct {
	AA    bool // first compare the base with itself, which tells whether the machine is fit
	Count bool // look at the counters only, for which no machine is too busy
}

// mostRuns is how many runs of a side are compared, the newest: there are 12,870
// ways to label 8 + 8.
const mostRuns = 8

// mostVoid is how often a run may be void before the machine is to blame.
const mostVoid = 4

// Compare compares two servers, each given as an address, as the command line
// that starts it, or as a folder of stored runs. Live ones are run in turns,
// base, new, new, base, so that a drift of the machine meets both.
func Compare(ctx context.Context, c Config, base, next string, how Comparing) (*Comparison, error) {
	a, err := newSide(base)
	if err != nil {
		return nil, err
	}
	b, err := newSide(next)
	if err != nil {
		return nil, err
	}
	for _, s := range []side{a, b} { // both, before either is loaded
		if at := (Config{Target: s.target, Own: c.Own}); s.target != "" {
			if _, err := at.addresses(); err != nil {
				return nil, err
			}
		}
	}
	result := &Comparison{Base: base, New: next, count: how.Count, Counters: []CounterChange{}, Operations: []OperationChange{}, baseRuns: a.stored, newRuns: b.stored}
	if len(a.stored) > 0 && len(b.stored) > 0 {
		return result, result.judgeStored()
	}
	if how.AA && !how.Count {
		if len(a.stored) > 0 {
			return nil, stopf(ExitUsage, "--aa runs the base twice, and %s is stored", base)
		}
		same := &Comparison{Base: base, New: base}
		if err := same.live(ctx, c, a, a, "aa"); err != nil {
			return nil, err
		}
		if result.Machine = same.Primary; same.Exit == ExitRegression {
			result.conclude(ExitInvalid, "INVALID", "the machine calls the base slower than itself: "+strings.Join(same.Reasons, "; "))
			return result, nil
		}
	}
	return result, result.live(ctx, c, a, b, "")
}

// live runs pairs until a look decides.
func (r *Comparison) live(ctx context.Context, c Config, a, b side, name string) error {
	for _, l := range looks {
		for max(len(r.baseRuns), len(r.newRuns)) < l.pairs || min(len(r.baseRuns), len(r.newRuns)) < l.pairs {
			pair := min(len(r.baseRuns), len(r.newRuns))
			if err := r.pair(ctx, c, a, b, name, pair); err != nil {
				return err
			}
			if r.Verdict != "" {
				return nil
			}
			if err := r.alike(); err != nil {
				return err
			}
			if r.leaked() {
				return nil
			}
			if r.counters(); r.moreWork() {
				return nil
			}
			if pair+1 < countedPairs {
				continue
			}
			if r.count {
				r.noMoreWork()
				return nil
			}
			if r.voids {
				r.baseRuns, r.newRuns, r.voids = a.stored, b.stored, false
			}
			r.strict = true // from now on the machine has to be well
		}
		if r.decide(l); r.Verdict != "" {
			return nil
		}
	}
	r.conclude(ExitInvalid, "UNDECIDED", "no look decided")
	return nil
}

// pair runs both sides once, the order changing from pair to pair. A stored
// side has its runs already.
func (r *Comparison) pair(ctx context.Context, c Config, a, b side, name string, pair int) error {
	c.Seed += uint64(pair) // both sides get the same operations
	turns := []struct {
		side side
		runs *[]*Record
		name string
	}{{a, &r.baseRuns, "base"}, {b, &r.newRuns, "new"}}
	if pair%2 == 1 {
		turns[0], turns[1] = turns[1], turns[0]
	}
	for _, turn := range turns {
		if len(turn.side.stored) > 0 {
			continue
		}
		run, err := turn.side.run(ctx, c, r.strict, filepath.Join(name, turn.name, fmt.Sprintf("%02d", pair+1)))
		switch {
		case err != nil && (ExitOf(err) != ExitInterrupted || len(r.baseRuns)+len(r.newRuns) == 0):
			return err
		case err != nil, run.Verdict.Exit == ExitInterrupted:
			r.conclude(ExitInterrupted, "INTERRUPTED", fmt.Sprintf("after %d pairs", pair))
			return nil
		case run.Verdict.Word == "INVALID" && (r.strict || !run.answered()):
			r.conclude(ExitInvalid, "INVALID", turn.name+": "+run.Cause())
			return nil
		}
		r.voids = r.voids || run.Verdict.Word == "INVALID"
		*turn.runs = append(*turn.runs, run)
	}
	return nil
}

// run runs the scenario once, again if the generator was not well and more than the
// server's counters are wanted, or even they mean nothing.
func (s side) run(ctx context.Context, c Config, strict bool, name string) (*Record, error) {
	if c.Out != "" {
		c.Out = filepath.Join(c.Out, name)
	}
	var run *Record
	for range mostVoid {
		err := s.once(ctx, c, func(session *session) error {
			session.say("run %s", name)
			var err error
			run, err = session.run(ctx, nil)
			return err
		})
		if err != nil {
			return nil, err
		}
		if run.Verdict.Word != "INVALID" || !strict && run.answered() {
			break
		}
	}
	return run, nil
}

func (s side) once(ctx context.Context, c Config, use func(*session) error) error {
	if s.serve != "" {
		return c.with(ctx, s.serve, "on", use)
	}
	c.Target, c.Admin = s.target, ""
	session, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer session.client.close()
	return use(session)
}

// judgeStored compares what was run before. Runs that were not in turns cannot
// tell a slower server from a slower hour: their processor time is a note.
func (r *Comparison) judgeStored() error {
	if err := r.alike(); err != nil {
		return err
	}
	if r.leaked() {
		return nil
	}
	if r.counters(); r.moreWork() {
		return nil
	}
	pairs := min(len(r.baseRuns), len(r.newRuns))
	least := looks[0].pairs
	if r.count {
		least = countedPairs
	}
	switch {
	case pairs < least:
		r.conclude(ExitInvalid, "UNDECIDED", fmt.Sprintf("%d and %d runs: it takes at least %d of each", len(r.baseRuns), len(r.newRuns), least))
		return nil
	case r.count:
		r.noMoreWork()
		return nil
	}
	for _, run := range slices.Concat(r.baseRuns, r.newRuns) {
		if word := run.Verdict.Word; word == "INVALID" || word == "INTERRUPTED" {
			r.conclude(ExitInvalid, "INVALID", fmt.Sprintf("the run of %s is %s: %s", run.Began.Format("2006-01-02 15:04:05"), word, run.Cause()))
			return nil
		}
	}
	l := look{pairs: pairs, alpha: significance, clear: significance} // one look only
	r.decide(l)
	if r.Exit == ExitRegression && !inTurns(r.baseRuns, r.newRuns) {
		r.conclude(ExitInvalid, "UNDECIDED", append([]string{"suspect, but the runs were not made in turns: the machine may have changed"}, r.Reasons...)...)
	}
	return nil
}

// alike refuses runs that may not be mixed. The schemas of the two sides may differ:
// a release that adds a field has to be told from the last one too, and each run's
// operations were found to fit its own server.
func (r *Comparison) alike() error {
	for _, err := range []error{
		Alike(r.baseRuns...), Alike(r.newRuns...),
		alikeBut(func(f *Fingerprint) { f.Schema = "" }, slices.Concat(r.baseRuns, r.newRuns)),
	} {
		if err != nil {
			return &Stop{ExitUsage, err}
		}
	}
	r.Schemas = len(r.baseRuns) > 0 && len(r.newRuns) > 0 && r.baseRuns[0].Fingerprint.Schema != r.newRuns[0].Fingerprint.Schema
	return nil
}

// leaked concludes if the new server showed people what is not theirs: nothing excuses
// that, however fast it was.
func (r *Comparison) leaked() bool {
	for _, run := range r.newRuns {
		if run.Verdict.Foreign > 0 {
			r.conclude(ExitRegression, "SLOWER", "the new one is wrong: "+run.Cause())
			return true
		}
	}
	return false
}

// inTurns tells whether no more than two runs of the same side follow each other.
func inTurns(base, next []*Record) bool {
	type turn struct {
		at   time.Time
		next bool
	}
	var turns []turn
	for i, side := range [][]*Record{base, next} {
		for _, r := range side {
			turns = append(turns, turn{r.Began, i == 1})
		}
	}
	slices.SortFunc(turns, func(a, b turn) int { return a.at.Compare(b.at) })
	for i := 2; i < len(turns); i++ {
		if turns[i].next == turns[i-1].next && turns[i].next == turns[i-2].next {
			return false
		}
	}
	return true
}

func (r *Comparison) conclude(exit Exit, word string, reasons ...string) {
	r.Exit, r.Verdict, r.Reasons = exit, word, reasons
}

// decide looks at the primary endpoint, and at promises that only the new one
// breaks.
func (r *Comparison) decide(l look) {
	base, next, known := costs(r.baseRuns, r.newRuns)
	if !known {
		r.conclude(ExitInvalid, "INVALID", "the server's processor time is not known: it must run on this machine, or tell it at its operators' address")
		return
	}
	r.Primary = &Primary{
		shift: compareRuns(base, next), BaseMicros: 1e6 * math.Exp(mean(logs(base))), NewMicros: 1e6 * math.Exp(mean(logs(next))), Pairs: l.pairs,
	}
	r.Primary.Decision = l.decide(r.Primary.P)
	r.Operations = operationChanges(r.baseRuns, r.newRuns)
	broken := newlyBroken(r.baseRuns, r.newRuns)
	switch {
	case r.Primary.Decision == Violated:
		r.conclude(ExitRegression, "SLOWER", append([]string{r.Primary.String()}, broken...)...)
	case len(broken) > 0:
		r.conclude(ExitRegression, "SLOWER", append(broken, r.Primary.String())...)
	case r.Primary.Decision == Met:
		r.conclude(ExitPass, "SAME", r.Primary.String())
	}
}

// String is the endpoint in one line.
func (p *Primary) String() string {
	return fmt.Sprintf("processor time of an operation %+.1f %% (%s to %s, p = %.3f, %d + %d runs)",
		100*(p.Ratio-1), change(p.Low), change(p.High), p.P, p.Pairs, p.Pairs)
}

func change(ratio float64) string {
	if math.IsInf(ratio, 0) || ratio == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%+.1f %%", 100*(ratio-1))
}
