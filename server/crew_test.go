package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

func TestCrewAnswersEverybodyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const crowd = 3 * crewWaiting
		open := make(chan struct{})
		c := newCrew(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-open
			fmt.Fprint(w, r.URL.Path)
		}))
		defer close(c.end)
		var all sync.WaitGroup
		for n := range crowd {
			all.Go(func() {
				w, path := httptest.NewRecorder(), fmt.Sprint("/", n)
				if c.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Body.String() != path {
					t.Errorf("%s is answered with %q", path, w.Body)
				}
			})
		}
		synctest.Wait()
		close(open)
		all.Wait()
		synctest.Wait()
		if n := c.waiting.Load(); n != crewWaiting {
			t.Errorf("%d wait after a crowd of %d, want %d", n, crowd, crewWaiting)
		}
		c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		synctest.Wait()
		if n := c.waiting.Load(); n != crewWaiting {
			t.Errorf("%d wait after one more, want %d", n, crewWaiting)
		}
	})
}

func TestCrewPassesPanicsOn(t *testing.T) {
	c := newCrew(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("a bug")
	}))
	defer close(c.end)
	broken := func(path string) (v any) {
		defer func() { v = recover() }()
		c.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		return nil
	}
	if v := broken("/abort"); v != http.ErrAbortHandler {
		t.Errorf("an aborted answer panics with %v", v)
	}
	if text := fmt.Sprint(broken("/")); !strings.HasPrefix(text, "a bug\n") || !strings.Contains(text, "TestCrewPassesPanicsOn") {
		t.Errorf("a bug panics without its place: %s", text)
	}
}
