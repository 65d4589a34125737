package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/limits"
)

// post is a request as the server's handler gets it.
func post(token, from, query string) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"`+query+`"}`))
	req.Header.Set("Content-Type", mediaJSON)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if from != "" {
		req.RemoteAddr = from
	}
	return req
}

// BenchmarkGateBesideMyDay tells what share of the processor time that the server
// spends on one myDay is the gate's: budgets reserved and settled, a seat taken and
// given back.
func BenchmarkGateBesideMyDay(b *testing.B) {
	plenty := limits.Rate{Size: 1e9, Restore: 1e9}
	r := newRig(b, func(c *Config) { c.Gate, c.Cores, c.User, c.Tenant = Adaptive, 2, plenty, plenty })
	handler := r.server.Handler()
	const query = `{ myDay { day totals { seconds } entries { description project { name } } } }`
	account := r.server.accountOf(credential{workspace: r.owner.Workspace.ID, user: r.owner.User})
	request := limits.Request{Class: limits.Interactive, Tenant: account.tenant, Client: account.front.Key, Work: time.Millisecond}
	const times = 2000
	var whole, gate time.Duration
	for b.Loop() {
		began := cpu(b)
		for range times {
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, post(r.token, "", query)); w.Code != http.StatusOK {
				b.Fatal(w.Body)
			}
		}
		between := cpu(b)
		for range times {
			request.Deadline = time.Now().Add(time.Second)
			reserved, _ := account.reserve(3)
			permit, refusal := r.server.gate.Admit(b.Context(), request)
			if refusal != nil {
				b.Fatal(refusal)
			}
			permit.Done(limits.Outcome{DB: time.Millisecond, Statements: 2})
			reserved.Settle(2)
		}
		whole, gate = whole+between-began, gate+cpu(b)-between
	}
	n := float64(b.N * times)
	b.ReportMetric(float64(whole.Microseconds())/n, "us/myDay")
	b.ReportMetric(float64(gate.Nanoseconds())/n, "ns/gate")
	b.ReportMetric(100*gate.Seconds()/whole.Seconds(), "%")
}

// BenchmarkClientsThatIgnoreRetryAfter has 10,000 clients ask again as soon as they
// are refused, for ten seconds, and tells how many cores that takes: the server's
// part, without the network's.
func BenchmarkClientsThatIgnoreRetryAfter(b *testing.B) {
	r := newRig(b, func(c *Config) { c.Gate, c.Cores = Adaptive, 1 })
	for range 64 { // operations hold a seat for 10 ms and more
		permit, _ := r.server.gate.Admit(b.Context(), limits.Request{Class: limits.Interactive, Work: 500 * time.Microsecond})
		<-time.After(10 * time.Millisecond)
		permit.Done(limits.Outcome{})
	}
	r.server.adaptive.Brown(limits.OnlyControl, "a benchmark")
	handler := r.server.Handler()
	asked, refused, took := 0, 0, time.Duration(0)
	for b.Loop() {
		end := time.Now().Add(10 * time.Second)
		began := cpu(b)
		var clients sync.WaitGroup
		var mu sync.Mutex
		for i := range 10_000 {
			from := fmt.Sprintf("10.0.%d.%d:1", i/256, i%256)
			clients.Go(func() {
				n := 0
				for ; time.Now().Before(end); n++ {
					w := httptest.NewRecorder()
					if handler.ServeHTTP(w, post("", from, `{ __typename }`)); w.Code == http.StatusServiceUnavailable {
						mu.Lock()
						refused++
						mu.Unlock()
					}
				}
				mu.Lock()
				asked += n
				mu.Unlock()
			})
		}
		clients.Wait()
		took += cpu(b) - began
	}
	seconds := 10 * float64(b.N)
	b.ReportMetric(took.Seconds()/seconds, "cores")
	b.ReportMetric(float64(asked)/seconds, "requests/s")
	b.ReportMetric(float64(took.Microseconds())/float64(asked), "us/request")
	if refused < asked {
		b.Errorf("%d of %d were refused", refused, asked)
	}
}
