package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"headroom/graph"
	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// planned answers a day in place of the executor, as a plan that was compiled from
// the document could at best: by the one statement, with its bytes put together by
// hand.
type planned struct {
	graphql.ExecutableSchema
	store *store.Store
}

func (p planned) Exec(context.Context) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response {
		v, _ := timesheet.ViewerFrom(ctx)
		date := timesheet.NewDate(2026, time.March, 2)
		day, refs, err := p.store.MyDayJoined(ctx, v, &date, nil, time.Now(), store.Joins{Project: true, Client: true, Task: true})
		if err != nil {
			return graphql.ErrorResponse(ctx, "%v", err)
		}
		var b bytes.Buffer
		b.Grow(16 << 10)
		write := func(before string, m graphql.Marshaler) {
			b.WriteString(before)
			m.MarshalGQL(&b)
		}
		write(`{"viewer":{"user":{"id":`, graph.MarshalUserID(v.User))
		write(`,"name":`, graphql.MarshalString(v.Self.Name))
		b.WriteString(`}},"myDay":{"entries":[`)
		for i, e := range day.Entries {
			if i > 0 {
				b.WriteByte(',')
			}
			project, task := refs.Projects[*e.ProjectID], refs.Tasks[*e.TaskID]
			client := refs.Clients[*project.ClientID]
			write(`{"id":`, graph.MarshalTimeEntryID(e.ID))
			write(`,"description":`, graphql.MarshalString(e.Description))
			write(`,"startedAt":`, graph.MarshalDateTime(e.StartedAt))
			write(`,"endedAt":`, graph.MarshalDateTime(*e.EndedAt))
			b.WriteString(`,"seconds":` + strconv.FormatInt(*e.Seconds, 10))
			write(`,"billable":`, graphql.MarshalBoolean(e.Billable))
			write(`,"project":{"id":`, graph.MarshalProjectID(project.ID))
			write(`,"name":`, graphql.MarshalString(project.Name))
			write(`,"client":{"id":`, graph.MarshalClientID(client.ID))
			write(`,"name":`, graphql.MarshalString(client.Name))
			write(`}},"task":{"id":`, graph.MarshalTaskID(task.ID))
			write(`,"name":`, graphql.MarshalString(task.Name))
			b.WriteString("}}")
		}
		b.WriteString("]}}")
		return &graphql.Response{Data: b.Bytes()}
	}
}

// BenchmarkPlan is what a compiled plan of a day could gain at most: the same
// request through the same protections, by gqlgen and by hand.
func BenchmarkPlan(b *testing.B) {
	plenty := limits.Rate{Size: 1e9, Restore: 1e9}
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	r := newRig(b, func(c *Config) { c.User, c.Tenant, c.Log = plenty, plenty, log })
	r.fill(50, 20)
	executor := r.server.exec
	byHand := newExecutor(planned{graph.NewExecutableSchema(graph.Config{}), r.store}, log)
	want := ""
	for _, way := range []string{"gqlgen", "by hand", "gqlgen again", "by hand again"} {
		b.Run(way, func(b *testing.B) {
			r.server.exec = executor
			if way == "by hand" || way == "by hand again" {
				r.server.exec = byHand
			}
			handler := r.server.Handler()
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				w := httptest.NewRecorder()
				if handler.ServeHTTP(w, post(r.token, "", dayAsked)); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
				data, _, _ := bytes.Cut(w.Body.Bytes(), []byte(`,"extensions"`))
				if want == "" {
					want = string(data)
				}
				if string(data) != want {
					b.Fatalf("the answers differ:\n%s\n%s", data, want)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// dayAsked is dayShown as it stands in the JSON of a request.
var dayAsked = string(bytes.ReplaceAll([]byte(dayShown), []byte(`"`), []byte(`\"`)))
