package loadtest

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// SummaryVersion is the version of the JSON form of a study, its field
// surge_report. docs/surge-report.schema.json describes it; within a version
// fields may be added, none changes its meaning or goes.
const SummaryVersion = 1

// summary is a study for programs: the verdicts with what decided them. The
// stored runs hold the rest.
type summary struct {
	Version    int          `json:"surge_report"`
	Runs       []runSummary `json:"runs"`
	Comparison *Comparison  `json:"comparison,omitempty"`
	Forecast   *Forecast    `json:"forecast,omitempty"`
}

type runSummary struct {
	Name        string            `json:"name"`
	Scenario    string            `json:"scenario"`
	Hash        string            `json:"scenario_hash"`
	Target      string            `json:"target"`
	Seed        uint64            `json:"seed"`
	Began       time.Time         `json:"began"`
	Took        Millis            `json:"took_ms"`
	Verdict     string            `json:"verdict"`
	Exit        Exit              `json:"exit"`
	Cause       string            `json:"cause"`
	Reasons     []string          `json:"reasons"`
	Objectives  []Result          `json:"objectives"`
	Operations  []OperationRecord `json:"operations"`
	Fingerprint Fingerprint       `json:"fingerprint"`
}

// WriteJSON writes the study for programs.
func (s *Study) WriteJSON(w io.Writer) error {
	out := summary{Version: SummaryVersion, Runs: []runSummary{}, Comparison: s.Comparison, Forecast: s.Forecast}
	for i, r := range s.Runs {
		out.Runs = append(out.Runs, runSummary{
			Name: s.Names[i], Scenario: r.Scenario, Hash: r.ScenarioHash, Target: r.Target, Seed: r.Seed, Began: r.Began, Took: r.Took,
			Verdict: r.Verdict.Word, Exit: r.Verdict.Exit, Cause: r.Cause(), Reasons: notNil(r.Verdict.Reasons),
			Objectives: notNil(r.Verdict.Results), Operations: notNil(r.Operations), Fingerprint: r.Fingerprint,
		})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// notNil makes of no list an empty one, so that programs find an array.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// The elements of JUnit's XML that build servers read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the study as JUnit's XML: a suite for each run, with a test
// case for each promise, and one for whether the run was valid. A promise that
// was broken is a failure; what could not be decided is an error.
func (s *Study) WriteJUnit(w io.Writer) error {
	out := junitSuites{Name: "surge"}
	if s.Comparison != nil {
		out.add(s.Comparison.junit())
	}
	for i, r := range s.Runs {
		out.add(r.junit(s.Names[i]))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", " ")
	if err := encoder.Encode(out); err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return nil
}

func (s *junitSuites) add(suite junitSuite) {
	s.Tests, s.Failures, s.Errors = s.Tests+suite.Tests, s.Failures+suite.Failures, s.Errors+suite.Errors
	s.Suites = append(s.Suites, suite)
}

// junit is the comparison as one test case.
func (r *Comparison) junit() junitSuite {
	test := junitCase{Class: "surge.compare", Name: "the new one is not slower"}
	suite := junitSuite{Name: r.New + " against " + r.Base, Tests: 1}
	why := &junitMessage{Message: r.Verdict + ": " + r.cause(), Text: strings.Join(r.Reasons, "\n")}
	switch r.Exit {
	case ExitPass:
	case ExitRegression:
		test.Failure, suite.Failures = why, 1
	default:
		test.Error, suite.Errors = why, 1
	}
	suite.Cases = []junitCase{test}
	return suite
}

func (r *Record) junit(name string) junitSuite {
	suite := junitSuite{Name: name, Time: fmt.Sprintf("%.3f", time.Duration(r.Took).Seconds()), Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05")}
	valid := junitCase{Class: r.Scenario, Name: "the run is valid"}
	if r.Verdict.Exit != ExitPass && r.Verdict.Exit != ExitViolated {
		valid.Error = &junitMessage{Message: r.Verdict.Word + ": " + r.Cause(), Text: strings.Join(r.Verdict.Reasons, "\n")}
		suite.Errors++
	}
	suite.Cases = append(suite.Cases, valid)
	for _, c := range r.checks() {
		test := junitCase{Class: r.Scenario, Name: c.name}
		if c.broken != "" {
			test.Failure = &junitMessage{Message: c.broken, Text: strings.Join(r.Verdict.Reasons, "\n")}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, test)
	}
	for _, o := range r.Verdict.Results {
		test := junitCase{Class: r.Scenario + "." + string(o.Class), Name: o.Objective}
		text := fmt.Sprintf("observed %s: %d of %d samples broke it", o.Observed, o.Bad, o.Samples)
		switch o.Decision {
		case Violated:
			test.Failure = &junitMessage{Message: "observed " + o.Observed, Text: text}
			suite.Failures++
		case Undecided:
			test.Error = &junitMessage{Message: "undecided: observed " + o.Observed, Text: text}
			suite.Errors++
		}
		suite.Cases = append(suite.Cases, test)
	}
	suite.Tests = len(suite.Cases)
	return suite
}

// check is what a run must keep beside its promises.
type check struct {
	name   string
	broken string // how; empty: it is kept
}

// checks are those of a run, in the same order each time.
func (r *Record) checks() []check {
	list := []check{{name: "nobody is shown what is not theirs"}}
	if r.Verdict.Foreign > 0 {
		list[0].broken = r.Cause()
	}
	if back := r.Verdict.Recovery; back != nil {
		c := check{name: "back in bound within " + short(time.Duration(back.Within))}
		if back.late() {
			c.broken = back.String()
		}
		list = append(list, c)
	}
	if r.Command == "breakpoint" {
		c := check{name: "the search passes"}
		if r.Verdict.Exit == ExitViolated && r.Verdict.Foreign == 0 {
			c.broken = cmp.Or(r.Cause(), r.Verdict.Word)
		}
		list = append(list, c)
	}
	return list
}

// WriteMarkdown writes the study for a pull request: a line with the cause for
// each run, then its promises.
func (s *Study) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	if c := s.Comparison; c != nil {
		c.markdown(&b)
	}
	for i, r := range s.Runs {
		fmt.Fprintf(&b, "**surge %s: %s** %s\n\n", cell(s.Names[i]), r.Verdict.Word, cell(r.Cause()))
		if len(r.Verdict.Results) == 0 {
			continue
		}
		b.WriteString("| promise | seen | margin | broken by | decision |\n|---|---:|---:|---:|---|\n")
		for _, o := range r.Verdict.Results {
			fmt.Fprintf(&b, "| %s %s | %s | %s | %d of %d | %s |\n",
				o.Class, cell(o.Objective), cell(o.Observed), margin(o), o.Bad, o.Samples, o.Decision)
		}
		b.WriteString("\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write Markdown: %w", err)
	}
	return nil
}

// markdown writes the comparison: its cause, then its figures.
func (r *Comparison) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "**surge compare: %s** %s\n\n", r.Verdict, cell(r.cause()))
	for _, t := range r.tables() {
		fmt.Fprintf(b, "| %s |\n|%s\n", strings.Join(t.Head, " | "), strings.Repeat("---|", len(t.Head)))
		for _, row := range t.Rows {
			var cells []string
			for _, c := range row {
				cells = append(cells, cell(c))
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteString("\n")
	}
}

// cell keeps text from ending a cell of a Markdown table or being read as HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
