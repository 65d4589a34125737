package loadtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RecordVersion is the version of the form of a record, its field surge_run.
// Fields may be added within a version; none changes its meaning or goes.
const RecordVersion = 1

// Record is a run with its verdict, as it is stored in run.json.
// docs/stored-runs.md explains each field.
type Record struct {
	Version      int               `json:"surge_run"`
	Command      string            `json:"command"` // run, breakpoint, ...
	Scenario     string            `json:"scenario"`
	ScenarioHash string            `json:"scenario_hash"` // of what was asked for: the scenario with its length and rate; the seed aside
	Target       string            `json:"target"`
	Seed         uint64            `json:"seed"`
	People       int               `json:"people"`
	Began        time.Time         `json:"began"`
	Took         Millis            `json:"took_ms"`
	Rounds       int               `json:"rounds"`
	Fingerprint  Fingerprint       `json:"fingerprint"`
	Calibration  *Calibration      `json:"calibration,omitempty"`
	Rates        *Rates            `json:"rates,omitempty"`
	Verdict      Verdict           `json:"verdict"`
	Line         string            `json:"line"` // the verdict in one line
	Phases       []PhaseRecord     `json:"phases"`
	Operations   []OperationRecord `json:"operations"`
	Kinds        []Kind            `json:"kinds,omitempty"` // of clients that reconnected
	Flow         []FlowSecond      `json:"flow,omitempty"`  // of clients that reconnected
	Series       []Series          `json:"series"`
	SeriesWidth  int               `json:"series_width_s"` // seconds that a bin of the series spans
	Readings     []Reading         `json:"readings"`
	Gate         []GateMoment      `json:"gate,omitempty"` // second by second, or as far apart as the series' bins
	Work         []Work            `json:"work"`
	Reasons      []Reason          `json:"reasons"` // why answers were not ok, commonest first
	Notes        []string          `json:"notes"`
	Steps        []Step            `json:"steps,omitempty"`  // of a search, as they were sent
	Points       []Point           `json:"points,omitempty"` // what the search found
	Audit        *Audit            `json:"audit,omitempty"`  // of the server's headroom_ratio, where it was asked for

	done   *finished // nil if it was read from a file
	voided bool      // its files could not be stored whole
}

// PhaseRecord is what one class saw in one phase, over all rounds.
type PhaseRecord struct {
	Phase     string         `json:"phase"`
	Class     Class          `json:"class"`
	Judged    bool           `json:"judged"`
	Start     Millis         `json:"start_ms"` // since the round's start
	For       Millis         `json:"for_ms"`
	Planned   int            `json:"planned"`
	PerSecond float64        `json:"planned_per_second"`
	Outcomes  map[string]int `json:"outcomes"`
	Attempts  int            `json:"attempts"` // sent; more than the operations where clients try again
	Refused   int            `json:"ok_with_user_errors"`
	Bytes     int64          `json:"bytes"`
	Response  Quantiles      `json:"response"` // from due, refusals aside
	Service   Quantiles      `json:"service"`  // from sent, refusals aside
	Server    Quantiles      `json:"server"`   // as Server-Timing says
	Shed      Quantiles      `json:"shed_response"`
	Seconds   []Second       `json:"seconds"`
}

// Second is the arrivals due in one second of a phase.
type Second struct {
	Round   int    `json:"round"`
	Second  int    `json:"second"`
	Planned int    `json:"planned"`
	OK      int    `json:"ok"`
	Shed    int    `json:"shed"`
	P50     Millis `json:"p50_ms"`
	P99     Millis `json:"p99_ms"`
}

// OperationRecord is what one operation came to in the judged phases.
type OperationRecord struct {
	Operation string    `json:"operation"`
	Sent      int       `json:"sent"`
	OK        int       `json:"ok"`
	Refused   int       `json:"ok_with_user_errors"`
	Response  Quantiles `json:"response"`
	Server    Quantiles `json:"server"` // as Server-Timing says
	Points    float64   `json:"points"` // on average, as X-Cost-Actual says; 0 if it does not
}

// idle tells of an operation that did nothing each time: right answers, all with
// userErrors.
func (o OperationRecord) idle() bool {
	const enough = 20 // fewer may be chance
	return o.OK >= enough && o.Refused == o.OK
}

// Reason is why answers were not ok, and how often.
type Reason struct {
	detail
	Count int `json:"count"`
}

// record sums up a finished run.
func (s *session) record(done *finished, c *Calibration, rates *Rates) *Record {
	r := &Record{
		Version: RecordVersion, Command: "run", Scenario: done.scenario.Name, ScenarioHash: s.scenarioHash(), Fingerprint: done.fingerprint, Target: s.target.String(), Seed: s.Seed, People: len(s.deck.scene.users),
		Began: done.began.UTC(), Took: Millis(done.took), Rounds: len(done.rounds),
		Calibration: c, Rates: rates, Verdict: done.verdict, done: done,
	}
	for _, span := range done.rounds[0].plan.phases {
		for _, class := range classesOf(span) {
			r.Phases = append(r.Phases, phaseRecord(done.rounds, span, class))
		}
	}
	r.Kinds = kinds(done.rounds, done.rounds[0].plan.phases)
	r.Flow = flow(done.rounds)
	r.SeriesWidth = seriesWidth(done.rounds[0].plan.length())
	r.Series = series(done.rounds, s.deck.operations, r.SeriesWidth)
	for _, round := range done.rounds {
		r.Readings = append(r.Readings, round.readings...)
		r.Gate = append(r.Gate, round.gate...)
		r.Work = append(r.Work, workOf(round.readings, round.plan.phases)...)
	}
	r.Operations = operations(done.rounds, s.deck.operations)
	r.Reasons = reasons(done.rounds)
	if s.watch.why != "" {
		r.Notes = append(r.Notes, "the load of other programs was not judged: "+s.watch.why)
	}
	if clients := done.scenario.crowd(); clients > r.People {
		r.Notes = append(r.Notes, fmt.Sprintf("%d clients share the tokens of %d people, and what each of those is told: give more people with --tokens", clients, r.People))
	}
	for _, op := range r.Operations {
		if op.idle() {
			r.Notes = append(r.Notes, fmt.Sprintf("all %d answers to %s hold userErrors: whatever it does was not tested", op.OK, op.Operation))
		}
	}
	r.Line = r.line()
	return r
}

func phaseRecord(rounds []*attack, span span, class Class) PhaseRecord {
	t := tallyOf(rounds, span.Name, class)
	times := 0
	for _, round := range rounds {
		if _, sent := round.plan.span(span.Name); sent {
			times++
		}
	}
	p := PhaseRecord{
		Phase: span.Name, Class: class, Judged: span.Judged, Start: Millis(span.start), For: Millis(span.For), Planned: t.planned,
		PerSecond: float64(t.planned) / float64(times) / span.For.Seconds(),
		Outcomes:  map[string]int{}, Attempts: t.attempts, Refused: t.refused, Bytes: t.bytes,
		Response: t.response.quantiles(), Service: t.service.quantiles(),
		Server: t.server.quantiles(), Shed: t.shed.quantiles(),
	}
	for outcome, n := range t.outcomes {
		if n > 0 {
			p.Outcomes[Outcome(outcome).String()] = n
		}
	}
	for i, round := range rounds {
		p.Seconds = append(p.Seconds, seconds(round, i, span.Name, class)...)
	}
	return p
}

// seconds lists what became of the arrivals due in each second. What clients ask
// after their first operation does not come in the order of seconds.
func seconds(round *attack, number int, phase string, class Class) []Second {
	var list []Second
	var responses []Histogram
	round.samples(phase, class, func(s sample) {
		at, known := slices.BinarySearchFunc(list, s.second, func(x Second, second int) int { return cmp.Compare(x.Second, second) })
		if !known {
			list = slices.Insert(list, at, Second{Round: number, Second: s.second})
			responses = slices.Insert(responses, at, Histogram{})
		}
		list[at].Planned++
		switch {
		case s.outcome == Shed:
			list[at].Shed++
			return
		case s.outcome == OK:
			list[at].OK++
		}
		if s.reached() {
			responses[at].Record(s.response())
		}
	})
	for i := range list {
		list[i].P50, list[i].P99 = Millis(responses[i].At(0.5)), Millis(responses[i].At(0.99))
	}
	return list
}

// operations sums up each operation over the judged phases.
func operations(rounds []*attack, known []*loaded) []OperationRecord {
	tallies := make([]tally, len(known))
	for _, round := range rounds {
		for _, span := range round.plan.phases {
			if !span.Judged {
				continue
			}
			round.samples(span.Name, "", func(s sample) {
				if s.reached() {
					tallies[s.op].add(s)
				}
			})
		}
	}
	var list []OperationRecord
	for i, op := range known {
		if t := &tallies[i]; t.planned > 0 {
			list = append(list, OperationRecord{op.Name, t.planned, t.outcomes[OK], t.refused, t.response.quantiles(), t.server.quantiles(), t.meanPoints()})
		}
	}
	return list
}

func reasons(rounds []*attack) []Reason {
	counts := map[detail]int{}
	for _, round := range rounds {
		for d, n := range round.reasons() {
			counts[d] += n
		}
	}
	list := make([]Reason, 0, len(counts))
	for d, n := range counts {
		list = append(list, Reason{d, n})
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Reason, b.Reason))
	})
	return list
}

// line is the verdict in one line: what was promised and what was seen.
func (r *Record) line() string {
	word := fmt.Sprintf("%-7s  ", r.Verdict.Word)
	switch r.Verdict.Word {
	case "INTERRUPTED":
		return word + "after " + short(time.Duration(r.Took)) + ": the figures above are partial"
	case "INVALID", "UNDECIDED":
		return word + r.Verdict.Reasons[0]
	}
	var parts []string
	for _, class := range r.classes() {
		parts = append(parts, r.classLine(class))
	}
	if recovery := r.Verdict.Recovery; recovery != nil {
		parts = append(parts, recovery.String())
	}
	return word + strings.Join(parts, "; ")
}

// classes are those with objectives, in their order.
func (r *Record) classes() []Class {
	var list []Class
	for _, result := range r.Verdict.Results {
		if !slices.Contains(list, result.Class) {
			list = append(list, result.Class)
		}
	}
	return list
}

func (r *Record) classLine(class Class) string {
	if class == ClassReport {
		return r.reportsLine()
	}
	var briefs []string
	for _, result := range r.Verdict.Results {
		if result.Class == class {
			briefs = append(briefs, result.brief())
		}
	}
	return string(class) + " " + strings.Join(briefs, ", ")
}

// brief is an objective as the verdict line shows it.
func (r Result) brief() string {
	name, limit := r.name, " ("+r.limit+")"
	if r.Decision == Met && r.name == "shed" {
		limit = ""
	}
	return name + " " + r.Observed + limit
}

// reportsLine tells how many times the server's capacity came, and what became
// of it.
func (r *Record) reportsLine() string {
	text := "reports"
	if r.Rates != nil && r.Rates.Reports > 0 {
		text += fmt.Sprintf(" %.1fx", r.Rates.Reports/r.Calibration.Reports.PerSecond)
	}
	t := tallyOf(r.done.rounds, r.done.scenario.under(ClassReport), ClassReport)
	text += fmt.Sprintf(": ok %s, shed %s", percent(t.share(OK)), percent(t.share(Shed)))
	if other := 1 - t.share(OK, Shed); other > 0 && t.reached() > 0 {
		text += ", other " + percent(other)
	}
	return text
}
