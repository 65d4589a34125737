package loadtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"headroom/npmfetch"
)

// axe finds what shuts people out of a page. It is fetched, never committed.
var axe = npmfetch.Package{
	Name: "axe-core", Version: "4.14.1",
	SHA512: "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
}

// The page asks for nothing, says nothing on the console, and shuts nobody
// out: on a desk and on a phone, by day and by night, and in print.
func TestPageInBrowser(t *testing.T) {
	dir, err := npmfetch.Fetch(t.Context(), npmfetch.Config{}, axe)
	if err != nil {
		lacking(t, "axe-core cannot be fetched: "+err.Error())
	}
	script, err := os.ReadFile(filepath.Join(dir, "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	on, off := stormRun(t, testStormFor, healthy), stormRun(t, testStormFor, wavy)
	file := filepath.Join(t.TempDir(), "report.html")
	for second := range 40 {
		on.Gate = append(on.Gate, GateMoment{At: Millis(time.Duration(second) * time.Second), Class: ClassReport, Seats: 1, Busy: 1, Queued: float64(second % 16), Connections: 1})
	}
	if err := os.WriteFile(file, []byte(pageOf(t, NewStudy([]*Record{on, off, searched()}, []string{"on", "off", "search"}))), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for _, view := range []struct {
		name         string
		width        int64
		media, theme string
	}{
		{"desk", 1280, "", "light"},
		{"phone by night", 360, "", "dark"},
		{"print", 800, "print", "light"},
	} {
		t.Run(view.name, func(t *testing.T) {
			b.do(t, chromedp.EmulateViewport(view.width, 800), media(view.media, view.theme), chromedp.Navigate("file://"+file))
			b.do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := chromedp.Evaluate[any](string(script)+";undefined")(ctx, target)
				if err == chromedp.ErrJSUndefined {
					return nil
				}
				return err
			}))
			if found := b.wait(t, `axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes[0].html).join('\n') || 'none')`); found != "none" {
				t.Errorf("axe finds:\n%s", found)
			}
			if wide := b.wait(t, `document.documentElement.scrollWidth > innerWidth ? 'wider than the screen' : 'fits'`); wide != "fits" {
				t.Errorf("the page is %s", wide)
			}
			if drawn := b.wait(t, `[...document.querySelectorAll('.plot svg')].every((s) => s.getBoundingClientRect().height > 100) ? 'all' : 'not all'`); drawn != "all" {
				t.Error("not every chart is drawn")
			}
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) == 0 {
		t.Error("no request was seen at all, not even for the page")
	}
	for _, address := range b.requests {
		if address != "file://"+file {
			t.Errorf("the page asked for %s", address)
		}
	}
	if len(b.said) > 0 {
		t.Errorf("on the console: %q", b.said)
	}
}

// media sets what the page is shown on, and by which light.
func media(kind, theme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
		})
		return err
	})
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

// browser is a tab and what happened in it.
type browser struct {
	ctx context.Context

	mu       sync.Mutex
	requests []string // addresses that the page asked for
	said     []string // on its console
}

// newBrowser starts headless Chromium with a profile of its own, which knows no
// host at all.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		lacking(t, "there is no chromium on PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], // headless among them
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Navigate("about:blank")) // the first use must have no limit of its own
	b.requests = nil
	return b
}

// note keeps what the page asks for and says.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.said = append(b.said, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		for _, value := range e.Args {
			b.said = append(b.said, strings.TrimSpace(string(value.Value)+" "+value.Description))
		}
	}
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// wait is the text that an expression comes to, once its promise is kept.
func (b *browser) wait(t *testing.T, expression string) string {
	t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return text
}
