package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The panel says what an operation will cost while it is written, and what it
// took beside that once it has run; a refusal's suggestion needs one click.
func TestBrowserCostPanel(t *testing.T) {
	r := newPlayground(t)
	b := newBrowser(t)
	b.Do(t, chromedp.Navigate(r.http.URL+"/playground"), chromedp.WaitVisible(chromedp.CSS(executeButton)))
	panel := func(t *testing.T, text string) string {
		t.Helper()
		return b.Wait(t, `[document.querySelector('#price').innerText].find((text) => text.includes('`+text+`'))`)
	}
	write := func(t *testing.T, query, variables string) {
		t.Helper()
		b.Wait(t, `(`+editor+".setValue(`"+query+"`), "+variablesEditor+".setValue(`"+variables+"`), 'done')")
	}
	written := func(t *testing.T) string {
		t.Helper()
		return b.Wait(t, editor+`.getValue() + '\n' + `+variablesEditor+`.getValue()`)
	}

	t.Run("shows the price of what is typed before it runs", func(t *testing.T) {
		write(t, `query Typed { projects(first: 50) { nodes { client { name } } } }`, `{}`)
		shown := panel(t, "estimated 1 point")
		for _, want := range []string{"verdict accepted", "class interactive", "budget 2000 of 2000", "pays this 2000 times now", "projects.nodes.client"} {
			if !strings.Contains(shown, want) {
				t.Errorf("the panel lacks %q:\n%s", want, shown)
			}
		}
	})
	t.Run("waits for a document that can be parsed", func(t *testing.T) {
		write(t, `query Typed { projects(first: `, `{}`)
		panel(t, "no price yet")
	})
	t.Run("shows the actual cost beside the estimate after a run", func(t *testing.T) {
		write(t, `query Run { timeEntries(first: 20) { totalCount nodes { user { name } } } runningTimer { id } }`, `{}`)
		panel(t, "verdict accepted")
		b.execute(t, "Run")
		if shown := panel(t, "actual"); !strings.Contains(shown, "timeEntries.nodes.user") || !strings.Contains(shown, "→") {
			t.Errorf("the panel says:\n%s", shown)
		}
	})
	for name, test := range map[string]struct {
		query, variables, button string
		gone, there              string
	}{
		"in the document": {
			`query Dear { projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`, `{}`,
			"Set first of projects to 99", "projects(first: 100)", "projects(first: 99)",
		},
		"in a fragment": {
			`query Dear { projects(first: 100) { ...P } } fragment P on ProjectConnection { nodes { all: tasks(first: 100) { nodes { id } } } }`, `{}`,
			"Set first of projects.nodes.all to 99", "tasks(first: 100)", "tasks(first: 99)",
		},
		"in a variable": {
			`query Dear($n: Int!) { projects(first: $n) { nodes { tasks(first: 100) { nodes { id } } } } }`, `{"n": 120}`,
			"Set first of projects to 99", `"n": 120`, `"n": 99`,
		},
		"that leaves a field out": {
			`query Dear { projects(first: 90) { nodes { name tasks(first: 70) { nodes { id } } more: tasks(first: 50) { nodes { id } } } } }`, `{}`,
			"Leave projects.nodes.more out, saves 4500 nodes", "more:", "tasks(first: 70)",
		},
		"that leaves a field and its variable out": {
			`query Dear($p: Int!, $n: Int!) { projects(first: $p) { nodes { name tasks(first: 70) { nodes { id } } more: tasks(first: $n) { nodes { id } } } } }`, `{"p": 90, "n": 50}`,
			"Leave projects.nodes.more out", `"n": 50`, "query Dear($p: Int!) {",
		},
		"that leaves a field, its fragments and their variables out": {
			`query Dear($n: Int!, $yes: Boolean!) { projects(first: 90) { nodes { name tasks(first: 70) { nodes { id } } more: tasks(first: $n) { ...T } } } } fragment T on TaskConnection { ...U } fragment U on TaskConnection { nodes { id @include(if: $yes) } }`, `{"n": 50, "yes": true}`,
			"Leave projects.nodes.more out", "fragment", "query Dear {",
		},
		"in a variable's default": {
			`query Dear($i: ReportInput! = {period: {from: "2025-01-01", to: "2025-12-31"}, groupBy: [TASK], maxRows: 20000}) { timesheetReport(input: $i) { rows { key } } }`, `{}`,
			"Set input.maxRows of timesheetReport to ", "20000", `to: "2025-12-31"}, groupBy: [TASK], maxRows: `,
		},
		"in all lists at once": {
			`query Dear { a: projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } b: projects(first: 100) { ...P } } fragment P on ProjectConnection { nodes { tasks(first: 100) { nodes { id } } } }`, `{}`,
			"Set first of a", "first: 100", "first: 70",
		},
		"in all lists of one default": {
			`query Dear($n: Int! = 100, $m: Int! = 100) { a: projects(first: $n) { nodes { tasks(first: $m) { nodes { id } } } } b: projects(first: $n) { nodes { tasks(first: $m) { nodes { id } } } } }`, `{}`,
			"Set first of a", "100", "$n: Int! = 70, $m: Int! = 70",
		},
		"that leaves several fields out": {
			`query Dear { ` + strings.Join(summaries(20), " ") + ` }`, `{}`,
			"Leave s0, s1, s2, s3 out, saves 240 points", "s3:", "s4:",
		},
		"that splits the operation": {
			`query Dear($n: Int!) { a: projects(first: 90) { nodes { tasks(first: 60) { nodes { id } } } } b: projects(first: $n) { nodes { tasks(first: 60) { nodes { id } } } } }`, `{"n": 90}`,
			"Move a into an operation", "first: 90) { nodes { tasks(first: 60) { nodes { id } } } } b:", "query DearA {",
		},
		"that splits an operation with fragments": {
			`query Dear($m: Int!, $k: Int!) { a: projects(first: 90) { nodes { ...T } } b: projects(first: 90) { nodes { tasks(first: $k) { nodes { id } } } } } fragment T on Project { tasks(first: $m) { nodes { id } } }`, `{"m": 60, "k": 60}`,
			"Move a into an operation", "query Dear($m", "query DearA($m: Int!) {",
		},
	} {
		t.Run("applies a suggestion "+name, func(t *testing.T) {
			write(t, test.query, test.variables)
			panel(t, "COST_ESTIMATED_TOO_EXPENSIVE")
			b.Wait(t, `[...document.querySelectorAll('#price button')].find((b) => b.innerText.startsWith('`+test.button+`'))?.innerText`)
			b.Shoot(t)
			b.Do(t, chromedp.Click(chromedp.Search(`//section[@id="price"]//button[starts-with(text(), "`+test.button+`")]`)))
			panel(t, "verdict accepted")
			if now := written(t); strings.Contains(now, test.gone) || !strings.Contains(now, test.there) {
				t.Errorf("the editor holds\n%s\nwant %q for %q", now, test.there, test.gone)
			}
			if !strings.Contains(test.there, "query") { // of two operations the editor asks which to run
				b.execute(t, "Dear")
				panel(t, "actual")
			}
		})
	}
	t.Run("of a year's report", func(t *testing.T) {
		s := r.server.statistics
		ws := r.server.demo[r.token].workspace
		s.of(ws)
		s.keep(ws, company(), time.Now())
		folder, err := OpenExportFolder(t.TempDir(), []byte("a secret of the tests"), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		points := r.server.caps.Points
		r.server.caps.Points, r.server.exports.Folder = 20, folder
		defer func() { r.server.caps.Points, r.server.exports.Folder = points, nil }()
		const input = `{period: {from: "2025-01-01", to: "2025-12-31"}, groupBy: [TASK], maxRows: 50}`
		for name, query := range map[string]string{
			"in the document":         `query Long { timesheetReport(input: ` + input + `) { rows { key } } }`,
			"in a variable's default": `query Long($i: ReportInput! = ` + input + `) { timesheetReport(input: $i) { rows { key } } }`,
		} {
			t.Run("narrows the period "+name, func(t *testing.T) {
				write(t, query, `{}`)
				panel(t, "For all of timesheetReport, have reportExportCreate make a file")
				const button = "Shorten input.period of timesheetReport to "
				b.Wait(t, `[...document.querySelectorAll('#price button')].find((b) => b.innerText.includes('`+button+`'))?.innerText`)
				b.Shoot(t)
				b.Do(t, chromedp.Click(chromedp.Search(`//section[@id="price"]//button[contains(text(), "`+button+`")]`)))
				panel(t, "verdict accepted")
				if now := written(t); strings.Contains(now, `from: "2025-01-01"`) || !strings.Contains(now, `to: "2025-12-31"`) {
					t.Errorf("the editor holds\n%s\nwant another first day and the same last one", now)
				}
			})
		}
	})
	t.Run("applies the suggestion of a refused run", func(t *testing.T) {
		write(t, `query Late { projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`, `{}`)
		b.execute(t, "Late")
		b.Wait(t, `document.querySelector('#price button')?.innerText`)
		b.Do(t, chromedp.Click(chromedp.CSS(`#price button`)))
		panel(t, "verdict accepted")
	})
}

// summaries are so many root fields that cost the same.
func summaries(n int) (fields []string) {
	for i := range n {
		fields = append(fields, fmt.Sprintf(`s%d: summary(period: {from: "2025-01-01", to: "2025-01-31"}) { totals { seconds } }`, i))
	}
	return fields
}

const variablesEditor = `document.querySelector('.graphiql-editor-tool .CodeMirror').CodeMirror`
