package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"headroom/limits"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// laboratory is a server with all of its protection, and the workspaces.
type laboratory struct {
	options
	store      *store.Store
	conn       *pgx.Conn // of changes, which nothing measures
	handler    http.Handler
	workspaces []*workspace
	random     *rand.Rand
}

// draw is one question that was asked, and what it took.
type draw struct {
	Workspace int // 0 is the largest
	Operation string
	Statement string
	Points    float64
	Plan      float64   // the planner's cost
	Times     []float64 // five, one after the other
	Fields    float64   // that a limiter counts
	Again     bool      // the first five were disturbed
	price     limits.Price
	question  question
}

// actual is the median of the five.
func (d *draw) actual() float64 {
	sorted := slices.Clone(d.Times)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// disturbed tells whether the machine had something else to do: one of five took
// more than twice as long as another. It asks nothing of what was forecast.
func (d *draw) disturbed() bool { return slices.Max(d.Times) > 2*slices.Min(d.Times) }

var secret = []byte("a secret of the benchmark")

func open(ctx context.Context, dsn string, o options) (*laboratory, error) {
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Config{DSN: dsn, Log: quiet})
	if err != nil {
		return nil, err
	}
	srv, err := server.New(server.Config{
		Store: db, Secret: secret, Log: quiet, Statistics: true, Nightly: -1,
		Measured: []server.Rule{server.RuleCaps, server.RuleBudgets},
	})
	if err != nil {
		return nil, err
	}
	l := &laboratory{options: o, store: db, handler: srv.Handler(), random: rand.New(rand.NewPCG(o.seed, 1))}
	ids, err := db.LargestWorkspaces(ctx, o.workspaces)
	if err != nil {
		return nil, err
	}
	if l.conn, err = pgx.Connect(ctx, dsn); err != nil {
		return nil, err
	}
	if _, err := l.conn.Exec(ctx, `ANALYZE`); err != nil { // as autovacuum has it in a database that is used
		return nil, err
	}
	for _, id := range ids {
		w, err := l.describe(ctx, id)
		if err != nil {
			return nil, err
		}
		l.workspaces = append(l.workspaces, w)
	}
	return l, nil
}

func (l *laboratory) close(ctx context.Context) {
	l.conn.Close(ctx)
	l.store.Close()
}

// describe counts a workspace and finds whom and what to ask about.
func (l *laboratory) describe(ctx context.Context, id timesheet.WorkspaceID) (w *workspace, err error) {
	w = &workspace{ids: map[string]int64{}}
	if w.viewer, err = l.store.OwnerViewer(ctx, id); err != nil {
		return nil, err
	}
	w.name = w.viewer.Workspace.Name
	in := store.NewToken{User: w.viewer.User, Name: "benchmark", Scope: timesheet.ScopeWrite}
	token, _, err := l.store.CreateToken(ctx, w.viewer, in, store.Change{Action: "createToken", Input: in})
	if err != nil {
		return nil, err
	}
	w.token = server.NewKeys(secret).MintToken(id, token)
	if w.counts, err = l.store.Counts(ctx, id); err != nil {
		return nil, err
	}
	w.words = wordsOf(w.counts.Sample)
	if err := l.conn.QueryRow(ctx, `SELECT count(*) FROM time_entry WHERE workspace_id = $1`, id).Scan(&w.entries); err != nil {
		return nil, err
	}
	for kind, list := range map[string]*[]string{"users": &w.users, "projects": &w.projects, "clients": &w.clients} {
		if *list, err = l.list(w, kind); err != nil {
			return nil, err
		}
	}
	if len(w.words) == 0 { // a small workspace has no sample
		w.words = []string{"Meeting", "Review", "call", "plan"}
	}
	return w, nil
}

// list reads the first ids of a kind through the API, and their keys.
func (l *laboratory) list(w *workspace, kind string) (ids []string, err error) {
	_, body, err := l.send(w, "{ "+kind+"(first: 100) { nodes { id } } }", nil)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data map[string]struct{ Nodes []struct{ ID string } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	for _, n := range answer.Data[kind].Nodes {
		key, err := keyOf(n.ID)
		if err != nil {
			return nil, err
		}
		w.ids[n.ID], ids = key, append(ids, n.ID)
	}
	return ids, nil
}

// send runs an operation through the whole server and returns how long it took.
func (l *laboratory) send(w *workspace, query string, variables map[string]any) (ms float64, body []byte, err error) {
	text, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return 0, nil, err
	}
	req := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(text))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	req.Header.Set("Authorization", "Bearer "+w.token)
	rec := httptest.NewRecorder()
	began := time.Now()
	l.handler.ServeHTTP(rec, req)
	took := time.Since(began)
	if body = rec.Body.Bytes(); rec.Code != http.StatusOK || bytes.Contains(body, []byte(`"errors":[`)) {
		return 0, nil, fmt.Errorf("%s: status %d: %.300s", query, rec.Code, body)
	}
	return float64(took.Nanoseconds()) / 1e6, body, nil
}

// outdate is as if something had changed in all workspaces: no report that was kept
// is given again.
func (l *laboratory) outdate(ctx context.Context) error {
	_, err := l.conn.Exec(ctx, `UPDATE activity SET changes = changes + 1`)
	return err
}

const repeats = 5

// measure asks every workspace all questions, in an order that the seed draws. left
// is how many questions there was no time for.
func (l *laboratory) measure(ctx context.Context) (out []*draw, left int, err error) {
	for i, w := range l.workspaces {
		draws := l.draws
		if i < len(l.workspaces)/4 {
			draws *= 2 // where what matters is dear
		}
		for range draws {
			for _, q := range w.questions(l.random) {
				out = append(out, &draw{Workspace: i, Operation: q.name, Fields: q.fields, question: q})
			}
		}
	}
	l.random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	began := time.Now()
	for i, d := range out {
		if time.Since(began) > l.most {
			out, left = out[:i], len(out)-i
			break
		}
		if i%200 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d questions, %s\n", i, len(out), time.Since(began).Round(time.Second))
		}
		if err := l.take(ctx, d); err != nil {
			return nil, 0, fmt.Errorf("%s of %s: %w", d.Operation, l.workspaces[d.Workspace], err)
		}
	}
	return out, left, l.takeAgain(ctx, out)
}

// takeAgain asks again what was disturbed.
func (l *laboratory) takeAgain(ctx context.Context, draws []*draw) error {
	until := time.Now().Add(l.most / 10)
	for _, d := range draws {
		if !d.disturbed() || time.Now().After(until) {
			continue
		}
		d.Times, d.Again = nil, true
		if err := l.take(ctx, d); err != nil {
			return fmt.Errorf("%s of %s, again: %w", d.Operation, l.workspaces[d.Workspace], err)
		}
	}
	return nil
}

func (l *laboratory) take(ctx context.Context, d *draw) (err error) {
	w := l.workspaces[d.Workspace]
	for n := range repeats + 1 {
		if err := l.outdate(ctx); err != nil {
			return err
		}
		ms, _, err := l.send(w, d.question.query, d.question.variables)
		if err != nil {
			return err
		}
		if n > 0 { // the first warms
			d.Times = append(d.Times, math.Round(100*ms)/100)
		}
	}
	if d.price, err = quote(ctx, w, &d.question); err != nil {
		return err
	}
	d.Points, d.Statement = d.price.Expected, d.price.Fields[0].Mostly
	d.Plan, err = l.planned(ctx, w, &d.question)
	return err
}

// planned is what the planner expects of a question's dearest statement.
func (l *laboratory) planned(ctx context.Context, w *workspace, q *question) (float64, error) {
	if err := l.outdate(ctx); err != nil {
		return 0, err
	}
	class := timesheet.ClassInteractive
	if q.tag == "reportGroups" || q.tag == "summaryGroups" {
		class = timesheet.ClassReport
	}
	op := store.NewOperation(1)
	op.KeepStatement(q.tag)
	if err := q.call(timesheet.WithService(store.WithOperation(ctx, op), timesheet.Service{Class: class}), l.store, w.viewer); err != nil {
		return 0, err
	}
	op.Close()
	kept := op.Statement()
	if kept == nil {
		return 0, fmt.Errorf("no statement %s was run", q.tag)
	}
	plan, err := l.store.Plan(ctx, kept)
	return math.Round(10*plan.Cost) / 10, err
}

// quote prices a question as the server does.
func quote(ctx context.Context, w *workspace, q *question) (limits.Price, error) {
	pricer, err := server.NewPricer("", limits.DefaultCaps)
	if err != nil {
		return limits.Price{}, err
	}
	s := server.Statistics{Day: timesheet.DayOf(time.Now(), time.UTC).String(), Workspaces: []*store.Counts{w.counts}, Viewer: w.viewer}
	pricer.Follow(s)
	out, err := pricer.Price(ctx, server.Trusted{Text: q.query}, q.variables)
	return out.Price, err
}
