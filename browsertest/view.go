package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"headroom/npmfetch"
)

// View is what a page is looked at on, and by which light.
type View struct {
	Width, Height int64  // in CSS pixels; 0: as it is
	Media         string // "print", or "" for a screen
	Theme         string // "light" or "dark"
}

// Look sets the view of what is shown and of what is opened next.
func (b *Browser) Look(t *testing.T, v View) {
	t.Helper()
	if v.Width > 0 {
		b.Do(t, chromedp.EmulateViewport(v.Width, v.Height))
	}
	b.Do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: v.Media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.Theme}},
		})
		return err
	}))
}

// axe finds what shuts people out of a page. It is fetched, never committed.
var axe = npmfetch.Package{
	Name: "axe-core", Version: "4.14.1",
	SHA512: "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
}

// Axe is the text of the script that CheckAccess runs. Ask for it before the browser is
// busy: it may have to be fetched.
func Axe(t *testing.T) string {
	t.Helper()
	dir, err := npmfetch.Fetch(t.Context(), npmfetch.Config{}, axe)
	if err != nil {
		Lacking(t, "axe-core cannot be fetched: "+err.Error())
	}
	script, err := os.ReadFile(filepath.Join(dir, "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// CheckAccess fails if the page shuts somebody out, as far as axe can see, or is wider
// than its screen.
func (b *Browser) CheckAccess(t *testing.T, axe string) {
	t.Helper()
	b.Do(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Evaluate[any](axe+";undefined")(ctx, target)
		if err == chromedp.ErrJSUndefined {
			return nil
		}
		return err
	}))
	if found := b.Wait(t, `axe.run().then((r) => r.violations.map((v) => v.id + ': ' + v.nodes[0].html + ' ' + v.nodes[0].failureSummary).join('\n') || 'none')`); found != "none" {
		t.Errorf("axe finds:\n%s", found)
	}
	if wide := b.Wait(t, `document.documentElement.scrollWidth > innerWidth ? 'wider than the screen' : 'fits'`); wide != "fits" {
		t.Errorf("the page is %s", wide)
	}
}
