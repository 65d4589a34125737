package loadtest

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// htmlPage is what the HTML report shows. It opens from disk with no network: all
// styles and drawings are in the file, and there is no script.
type htmlPage struct {
	Title, Subtitle, Footer string
	Style                   template.CSS
	Overview                *pageTable
	Together                *chart
	Runs                    []runPage
}

// pagePart is a chapter of tables.
type pagePart struct {
	Title, Lead string
	Tables      []pageTable
}

type pageTable struct {
	Title string
	Head  []string
	Rows  [][]string
}

// runPage is one run.
type runPage struct {
	ID, Name                string
	Word, Tone, Sign, Cause string
	More                    []string
	Facts                   []fact
	Promises                []promiseRow
	Charts                  []*chart
	Sections                []pagePart
}

type fact struct{ Name, Value string }

type promiseRow struct {
	Class                     Class
	Promise, Observed, Margin string
	Bad, Samples              int
	Effective                 string
	Decision                  Decision
}

// A Study is stored runs with what was found across them.
type Study struct {
	Runs       []*Record
	Names      []string    // of the runs, as they are shown
	Comparison *Comparison // nil if none was made
	Forecast   *Forecast   // nil likewise
}

// NewStudy is a study of runs under the names given, which are told apart where
// they are the same.
func NewStudy(runs []*Record, names []string) *Study {
	s := &Study{Runs: runs}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			name = fmt.Sprintf("%s (%d)", name, i+1)
		}
		s.Names = append(s.Names, name)
	}
	return s
}

var errNothing = errors.New("there is nothing to report")

// WriteHTML writes the study as one page that needs nothing else.
func (s *Study) WriteHTML(w io.Writer) error {
	p, err := s.page()
	if err != nil {
		return err
	}
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func (s *Study) page() (*htmlPage, error) {
	if len(s.Runs) == 0 && s.Comparison == nil && s.Forecast == nil {
		return nil, errNothing
	}
	p := &htmlPage{Title: s.title(), Subtitle: s.subtitle(), Style: template.CSS(pageCSS), Footer: "Written by surge. The page needs no network and holds everything it shows."}
	if s.Comparison != nil {
		p.Runs = append(p.Runs, s.Comparison.page())
	}
	if s.Forecast != nil {
		p.Runs = append(p.Runs, s.Forecast.page())
	}
	for i, run := range s.Runs {
		p.Runs = append(p.Runs, run.page(fmt.Sprintf("run-%d", i+1), s.Names[i]))
	}
	if len(s.Runs) > 1 {
		p.Overview, p.Together = s.overview(), s.together()
	}
	return p, nil
}

func (s *Study) title() string {
	switch {
	case s.Comparison != nil:
		return "Comparison by surge"
	case s.Forecast != nil:
		return "Capacity forecast by surge"
	case len(s.Runs) == 1:
		return "Load test: " + s.Runs[0].Scenario
	}
	return fmt.Sprintf("Load test: %d runs", len(s.Runs))
}

func (s *Study) subtitle() string {
	if len(s.Runs) == 0 {
		return ""
	}
	return s.Runs[0].Began.Format("2 January 2006, 15:04 MST")
}

func (s *Study) overview() *pageTable {
	t := &pageTable{Title: "Verdicts", Head: []string{"run", "scenario", "verdict", "sent", "ok", "shed", "took"}}
	for i, r := range s.Runs {
		planned, ok, shed := r.totals()
		t.Rows = append(t.Rows, []string{
			s.Names[i], r.Scenario, r.Verdict.Word, number(float64(planned)), number(float64(ok)), number(float64(shed)), short(time.Duration(r.Took)),
		})
	}
	return t
}

// totals are the arrivals of the judged phases, or of a search's steps, and those that
// were answered and refused.
func (r *Record) totals() (planned, ok, shed int) {
	for _, s := range r.Steps {
		planned, ok, shed = planned+s.Planned, ok+int(math.Round(s.Goodput*s.Seconds)), shed+s.Shed
	}
	for _, p := range r.Phases {
		if p.Judged {
			planned, ok, shed = planned+p.Planned, ok+p.Outcomes[OK.String()], shed+p.Outcomes[Shed.String()]
		}
	}
	return planned, ok, shed
}

// tones are the colour and the sign of a verdict, so that colour never stands
// alone.
var tones = map[string][2]string{
	"PASS": {"pass", "✓"}, "FOUND": {"pass", "✓"}, "FAIL": {"fail", "✕"}, "INVALID": {"open", "!"}, "UNDECIDED": {"open", "?"}, "INTERRUPTED": {"open", "!"},
}

func (r *Record) page(id, name string) runPage {
	tone := tones[r.Verdict.Word]
	p := runPage{
		ID: id, Name: name, Word: strings.ToUpper(r.Verdict.Word[:1]) + strings.ToLower(r.Verdict.Word[1:]),
		Tone: tone[0], Sign: tone[1], Cause: typeset(r.Cause()), Facts: r.facts(),
	}
	if len(r.Verdict.Reasons) > 1 {
		p.More = strings.Split(typeset(strings.Join(r.Verdict.Reasons[1:], "\n")), "\n")
	}
	for _, o := range r.Verdict.Results {
		p.Promises = append(p.Promises, promiseRow{
			Class: o.Class, Promise: typeset(o.Objective), Observed: o.Observed, Margin: margin(o),
			Bad: o.Bad, Samples: o.Samples, Effective: number(o.Effective), Decision: o.Decision,
		})
	}
	p.Charts = r.charts(id)
	p.Sections = slices.DeleteFunc([]pagePart{r.searchPart(), r.operationsPart(), r.serverPart(), r.generatorPart(), r.methodPart()}, func(p pagePart) bool { return len(p.Tables) == 0 })
	return p
}

// typeset writes bounds as people read them.
func typeset(text string) string { return strings.NewReplacer("<=", "≤", ">=", "≥").Replace(text) }

// Cause is what decided the verdict, in one line.
func (r *Record) Cause() string {
	if len(r.Verdict.Reasons) > 0 {
		return r.Verdict.Reasons[0]
	}
	return strings.TrimSpace(strings.TrimPrefix(r.Line, r.Verdict.Word))
}

func (r *Record) facts() []fact {
	m := r.Fingerprint.Machine
	planned, _, _ := r.totals()
	operations := "operations judged"
	if len(r.Steps) > 0 {
		operations = "operations in all steps"
	}
	list := []fact{
		{"scenario", r.Scenario},
		{"target", r.Target},
		{"began", r.Began.Format("2006-01-02 15:04:05 MST")},
		{"took", short(time.Duration(r.Took))},
		{operations, number(float64(planned))},
		{"people", number(float64(r.People))},
		{"seed", fmt.Sprint(r.Seed)},
	}
	if m.Processors > 0 {
		list = append(list, fact{"machine", fmt.Sprintf("%d × %s", m.Processors, cmp.Or(m.Processor, m.System))})
	}
	if r.Fingerprint.Data.Entries > 0 {
		list = append(list, fact{"entries held", number(float64(r.Fingerprint.Data.Entries))})
	}
	return list
}

// margin is how far what was seen lies from the limit, in words. Objectives are
// stored as people read them, so it reads them too.
func margin(r Result) string {
	_, limit, found := strings.Cut(r.Objective, "= ")
	if !found || r.Samples == 0 {
		return "–"
	}
	bound, ok1 := quantity(limit)
	seen, ok2 := quantity(r.Observed)
	if !ok1 || !ok2 || bound == 0 {
		return "–"
	}
	if strings.HasSuffix(limit, "%") {
		return strings.Replace(fmt.Sprintf("%+.2f points", seen-bound), "-", "−", 1)
	}
	ratio := seen / bound
	if ratio <= 1 {
		return fmt.Sprintf("%.0f %% below", (1-ratio)*100)
	}
	return fmt.Sprintf("%.1f × the limit", ratio)
}

// quantity reads what short and percent write: milliseconds, or per cent.
func quantity(text string) (float64, bool) {
	var v float64
	var unit string
	if n, _ := fmt.Sscanf(text, "%g %s", &v, &unit); n < 1 {
		return 0, false
	}
	if unit == "s" {
		v *= 1000
	}
	return v, true
}

func (r *Record) operationsPart() pagePart {
	t := pageTable{Title: "Operations in the judged phases", Head: []string{"operation", "sent", "ok", "p50", "p95", "p99", "longest", "server's p50", "points"}}
	for _, o := range r.Operations {
		t.Rows = append(t.Rows, []string{
			o.Operation, number(float64(o.Sent)), number(float64(o.OK)),
			quantile(o.Response, o.Response.P50), quantile(o.Response, o.Response.P95), quantile(o.Response, o.Response.P99), quantile(o.Response, o.Response.Max),
			quantile(o.Server, o.Server.P50), o.points(),
		})
	}
	why := pageTable{Title: "Answers that were not ok", Head: []string{"operation", "outcome", "reason", "count"}}
	for _, reason := range r.Reasons[:min(len(r.Reasons), 20)] {
		why.Rows = append(why.Rows, []string{cmp.Or(reason.Operation, "–"), reason.Outcome, reason.Reason, number(float64(reason.Count))})
	}
	return pagePart{Title: "Operations", Lead: "Response time counts from the moment an operation was due, refusals aside.", Tables: nonEmpty(t, why)}
}

func nonEmpty(tables ...pageTable) []pageTable {
	return slices.DeleteFunc(tables, func(t pageTable) bool { return len(t.Rows) == 0 })
}

func (r *Record) generatorPart() pagePart {
	t := pageTable{Title: "The generator's own health", Head: []string{"phase", "sent", "lag p50 (≤ 1 ms)", "lag p99 (≤ 25 ms)", "its processors (≤ 80 %)", "the server's", "other programs (≤ 25 %)"}}
	for _, v := range r.Verdict.Vitals {
		row := []string{
			v.Phase, fmt.Sprintf("%s of %s", number(float64(v.Sent)), number(float64(v.Planned))),
			short(time.Duration(v.Lag.P50)), short(time.Duration(max(v.Lag.P99, v.Burst.P99))), "–", "–", "–",
		}
		if v.CPU != nil {
			row[4] = percent(v.CPU.Client)
			if v.CPU.Seen {
				row[5], row[6] = percent(v.CPU.Server), percent(v.CPU.Strangers)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return pagePart{
		Title: "The generator", Tables: nonEmpty(t),
		Lead: "A run counts only while the generator itself is well. Beyond a bound it is invalid: neither pass nor fail.",
	}
}

func (r *Record) methodPart() pagePart {
	f := r.Fingerprint
	t := pageTable{Title: "What must be the same to compare runs", Head: []string{"what", "value"}}
	for _, row := range [][]string{
		{"scenario hash", r.ScenarioHash},
		{"system", strings.TrimSpace(f.Machine.System + " " + f.Machine.Kernel)},
		{"processors", fmt.Sprintf("%d × %s", f.Machine.Processors, f.Machine.Processor)},
		{"memory", fmt.Sprintf("%s MiB", number(float64(f.Machine.MemoryMiB)))},
		{"people, workspaces, entries", fmt.Sprintf("%d, %d, %s", f.Data.People, f.Data.Workspaces, number(float64(f.Data.Entries)))},
		{"schema", f.Schema},
	} {
		if row[1] != "" {
			t.Rows = append(t.Rows, row)
		}
	}
	for _, note := range r.Notes {
		t.Rows = append(t.Rows, []string{"note", note})
	}
	return pagePart{Title: "How it was measured", Tables: nonEmpty(t)}
}
