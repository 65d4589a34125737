package loadtest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"headroom/browsertest"
)

// The page asks for nothing, says nothing on the console, and shuts nobody
// out: on a desk and on a phone, by day and by night, and in print.
func TestPageInBrowser(t *testing.T) {
	axe := browsertest.Axe(t)
	on, off := stormRun(t, testStormFor, healthy), stormRun(t, testStormFor, wavy)
	file := filepath.Join(t.TempDir(), "report.html")
	for second := range 40 {
		on.Gate = append(on.Gate, GateMoment{At: Millis(time.Duration(second) * time.Second), Class: ClassReport, Seats: 1, Busy: 1, Queued: float64(second % 16), Connections: 1})
	}
	study := NewStudy([]*Record{on, off, searched()}, []string{"on", "off", "search"})
	comparedAndForecast(t, study)
	if err := os.WriteFile(file, []byte(pageOf(t, study)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browsertest.New(t)
	for _, view := range []struct {
		name string
		browsertest.View
	}{
		{"desk", browsertest.View{Width: 1280, Height: 800, Theme: "light"}},
		{"phone by night", browsertest.View{Width: 360, Height: 800, Theme: "dark"}},
		{"print", browsertest.View{Width: 800, Height: 800, Media: "print", Theme: "light"}},
	} {
		t.Run(view.name, func(t *testing.T) {
			b.Look(t, view.View)
			b.Do(t, chromedp.Navigate("file://"+file))
			b.CheckAccess(t, axe)
			if drawn := b.Wait(t, `[...document.querySelectorAll('.plot svg')].every((s) => s.getBoundingClientRect().height > 100) ? 'all' : 'not all'`); drawn != "all" {
				t.Error("not every chart is drawn")
			}
			b.Shoot(t)
		})
	}
	b.CheckOrigin(t, "file://"+file)
}
