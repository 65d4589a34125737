package server

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"headroom/browsertest"
	"headroom/npmfetch"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// TestBrowserPlayground drives the playground as a newcomer would, in a browser
// that can reach nothing but this machine.
func TestBrowserPlayground(t *testing.T) {
	r := newPlayground(t)
	b := newBrowser(t)
	b.Do(t, chromedp.Navigate(r.http.URL+"/playground"), chromedp.WaitVisible(chromedp.CSS(executeButton)))

	t.Run("shows the schema with its descriptions", func(t *testing.T) {
		b.Do(t,
			chromedp.Click(chromedp.CSS(`button[aria-label="Show Documentation Explorer"]`)),
			chromedp.Click(chromedp.CSS(`.graphiql-doc-explorer-section-content .graphiql-doc-explorer-type-name`))) // the first root type
		b.Wait(t, `document.querySelector('.graphiql-doc-explorer-field-name')?.innerText`)
		docs := b.Wait(t, `document.querySelector('.graphiql-doc-explorer').innerText`)
		for _, want := range []string{"Query", "viewer", "myDay", "timeEntries", "Who you are, what you may do, and the points you have left."} {
			if !strings.Contains(docs, want) {
				t.Errorf("the documentation of Query lacks %q:\n%s", want, docs)
			}
		}
	})

	// A tab is named after its operation.
	for _, tab := range []struct{ name, field string }{
		{"MyDay", "myDay"},
		{"StartTimer", "startTimer"},
		{"StopTimer", "stopTimer"},
		{"Entries", "timeEntries"},
		{"Report", "timesheetReport"},
		{"Budgets", "projectBudgets"},
		{"Rates", "rates"},
		{"SetRate", "setRate"},
		{"Projects", "projects"},
	} {
		t.Run("runs "+tab.name, func(t *testing.T) {
			shown := b.run(t, tab.name, tab.field)
			if tab.name == "MyDay" && !strings.Contains(shown, "Read the manual") {
				t.Errorf("the response pane lacks the running timer: %s", shown)
			}
			strip := b.Wait(t, `document.querySelector('#price').innerText`)
			for _, want := range []string{"estimated", "points", "actual", "class", "budget"} {
				if !strings.Contains(strip, want) {
					t.Errorf("the strip lacks %q: %s", want, strip)
				}
			}
		})
	}

	t.Run("runs SetBudget with a project's id", func(t *testing.T) {
		id := r.newProject("Bridge")
		b.open(t, "SetBudget")
		b.Wait(t, `(() => { const v = `+variables+`; if (!v.getValue().includes('ID_OF_A_PROJECT')) return ''; v.setValue(v.getValue().replace('ID_OF_A_PROJECT', '`+id+`')); return 'done' })()`)
		shown := b.answer(t, "SetBudget", "setBudget")
		if !strings.Contains(shown, `"percent"`) || !strings.Contains(shown, "MONTHLY") {
			t.Errorf("the response pane lacks the budget: %s", shown)
		}
	})

	t.Run("asks no other host and logs no error", func(t *testing.T) {
		b.checkQuiet(t, r.http.URL)
	})

	t.Run("shows a refusal", func(t *testing.T) {
		b.Wait(t, `(`+editor+`.setValue('query Unsliced { projects { nodes { id } } }'), 'done')`)
		b.execute(t, "Unsliced")
		const want = "COST_INVALID_SLICING_ARGUMENTS (400)"
		if got := b.Wait(t, `document.querySelector('#price .refused')?.innerText`); got != want {
			t.Errorf("the strip says %q, want %q", got, want)
		}
	})
}

// Without the editor's files and without a network, the page says what to do.
func TestBrowserPlaygroundWithoutEditor(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Assets.Dir = t.TempDir() })
	b := newBrowser(t)
	b.Do(t, chromedp.Navigate(r.http.URL+"/playground"))
	if text := b.Wait(t, `document.readyState === 'complete' && document.body.innerText`); !strings.Contains(text, "headroom fetch") {
		t.Errorf("the page says %q, want it to name headroom fetch", text)
	}
}

// Where things are on the page.
const (
	executeButton = `.graphiql-execute-button`
	editor        = `document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror`
	variables     = `document.querySelector('.graphiql-editor-tool .CodeMirror').CodeMirror`
	response      = `document.querySelector('.result-window .CodeMirror').CodeMirror`
)

// newPlayground is a server whose playground holds the token of somebody with a
// running timer, and with the editor's files in the cache.
func newPlayground(t *testing.T) *rig {
	t.Helper()
	if err := FetchPlayground(t.Context(), npmfetch.Config{}); err != nil {
		browsertest.Lacking(t, "the editor's files cannot be fetched: "+err.Error())
	}
	db := storetest.Open(t)
	owner, err := db.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Globex", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Dora", Email: "dora@globex.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const token = "starter"
	r := rigOn(t, db, func(c *Config) {
		c.Starter, c.Statistics = token, true
		c.Demo = map[string]timesheet.Viewer{token: owner}
	})
	r.token = token
	r.ask(`mutation { startTimer(input: {description: "Read the manual"}) { timeEntry { id } } }`, nil)
	return r
}

// browser is one in which the playground is used.
type browser struct{ *browsertest.Browser }

func newBrowser(t *testing.T) browser {
	t.Helper()
	return browser{browsertest.New(t)}
}

// checkQuiet fails if the page asked another host than origin, or logged an
// error.
func (b browser) checkQuiet(t *testing.T, origin string) {
	t.Helper()
	if !slices.Contains(b.Requests(), origin+"/playground/graphiql.min.js") {
		t.Errorf("the editor was not asked for at %s, so requests are not seen", origin)
	}
	b.CheckOrigin(t, origin)
}

// run opens a tab, executes its operation and returns what the response pane
// shows, which has to hold the field and no errors.
func (b browser) run(t *testing.T, tab, field string) string {
	t.Helper()
	b.open(t, tab)
	return b.answer(t, tab, field)
}

// open shows a tab.
func (b browser) open(t *testing.T, tab string) {
	t.Helper()
	b.Do(t, chromedp.Click(chromedp.Search(`//button[contains(@class, "graphiql-tab-button") and text()="`+tab+`"]`)))
}

// answer is run in the tab that is shown.
func (b browser) answer(t *testing.T, tab, field string) string {
	t.Helper()
	b.execute(t, tab)
	shown := b.Wait(t, `[`+response+`.getValue()].find((text) => text.includes('"`+field+`"') || text.includes('"errors"'))`)
	var answer struct {
		Data   map[string]any
		Errors []any
	}
	if err := json.Unmarshal([]byte(shown), &answer); err != nil || len(answer.Errors) > 0 || answer.Data[field] == nil {
		t.Fatalf("the response pane shows: %s", shown)
	}
	return shown
}

// execute runs the operation of this name, which the editor has to have read
// before.
func (b browser) execute(t *testing.T, operation string) {
	t.Helper()
	b.Wait(t, editor+`.operationName === '`+operation+`' && 'read'`)
	b.Do(t, chromedp.Click(chromedp.CSS(executeButton)))
}
