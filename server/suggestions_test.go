package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// asker writes operations as people do who ask for too much at once.
type asker struct{ *rand.Rand }

func (r asker) page() int { return []int{10, 50, 100, 100}[r.IntN(4)] }

func (r asker) maybe(text string) string {
	if r.IntN(2) == 0 {
		return ""
	}
	return text + " "
}

func (r asker) period() string {
	from := []string{"1990-01-01", "2024-01-01", "2024-01-01", "2025-06-01"}[r.IntN(4)]
	return `period: {from: "` + from + `", to: "2025-12-31"}`
}

func (r asker) project(depth int) string {
	text := "id name " + r.maybe("client { name }") + r.maybe("trackedSeconds") + r.maybe("burn { percent }")
	if depth > 0 {
		text += r.maybe(fmt.Sprintf("tasks(first: %d) { nodes { id project { name } } }", r.page())) + r.maybe(fmt.Sprintf("members(first: %d) { nodes { name } }", r.page()))
	}
	return text
}

func (r asker) root() string {
	filter := r.maybe(r.period()) + r.maybe(`text: "`+[]string{"review", "zeppelin"}[r.IntN(2)]+`"`)
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("projects(first: %d) { %snodes { %s } }", r.page(), r.maybe("totalCount"), r.project(1))
	case 1:
		return fmt.Sprintf("clients(first: %d) { nodes { name projects(first: %d) { nodes { %s } } } }", r.page(), r.page(), r.project(r.IntN(2)))
	case 2:
		return fmt.Sprintf("timeEntries(first: %d, filter: {%s}) { %snodes { id user { name } project { name client { name } } tags { name } } }", r.page(), filter, r.maybe("totalCount"))
	case 3:
		return "summary(" + r.period() + ") { byProject { rows { key } } }"
	case 4:
		return fmt.Sprintf("users(first: %d) { totalCount nodes { name } }", r.page())
	}
	keys := []string{"TASK, USER, DAY", "PROJECT", "USER, MONTH", "DAY, TAG"}[r.IntN(4)]
	return fmt.Sprintf("timesheetReport(input: {%s, groupBy: [%s], maxRows: %d, filter: {%s}}) { rows { key } }", r.period(), keys, []int{100, 1000, 10_000}[r.IntN(3)], strings.TrimSpace(r.maybe(`text: "review"`)))
}

// Nearly every refusal comes with a change after which the operation is accepted: of
// lists within lists, of many root fields at once, of long reports, for whoever asks.
func TestRefusalsComeWithAChange(t *testing.T) {
	p, err := NewPricer("", limits.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	large := company()
	large.All, large.Sums, large.ProjectSums = monthly(50_000), monthly(20_000), monthly(4000)
	refused, helped, kinds := 0, 0, map[string]int{}
	for seed := range uint64(600) {
		r := asker{rand.New(rand.NewPCG(seed, 1))}
		roots := make([]string, 1+r.IntN(5))
		for i := range roots {
			roots[i] = fmt.Sprintf("a%d: %s", i, r.root())
		}
		query := "{ " + strings.Join(roots, " ") + " }"
		e := estimatorOf([]*store.Counts{company(), large}[r.IntN(2)], []timesheet.Role{timesheet.RoleOwner, timesheet.RoleMember}[r.IntN(2)], 1)
		doc, f := p.documents.load(t.Context(), params{query: query}, &timings{})
		if f != nil {
			t.Fatalf("%v: %s", f.list()[0], query)
		}
		over := p.caps.Check(doc.formula, doc.formula.Price(nil, e), nil, e)
		if over == nil {
			continue
		}
		if refused++; len(over.Suggestions) > 0 {
			helped++
			kinds[over.Suggestions[0].Kind]++
		} else {
			t.Logf("no change for a %s: %v: %s", e.viewer.Role, over, query)
		}
	}
	t.Logf("%d refused, %v", refused, kinds)
	if refused < 200 || helped < refused*95/100 {
		t.Errorf("%d of %d refusals come with a suggestion, want 95 %%", helped, refused)
	}
}

// Two long reports, of which neither alone makes the difference, may both be as long
// as is suggested, and not a day longer.
func TestNarrowAllHolds(t *testing.T) {
	p, err := NewPricer("", limits.DefaultCaps)
	if err != nil {
		t.Fatal(err)
	}
	e := estimatorOf(company(), timesheet.RoleOwner, 1)
	caps := p.caps
	caps.Points = 12
	check := func(from string) *limits.CostError {
		report := `timesheetReport(input: {period: {from: "` + from + `", to: "2025-12-31"}, groupBy: [TASK], maxRows: 1}) { rows { key } }`
		doc, f := p.documents.load(t.Context(), params{query: "{ a: " + report + " b: " + report + " }"}, &timings{})
		if f != nil {
			t.Fatal(f.list()[0])
		}
		return caps.Check(doc.formula, doc.formula.Price(nil, e), nil, e)
	}
	over := check("2024-01-01")
	if over == nil || len(over.Suggestions) == 0 || over.Suggestions[0].Kind != limits.NarrowAll || len(over.Suggestions[0].Places) != 2 {
		t.Fatalf("refusal %+v, want both reports shorter", over)
	}
	days := timesheet.Date(over.Suggestions[0].MaxAccepted.N)
	if applied := check((date("2025-12-31") + 1 - days).String()); applied != nil {
		t.Errorf("%d days: %v", days, applied)
	}
	if more := check((date("2025-12-31") - days).String()); more == nil {
		t.Errorf("%d days are accepted, %d were suggested", days+1, days)
	}
}
