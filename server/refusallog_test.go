package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// In a storm the log has lines for the first refusals of a second, and one that
// counts the others; metrics count all.
func TestRefusalsShareALine(t *testing.T) {
	var out bytes.Buffer
	now := time.Now().Truncate(time.Second)
	r := newRig(t, func(c *Config) {
		c.Log = slog.New(slog.NewJSONHandler(&out, nil))
		c.Now = func() time.Time { return now }
	})
	r.ask(`{ myDay { day } }`, nil)
	r.server.static.Drain()
	refuse := func(n int) {
		for range n {
			w := httptest.NewRecorder()
			r.server.Handler().ServeHTTP(w, post(r.token, "", `{ myDay { day } }`))
			if w.Code != http.StatusServiceUnavailable || len(w.Header()) > 8 {
				t.Fatalf("status %d, %d headers: %v", w.Code, len(w.Header()), w.Header())
			}
		}
	}
	lines := func() (own, counted int) {
		t.Helper()
		for text := range bytes.Lines(out.Bytes()) {
			var line struct {
				Msg, Decision string
				Count         int
			}
			if err := json.Unmarshal(text, &line); err != nil {
				t.Fatal(err)
			}
			if line.Decision == codeOverloaded {
				own++
			}
			counted += line.Count
		}
		out.Reset()
		return own, counted
	}
	refuse(ownLines + 30)
	r.server.tellRefusals()
	if own, counted := lines(); own != ownLines || counted != 30 {
		t.Errorf("%d lines and %d counted, want %d and 30", own, counted, ownLines)
	}
	now = now.Add(time.Second)
	refuse(3)
	r.server.tellRefusals()
	if own, counted := lines(); own != 3 || counted != 0 {
		t.Errorf("a second later %d lines and %d counted, want 3 and none", own, counted)
	}
}
