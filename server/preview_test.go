package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"headroom/limits"
	"headroom/timesheet"
)

// priced asks for a price as somebody with this token.
func (r *rig) priced(token, query string, variables map[string]any) (preview, answer) {
	r.t.Helper()
	a := r.must(call{path: pathCost, query: query, variables: variables, token: token, accept: mediaGraphQL})
	var p preview
	if err := json.Unmarshal([]byte(a.raw), &p); err != nil || a.status >= http.StatusInternalServerError {
		r.t.Fatalf("no price: status %d, %v: %s", a.status, err, a.raw)
	}
	return p, a
}

// A preview names what the operation will be quoted, and runs nothing.
func TestPreviewIsTheQuoteOfTheSameBody(t *testing.T) {
	r := newRig(t, nil)
	const create = `mutation($n: String!) { createTag(input: {name: $n}) { tag { id } } }`
	vars := map[string]any{"n": "urgent"}
	p, a := r.priced(r.token, create, vars)
	if a.status != http.StatusOK || p.Verdict.Code != verdictAccepted {
		t.Fatalf("status %d, %s", a.status, a.raw)
	}
	if found := r.ask(`{ tags(first: 10) { nodes { name } } }`, nil); strings.Contains(found.raw, "urgent") {
		t.Errorf("the preview has run: %s", found.raw)
	}
	ran := r.ask(create, vars).Extensions.Cost
	if p.Cost.Requested != ran.Requested || p.Cost.Class != ran.Class || p.Cost.Basis != ran.Basis {
		t.Errorf("preview %+v, quote %+v", p.Cost, ran)
	}
	if p.Cost.Fields[0].Path != "createTag" || p.Cost.Fields[0].Requested != 2 || p.Cost.Fields[0].Actual != nil {
		t.Errorf("shares: %+v", p.Cost.Fields)
	}
	if p.Allows == nil || p.Allows.Now != int64(p.Cost.Throttle.Available/p.Cost.Requested) || p.Allows.PerMinute != int64(60*100/p.Cost.Requested) {
		t.Errorf("allows %+v of %+v", p.Allows, p.Cost)
	}
}

func TestPreviewVerdicts(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(100, 0.001) })
	reader := r.mint(r.owner, r.owner.User, timesheet.ScopeRead)
	const page = `query($n: Int!) { projects(first: $n) { nodes { tasks(first: 100) { nodes { id } } } } }`
	for _, test := range []struct {
		name, token, query string
		n                  int
		want               string
		suggests           string
	}{
		{"cheap", r.token, page, 1, verdictAccepted, ""},
		{"more than the budget has now", r.token, page, 49, verdictAccepted, ""}, // 98.5 of 100
		{"more than one may ask for", r.token, page, 100, codeTooExpensive, limits.ReduceArgument},
	} {
		t.Run(test.name, func(t *testing.T) {
			r.t = t
			p, a := r.priced(test.token, test.query, map[string]any{"n": test.n})
			if a.status != http.StatusOK || p.Verdict.Code != test.want {
				t.Errorf("status %d, %s, want %s", a.status, a.raw, test.want)
			}
			if test.suggests != "" && (len(p.Suggestions) == 0 || p.Suggestions[0].Kind != test.suggests) {
				t.Errorf("suggestions %+v", p.Suggestions)
			}
		})
	}
	t.Run("a variable too many is nobody's business", func(t *testing.T) {
		r.t = t
		if p, a := r.priced(r.token, page, map[string]any{"n": 1, "m": 2147483647}); p.Verdict.Code != verdictAccepted || p.Cost.Requested != 2.51 {
			t.Errorf("%s", a.raw)
		}
	})
	t.Run("a budget that is used up", func(t *testing.T) {
		r.t = t
		r.server.userBudget.Charge(r.server.accountOf(credential{workspace: r.owner.Workspace.ID, user: r.owner.User}).budgets[0].Key, 60)
		p, a := r.priced(r.token, page, map[string]any{"n": 30})
		if p.Verdict.Code != codeThrottled || p.Verdict.RetryAfterMs <= 0 || p.Verdict.Policy != policyPerson || p.Allows.Now != 0 {
			t.Errorf("%s", a.raw)
		}
		if after, _ := r.priced(r.token, page, map[string]any{"n": 10}); after.Verdict.Code != verdictAccepted {
			t.Errorf("a preview took points: %+v", after)
		}
	})
	for name, test := range map[string]struct {
		call call
		code string
	}{
		"a syntax error":        {call{query: `{ viewer `, token: r.token}, codeParseFailed},
		"an unknown field":      {call{query: `{ nothing }`, token: r.token}, codeValidationFailed},
		"an unknown variable":   {call{query: `{ projects(first: $n) { nodes { id } } }`, token: r.token}, codeValidationFailed},
		"no size":               {call{query: `{ projects { nodes { id } } }`, token: r.token}, codeSlicing},
		"nobody":                {call{query: `{ viewer { role } }`}, codeUnauthenticated},
		"a token that may read": {call{query: `mutation { stopTimer(input: {}) { userErrors { code } } }`, token: reader}, codeForbidden},
		"GET":                   {call{method: http.MethodGet, token: r.token}, codeMethod},
	} {
		t.Run(name+" is refused as elsewhere", func(t *testing.T) {
			r.t = t
			test.call.path, test.call.accept = pathCost, mediaGraphQL
			if a := r.must(test.call); a.code() != test.code || a.status == http.StatusOK {
				t.Errorf("status %d, %s, want %s", a.status, a.raw, test.code)
			}
		})
	}
}

// What previews cost the processor their sender pays, from the account of
// refused documents: the budget for operations stays whole.
func TestPreviewsPayForTheirTime(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(2000, 0.001) })
	const query = `query { projects(first: 100) { nodes { tasks(first: 100) { nodes { id } } } } }`
	r.priced(r.token, query, nil)
	account := r.server.accountOf(*mustRead(t, r))
	if left := account.front.Budget.Available(account.front.Key); left >= 2000 {
		t.Errorf("%v points left of 2000 after a preview", left)
	}
	if left := account.budgets[0].Budget.Available(account.budgets[0].Key); left != 2000 {
		t.Errorf("%v of 2000 points are left for operations", left)
	}
}

// A preview that leaves its sender in debt says that nothing of theirs would run now.
func TestPreviewKnowsOfTheDebtItMakes(t *testing.T) {
	r := newRig(t, func(c *Config) { c.User = budget(1, 0.001) })
	account := r.server.accountOf(*mustRead(t, r))
	account.charge(0.9999)
	const query = `{ viewer { role } }`
	p, a := r.priced(r.token, query, nil)
	if ran := r.must(call{query: query, token: r.token}); p.Verdict.Code != codeThrottled || ran.code() != codeThrottled || p.Verdict.RetryAfterMs <= 0 || p.Cost.Throttle.Available >= 0 {
		t.Errorf("the preview says %s, /graphql %s", a.raw, ran.raw)
	}
}

func mustRead(t *testing.T, r *rig) *credential {
	t.Helper()
	c, ok := r.server.keys.readToken(r.token, time.Now())
	if !ok {
		t.Fatal("the rig's token is not valid")
	}
	return &c
}

// On request an answer holds what each field was quoted and what it took.
func TestExplainedFields(t *testing.T) {
	r := newRig(t, nil)
	for _, name := range []string{"a", "b", "c"} {
		client := find(r.ask(`mutation($n: String!) { createClient(input: {name: $n}) { client { id } } }`, map[string]any{"n": name}).Data, "id")
		project := find(r.ask(`mutation($n: String!, $c: ID) { createProject(input: {name: $n, clientId: $c}) { project { id } } }`, map[string]any{"n": name, "c": client}).Data, "id")
		r.ask(`mutation($p: ID!) { createTask(input: {name: "task", projectId: $p}) { task { id } } }`, map[string]any{"p": project})
	}
	const query = `{ list: projects(first: 50) { totalCount nodes { name client { name } tasks(first: 1) { nodes { name } } } } viewer { role } }`
	body, err := json.Marshal(map[string]any{"query": query, "extensions": map[string]any{"headroom": map[string]any{"explain": true}}})
	if err != nil {
		t.Fatal(err)
	}
	a := r.must(call{body: string(body), token: r.token, accept: mediaGraphQL})
	fields := map[string]fieldCost{}
	for _, f := range a.Extensions.Cost.Fields {
		fields[f.Path] = f
	}
	for path, want := range map[string]struct {
		coordinate       string
		requested        float64
		batches, atLeast int
	}{
		"list":              {"Query.projects", 4, 3, 7},               // the page with its clients, its count, the tasks
		"list.totalCount":   {"ProjectConnection.totalCount", 2, 0, 0}, // its parent counts
		"list.nodes.client": {"Project.client", 0.25, 0, 0},            // its list has read it
		"list.nodes.tasks":  {"Project.tasks", 1, 1, 3},
		"viewer":            {"Query.viewer", 0.5, 0, 0},
	} {
		f, ok := fields[path]
		if !ok {
			t.Errorf("%s is not explained: %+v", path, a.Extensions.Cost.Fields)
			continue
		}
		if f.Coordinate != want.coordinate || f.Requested != want.requested || *f.Batches != want.batches || int(*f.Rows) < want.atLeast {
			t.Errorf("%s: %+v with %d batches of %d rows, want %+v", path, f, *f.Batches, *f.Rows, want)
		}
	}
	if plain := r.ask(query, nil).Extensions.Cost; plain.Fields != nil {
		t.Errorf("fields without a request for them: %+v", plain.Fields)
	}
}
