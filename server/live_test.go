package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"headroom/browsertest"
	"headroom/store"
	"headroom/timesheet"
)

// stormy is a server whose clock runs twenty times as fast, with a storm of reports
// before it and people who go on with their work, until the test ends.
func stormy(t *testing.T) (*rig, *httptest.Server) {
	t.Helper()
	start := time.Now()
	r := newRig(t, func(c *Config) {
		c.Cores, c.Gate, c.User, c.Tenant = 1, Adaptive, budget(1e6, 1e6), budget(1e6, 1e6)
		c.Now = func() time.Time { return start.Add(20 * time.Since(start)) }
	})
	globex, err := r.store.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Globex", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR", Owner: store.Person{Name: "Dora", Email: "dora@globex.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	token := r.mint(globex, globex.User, timesheet.ScopeWrite)
	if err := r.store.AddUsage(t.Context(), start, map[timesheet.WorkspaceID]store.Demand{1: {Operations: 900, Work: 18 * time.Second}}); err != nil {
		t.Fatal(err)
	}
	r.server.readHeadroom(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	loop := func(each time.Duration, do func(ctx context.Context)) {
		wg.Go(func() {
			ticker := time.NewTicker(each)
			defer ticker.Stop()
			for ctx.Err() == nil {
				do(ctx)
				select {
				case <-ctx.Done():
				case <-ticker.C:
				}
			}
		})
	}
	ask := func(token, client, query string) func(context.Context) {
		name, version, _ := strings.Cut(client, "@")
		return func(ctx context.Context) {
			// What a storm is answered is looked at on the page.
			_, _ = r.do(ctx, call{token: token, query: query, header: map[string]string{"Apollographql-Client-Name": name, "Apollographql-Client-Version": version}})
		}
	}
	wg.Go(func() { r.server.tend(ctx) })
	loop(50*time.Millisecond, func(ctx context.Context) {
		r.server.lookout.look(r.server.now(), r.server.snapshot(), r.server.work.Slowdown(), false)
		r.server.countSlots(ctx)
	})
	loop(20*time.Millisecond, ask(r.token, "web@7.2.0", `query Day { myDay { day totals { seconds } } }`))
	loop(40*time.Millisecond, ask(r.token, "web@7.2.0", `query Projects { projects(first: 20) { nodes { id name } } }`))
	const year = `query Year { timesheetReport(input: {period: {from: "2020-01-01", to: "2026-12-31"}, groupBy: [PROJECT, USER]}) { rows { label } } }`
	for range 24 {
		loop(60*time.Millisecond, ask(token, "mobile@3.1.0", year))
	}
	admin := httptest.NewServer(r.server.AdminHandler())
	t.Cleanup(admin.Close)
	return r, admin
}

// The live page names the culprit of a storm in one look, on a desk and on a phone,
// by day and by night, shuts nobody out, and asks nobody else.
func TestBrowserLivePage(t *testing.T) {
	axe := browsertest.Axe(t)
	b := newBrowser(t)
	r, admin := stormy(t)
	for { // until the client was seen
		if status, text := r.order(http.MethodPost, "client", "web", 3600); status == http.StatusCreated {
			break
		} else if t.Context().Err() != nil {
			t.Fatalf("the order: %d %s", status, text)
		}
	}
	r.order(http.MethodDelete, "client", "web", 0)
	r.order(http.MethodPost, "slots", "1", 86_400)
	for _, view := range []struct {
		name string
		browsertest.View
	}{
		{"desk", browsertest.View{Width: 1280, Height: 1500, Theme: "light"}},
		{"desk by night", browsertest.View{Width: 1280, Height: 1500, Theme: "dark"}},
		{"phone", browsertest.View{Width: 360, Height: 2600, Theme: "light"}},
	} {
		t.Run(view.name, func(t *testing.T) {
			b.Look(t, view.View)
			b.Do(t, chromedp.Navigate(admin.URL+"/"))
			b.Wait(t, `[document.querySelector('#culprit').innerText].find((text) => text.includes('Globex') && text.includes('Year') && text.includes('mobile@3.1.0') && /[1-9][0-9]* refused/.test(text))`)
			b.Wait(t, `document.querySelector('#classes article:nth-child(2) svg .refused').getAttribute('d').length > 300 && 'the storm is drawn'`)
			b.Wait(t, `document.querySelector('#classes article:nth-child(2) .absorb').getAttribute('d').length > 300 && 'the time to absorb is drawn'`)
			b.Wait(t, `[document.querySelector('#running').innerText].find((text) => /(interactive|report) · (Globex|Acme) · /.test(text) && /[0-9a-f]{8}-/.test(text))`)
			b.Wait(t, `[document.querySelector('#classes').innerText].find((text) => text.includes('refused a second'))`)
			for selector, wants := range map[string][]string{
				"#state":     {"gate adaptive", "1 core", "slowdown", "report slots", "3.3 x the busiest minute fits", "database answers"},
				"#remedy":    {"headroom gate block --operation 'Year#", "--for 10m"},
				"#orders":    {"report slots: 1 for", "it floods us (ann@desk)"},
				"#classes":   {"interactive", "report", "absorbed in", "holds a seat"},
				"#tenants":   {"Globex (", "Acme ("},
				"#clients":   {"mobile@3.1.0", "web@7.2.0"},
				"#decisions": {"refused", "Globex · Year#", "its class's queue is full"},
				"#database":  {"slowdown", "of 1 core"},
				"#changes":   {"report slots: 1: it floods us, by ann@desk", "over: client web is blocked"},
			} {
				shown := b.Wait(t, `document.querySelector('`+selector+`').innerText`)
				for _, want := range wants {
					if !strings.Contains(shown, want) {
						t.Errorf("%s lacks %q:\n%s", selector, want, shown)
					}
				}
			}
			b.CheckAccess(t, axe)
			b.Shoot(t)
		})
	}
	b.CheckOrigin(t, admin.URL)
}

// Where the address asks for a token, the page does too, and it stays out of it.
func TestBrowserLivePageAsksForTheToken(t *testing.T) {
	b := newBrowser(t)
	r := newRig(t, func(c *Config) { c.AdminToken = []byte("the operators' own token") })
	admin := httptest.NewServer(r.server.AdminHandler())
	t.Cleanup(admin.Close)
	b.Do(t, chromedp.Navigate(admin.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#sign")),
		chromedp.SendKeys(chromedp.CSS("#token"), "the operators' own token\r"), chromedp.WaitVisible(chromedp.CSS("#classes")))
	if text := b.Wait(t, `document.querySelector('#culprit').innerText`); !strings.Contains(text, "Nobody asked for anything") {
		t.Errorf("the page says %q", text)
	}
	if at := b.Wait(t, `location.href`); at != admin.URL+"/" {
		t.Errorf("the address is %s: the token must not be in it", at)
	}
}
