package server

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

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
	b.do(t, chromedp.Navigate(r.http.URL+"/playground"), chromedp.WaitVisible(chromedp.CSS(executeButton)))

	t.Run("shows the schema with its descriptions", func(t *testing.T) {
		b.do(t,
			chromedp.Click(chromedp.CSS(`button[aria-label="Show Documentation Explorer"]`)),
			chromedp.Click(chromedp.CSS(`.graphiql-doc-explorer-section-content .graphiql-doc-explorer-type-name`))) // the first root type
		b.wait(t, `document.querySelector('.graphiql-doc-explorer-field-name')?.innerText`)
		docs := b.wait(t, `document.querySelector('.graphiql-doc-explorer').innerText`)
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
			strip := b.wait(t, `document.querySelector('#price').innerText`)
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
		b.wait(t, `(() => { const v = `+variables+`; if (!v.getValue().includes('ID_OF_A_PROJECT')) return ''; v.setValue(v.getValue().replace('ID_OF_A_PROJECT', '`+id+`')); return 'done' })()`)
		shown := b.answer(t, "SetBudget", "setBudget")
		if !strings.Contains(shown, `"percent"`) || !strings.Contains(shown, "MONTHLY") {
			t.Errorf("the response pane lacks the budget: %s", shown)
		}
	})

	t.Run("asks no other host and logs no error", func(t *testing.T) {
		b.checkQuiet(t, r.http.URL)
	})

	t.Run("shows a refusal", func(t *testing.T) {
		b.wait(t, `(`+editor+`.setValue('query Unsliced { projects { nodes { id } } }'), 'done')`)
		b.execute(t, "Unsliced")
		const want = "COST_INVALID_SLICING_ARGUMENTS (400)"
		if got := b.wait(t, `document.querySelector('#price .refused')?.innerText`); got != want {
			t.Errorf("the strip says %q, want %q", got, want)
		}
	})
}

// Without the editor's files and without a network, the page says what to do.
func TestBrowserPlaygroundWithoutEditor(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Assets.Dir = t.TempDir() })
	b := newBrowser(t)
	b.do(t, chromedp.Navigate(r.http.URL+"/playground"))
	if text := b.wait(t, `document.readyState === 'complete' && document.body.innerText`); !strings.Contains(text, "headroom fetch") {
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
		lacking(t, "the editor's files cannot be fetched: "+err.Error())
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

// lacking ends a test that has no browser or no network: skipped on a person's
// machine, failed where it is required.
func lacking(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("HEADROOM_BROWSER") == "required" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// browser is a tab and what happened in it. Its fields are written on the
// goroutine that reads the browser's messages, before a step returns.
type browser struct {
	ctx      context.Context
	mu       sync.Mutex
	requests []string // addresses that the page asked for
	problems []string // errors on its console
}

// newBrowser starts headless Chromium with a profile of its own, which knows no
// host but this one.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		lacking(t, "there is no chromium on PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], // headless among them
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 900),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

// note keeps what the page asks for and complains about.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text+" "+said(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.problems = append(b.problems, said(e.Args...))
		}
	}
}

// console is what was logged as an error so far.
func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

// said is the text of a script's values.
func said(values ...*runtime.RemoteObject) string {
	var words []string
	for _, v := range values {
		if v != nil {
			words = append(words, string(v.Value), v.Description)
		}
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// checkQuiet fails if the page asked another host than origin, or logged an
// error.
func (b *browser) checkQuiet(t *testing.T, origin string) {
	t.Helper()
	b.mu.Lock()
	asked := slices.Contains(b.requests, origin+"/playground/graphiql.min.js")
	b.mu.Unlock()
	if !asked {
		t.Errorf("the editor was not asked for at %s, so requests are not seen", origin)
	}
	b.checkOrigin(t, origin)
}

// checkOrigin is checkQuiet for any page.
func (b *browser) checkOrigin(t *testing.T, origin string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		t.Error("no request was seen at all, not even for the page")
	}
	for _, address := range b.requests {
		u, err := url.Parse(address)
		if err != nil || u.Host != "" && u.Scheme+"://"+u.Host != origin { // data: and blob: have no host
			t.Errorf("the page asked for %s", address)
		}
	}
	if len(b.problems) > 0 {
		t.Errorf("on the console: %q", b.problems)
	}
}

// do takes steps that have no result; each waits for its element.
func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v; on the console: %q", err, b.console())
	}
}

// wait evaluates an expression until it is a text that is not empty.
func (b *browser) wait(t *testing.T, expression string) string {
	t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Poll[string](expression, chromedp.WithPollingTimeout(patience)))
	if err != nil {
		t.Fatalf("%s: %v; on the console: %q", expression, err, b.console())
	}
	return text
}

// run opens a tab, executes its operation and returns what the response pane
// shows, which has to hold the field and no errors.
func (b *browser) run(t *testing.T, tab, field string) string {
	t.Helper()
	b.open(t, tab)
	return b.answer(t, tab, field)
}

// open shows a tab.
func (b *browser) open(t *testing.T, tab string) {
	t.Helper()
	b.do(t, chromedp.Click(chromedp.Search(`//button[contains(@class, "graphiql-tab-button") and text()="`+tab+`"]`)))
}

// answer is run in the tab that is shown.
func (b *browser) answer(t *testing.T, tab, field string) string {
	t.Helper()
	b.execute(t, tab)
	shown := b.wait(t, `[`+response+`.getValue()].find((text) => text.includes('"`+field+`"') || text.includes('"errors"'))`)
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
func (b *browser) execute(t *testing.T, operation string) {
	t.Helper()
	b.wait(t, editor+`.operationName === '`+operation+`' && 'read'`)
	b.do(t, chromedp.Click(chromedp.CSS(executeButton)))
}

// patience bounds each wait.
const patience = 30 * time.Second
