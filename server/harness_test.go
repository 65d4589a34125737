package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// patience bounds each wait.
const patience = 30 * time.Second

// rig is a server on a database of its own, with one workspace.
type rig struct {
	t      testing.TB
	store  *store.Store
	server *Server
	http   *httptest.Server
	owner  timesheet.Viewer
	token  string // the owner's
}

func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	return rigOn(t, storetest.Open(t), change)
}

func rigOn(t testing.TB, db *store.Store, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, store: db}
	var err error
	r.owner, err = db.CreateWorkspace(t.Context(), store.NewWorkspace{
		Name: "Acme", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Owner: store.Person{Name: "Olga", Email: "olga@acme.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Store: db, Secret: []byte("a secret of the tests"), Log: slog.New(slog.DiscardHandler), Inspect: true}
	if change != nil {
		change(&c)
	}
	if r.server, err = New(c); err != nil {
		t.Fatal(err)
	}
	r.http = httptest.NewServer(r.server.Handler())
	t.Cleanup(r.http.Close)
	r.token = r.mint(r.owner, r.owner.User, timesheet.ScopeWrite)
	return r
}

// mint makes a token for somebody.
func (r *rig) mint(v timesheet.Viewer, u timesheet.UserID, scope timesheet.Scope) string {
	r.t.Helper()
	in := store.NewToken{User: u, Name: "test", Scope: scope}
	token, _, err := r.store.CreateToken(r.t.Context(), v, in, store.Change{Action: "createToken", Input: in})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.server.keys.MintToken(v.Workspace.ID, token)
}

// answer is what came back.
type answer struct {
	status     int
	header     http.Header
	raw        string
	Data       map[string]any `json:"data"`
	Extensions struct {
		Cost *cost `json:"cost"`
	} `json:"extensions"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// call describes a request; the zero value of a field is the usual one.
type call struct {
	method, path, token, accept, contentType, body string
	query                                          string
	variables                                      map[string]any
	header                                         map[string]string
}

func (r *rig) do(ctx context.Context, c call) (answer, error) {
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.path == "" {
		c.path = "/graphql"
	}
	if c.query != "" {
		body, err := json.Marshal(map[string]any{"query": c.query, "variables": c.variables})
		if err != nil {
			r.t.Fatal(err)
		}
		c.body = string(body)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, r.http.URL+c.path, bytes.NewReader([]byte(c.body)))
	if err != nil {
		r.t.Fatal(err)
	}
	if c.contentType == "" {
		c.contentType = mediaJSON
	}
	req.Header.Set("Content-Type", c.contentType)
	if c.accept != "" {
		req.Header.Set("Accept", c.accept)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	resp, err := r.http.Client().Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &a); err != nil {
		r.t.Errorf("%s %s: the body is no JSON: %v\n%.300s", c.method, c.path, err, raw)
	}
	return a, nil
}

func (r *rig) must(c call) answer {
	r.t.Helper()
	a, err := r.do(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// ask runs an operation as the owner and fails on any error.
func (r *rig) ask(query string, variables map[string]any) answer {
	r.t.Helper()
	a := r.must(call{query: query, variables: variables, token: r.token, accept: mediaGraphQL})
	if a.status != http.StatusOK || len(a.Errors) > 0 {
		r.t.Fatalf("%s: status %d, %s", query, a.status, a.raw)
	}
	return a
}

// newProject makes a project and returns its id.
func (r *rig) newProject(name string) string {
	r.t.Helper()
	a := r.ask(`mutation($name: String!) { createProject(input: {name: $name}) { project { id } } }`, map[string]any{"name": name})
	var made struct {
		Data struct {
			CreateProject struct{ Project struct{ ID string } }
		}
	}
	if err := json.Unmarshal([]byte(a.raw), &made); err != nil || made.Data.CreateProject.Project.ID == "" {
		r.t.Fatalf("make a project: %s, %v", a.raw, err)
	}
	return made.Data.CreateProject.Project.ID
}

func budget(size, restore float64) limits.Rate { return limits.Rate{Size: size, Restore: restore} }
