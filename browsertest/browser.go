// Package browsertest drives headless Chromium in tests. A test opens a page as people
// do, looks at what it shows, and is told what it asked for and what it complained
// about. The browser has a profile of its own and knows no host but this machine.
package browsertest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds each step and each wait.
const patience = 30 * time.Second

// Lacking ends a test that has no browser or no network: skipped on a person's
// machine, failed where HEADROOM_BROWSER=required.
func Lacking(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("HEADROOM_BROWSER") == "required" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// Browser is a tab and what happened in it. Its fields are written on the goroutine
// that reads the browser's messages, before a step returns.
type Browser struct {
	ctx      context.Context
	mu       sync.Mutex
	requests []string // addresses that the page asked for
	problems []string // errors on its console
}

// New starts a browser that ends with the test.
func New(t *testing.T) *Browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		Lacking(t, "there is no chromium on PATH")
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
	b := &Browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

// note keeps what the page asks for and complains about.
func (b *Browser) note(event any) {
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

// Requests are the addresses that pages have asked for so far.
func (b *Browser) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Problems are the errors on the console so far.
func (b *Browser) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

// CheckOrigin fails if a page asked another host than origin, or another file where
// origin is a file's address, or logged an error.
func (b *Browser) CheckOrigin(t *testing.T, origin string) {
	t.Helper()
	requests := b.Requests()
	if len(requests) == 0 {
		t.Error("no request was seen at all, not even for the page")
	}
	for _, address := range requests {
		u, err := url.Parse(address)
		own := err == nil && (address == origin || u.Scheme+"://"+u.Host == origin || u.Host == "" && u.Scheme != "file") // data: and blob: have no host
		if !own {
			t.Errorf("the page asked for %s", address)
		}
	}
	if problems := b.Problems(); len(problems) > 0 {
		t.Errorf("on the console: %q", problems)
	}
}

// Do takes steps that have no result; each waits for its element.
func (b *Browser) Do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%v; on the console: %q", err, b.Problems())
	}
}

// Wait evaluates an expression until it is a text that is not empty.
func (b *Browser) Wait(t *testing.T, expression string) string {
	t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Poll[string](expression, chromedp.WithPollingTimeout(patience)))
	if err != nil {
		t.Fatalf("%s: %v; on the console: %q", expression, err, b.Problems())
	}
	return text
}

// Shoot keeps a picture of the page where HEADROOM_SCREENSHOTS names a folder.
func (b *Browser) Shoot(t *testing.T) {
	t.Helper()
	dir := os.Getenv("HEADROOM_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	name := strings.NewReplacer("/", "-", " ", "_").Replace(t.Name()) + ".png"
	if err := os.WriteFile(filepath.Join(dir, name), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}
