package server

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
)

// Header and body of one answer tell of the budget alike.
func TestBudgetIsToldOnce(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e5, 1e6), budget(1e6, 1e6) }) // a microsecond restores a point
	own := r.server.accountOf(credential{workspace: r.owner.Workspace.ID, user: r.owner.User}).budgets[0]
	for range 20 {
		own.Budget.Charge(own.Key, own.Budget.Available(own.Key)-1e4)
		a := r.ask(`{ projects(first: 50) { nodes { client { name } } } }`, nil)
		want := fmt.Sprintf(`"cost";r=%d;`, int(a.Extensions.Cost.Throttle.Available))
		if got := a.header.Get("Ratelimit"); !strings.HasPrefix(got, want) {
			t.Fatalf("Ratelimit %s, body %v", got, a.Extensions.Cost.Throttle.Available)
		}
	}
}

// Who is refused for documents that were refused is told of the bucket that pays
// for these.
func TestDebtIsTold(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(5, 0.01) })
	var a answer
	for n := 0; a.code() != codeThrottled; n++ {
		if n > 20 {
			t.Fatalf("not throttled: %s", a.raw)
		}
		a = r.must(call{query: `{ nope }`, token: r.token})
	}
	if c := a.Extensions.Cost; c == nil || c.Throttle.Available >= 0 || c.Throttle.Maximum != 5 || c.Throttle.Restore != 0.01 {
		t.Errorf("the body does not tell of a debt: %s", a.raw)
	}
	if got := a.header.Get("Ratelimit"); !strings.HasPrefix(got, `"cost";r=5;t=0, "workspace";r=10000;t=0, "refused";r=0;t=`) || strings.HasSuffix(got, "t=0") {
		t.Errorf("Ratelimit %s in a throttled answer", got)
	}
}

// Each answer to a document that is refused tells of the bucket that pays for it, in
// header and body, before that bucket refuses anything; and the time to come back is
// that until it owes nothing.
func TestRefusedDocumentsTellWhatIsLeft(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(4, 1) })
	left := 4.0
	for n := 0; ; n++ {
		a := r.must(call{query: `{ nope }`, token: r.token})
		c := a.Extensions.Cost
		if c == nil || c.Throttle.Maximum != 4 || a.code() != codeThrottled && c.Throttle.Available >= left || n > 20 {
			t.Fatalf("after %v points: %s", left, a.raw)
		}
		left = c.Throttle.Available
		if want := fmt.Sprintf(`"refused";r=%d;`, max(0, int(left))); !strings.Contains(a.header.Get("Ratelimit"), want) {
			t.Errorf("Ratelimit %s, want %s", a.header.Get("Ratelimit"), want)
		}
		if a.code() != codeThrottled {
			continue
		}
		e := a.Errors[0].Extensions
		if ms := e["retryAfterMs"].(float64); e["policy"] != policyRefused || math.Abs(ms+1000*left) > 10 {
			t.Errorf("%v points at one a second, come back in %v ms, policy %v", left, ms, e["policy"])
		}
		return
	}
}

// Who is short in the workspace is told of its budget, by its name.
func TestWorkspaceBudgetIsTold(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Tenant = budget(100, 0.001) })
	account := r.server.accountOf(*mustRead(t, r))
	account.budgets[1].Budget.Charge(account.budgets[1].Key, 99.9)
	a := r.must(call{query: `{ viewer { role budget { currentlyAvailable } } }`, token: r.token})
	if c := a.Extensions.Cost; a.code() != codeThrottled || a.Errors[0].Extensions["policy"] != policyWorkspace || c.Throttle.Maximum != 100 || c.Throttle.Available > 0.11 {
		t.Errorf("%s", a.raw)
	}
	if got := a.header.Get("Ratelimit"); !strings.Contains(got, `"workspace";r=0;`) || !strings.HasPrefix(got, `"cost";r=2000;`) {
		t.Errorf("Ratelimit %s", got)
	}
	if got := a.header.Get("Ratelimit-Policy"); got != `"cost";q=2000;w=20, "workspace";q=100;w=100000, "refused";q=2000;w=20` {
		t.Errorf("Ratelimit-Policy %s", got)
	}
}

// What costs more than a whole budget would never be there for sure is too dear, and
// what is suggested instead fits.
func TestBudgetsBoundOneOperation(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User, c.Tenant = budget(1e4, 1e4), budget(0.7, 1e4) })
	const query = `query($n: Int!) { projects(first: $n) { nodes { id } } }` // 0.5 and 0.005 for each
	p, priced := r.priced(r.token, query, map[string]any{"n": 100})
	ran := r.must(call{query: query, variables: map[string]any{"n": 100}, token: r.token})
	if p.Verdict.Code != codeTooExpensive || ran.code() != codeTooExpensive || p.Cost.Limit != 0.7 {
		t.Fatalf("the preview says %s, /graphql %s", priced.raw, ran.raw)
	}
	if len(p.Suggestions) == 0 || p.Suggestions[0].MaxAccepted.N != 40 {
		t.Fatalf("suggestions %+v, want 40", p.Suggestions)
	}
	if again, a := r.priced(r.token, query, map[string]any{"n": 40}); again.Verdict.Code != verdictAccepted {
		t.Errorf("applied: %s", a.raw)
	}
	r.ask(query, map[string]any{"n": 40})
	measured := newRig(t, func(c *Config) { c.Tenant, c.Measured = budget(0.7, 1e4), []Rule{RuleBudgets} })
	measured.ask(query, map[string]any{"n": 100})
}

func TestThrottled(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(100, 0.5) })
	query := `{ timesheetReport(input: {period: {from: "2026-01-01", to: "2026-01-31"}, groupBy: [PROJECT], maxRows: 500}) { asOf } }`
	// The first reserves 70 of 100 points and gets most of them back; it is kept
	// in flight by asking with a budget that holds one at a time.
	held, short := r.server.accountOf(credential{workspace: r.owner.Workspace.ID, user: r.owner.User}).reserve(90)
	if short != nil {
		t.Fatal("a full budget refuses 90 of 100 points")
	}
	a := r.must(call{query: query, token: r.token})
	if a.status != http.StatusTooManyRequests || a.code() != codeThrottled {
		t.Fatalf("status %d, code %q, want 429 %s", a.status, a.code(), codeThrottled)
	}
	if a.header.Get("Retry-After") == "" || a.Errors[0].Extensions["retryAfterMs"] == nil {
		t.Errorf("no hint when to come back: %s, header %v", a.raw, a.header)
	}
	held.Cancel()
	r.ask(query, nil)
}

// What is dearer than a whole budget can never be paid, however fast that fills.
func TestNothingIsAllowedOfWhatIsNeverPaid(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(100, 60) })
	p, a := r.priced(r.token, `{ projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`, nil)
	if p.Verdict.Code != codeTooExpensive || p.Allows == nil || *p.Allows != (allowance{}) {
		t.Errorf("verdict %+v, allows %+v: %s", p.Verdict, p.Allows, a.raw)
	}
}
