package graph_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/graph"
	"headroom/timesheet"
)

func TestConnection(t *testing.T) {
	c := graph.Connection[string]{
		Nodes: []string{"a", "b", "c"}, Cursor: func(i int) string { return []string{"1", "2", "3"}[i] }, HasNextPage: true,
	}
	wantEdges := []graph.Edge[string]{{Cursor: "1", Node: "a"}, {Cursor: "2", Node: "b"}, {Cursor: "3", Node: "c"}}
	if diff := cmp.Diff(wantEdges, c.Edges()); diff != "" {
		t.Errorf("edges (-want +got):\n%s", diff)
	}
	wantInfo := graph.PageInfo{HasNextPage: true, StartCursor: new("1"), EndCursor: new("3")}
	if diff := cmp.Diff(wantInfo, c.PageInfo()); diff != "" {
		t.Errorf("pageInfo (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(graph.PageInfo{}, graph.Connection[string]{}.PageInfo()); diff != "" {
		t.Errorf("pageInfo of an empty page (-want +got):\n%s", diff)
	}
}

func TestTotalCount(t *testing.T) {
	away := errors.New("away")
	tests := []struct {
		name  string
		total func(context.Context) (int, error)
		want  *int
		err   error
	}{
		{"counted", func(context.Context) (int, error) { return 42, nil }, new(42), nil},
		{"not countable", nil, nil, nil},
		{"database away", func(context.Context) (int, error) { return 0, away }, nil, away},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := graph.Connection[string]{Total: test.total}.TotalCount(t.Context())
			if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.err) {
				t.Errorf("got %v, %v; want %v, %v", got, err, test.want, test.err)
			}
		})
	}
}

func TestUserErrorBlamesNoFieldWithNull(t *testing.T) {
	named := graph.UserError{Error: timesheet.Errorf(timesheet.CodeInvalid, "name", "is empty")}
	if got := named.Field(); got == nil || *got != "name" {
		t.Errorf("got %v, want name", got)
	}
	if got := (graph.UserError{Error: timesheet.Errorf(timesheet.CodeNotRunning, "", "no timer runs")}).Field(); got != nil {
		t.Errorf("got %q, want null", *got)
	}
}

func TestAuditEventShowsTheObjectsOwnID(t *testing.T) {
	e := graph.AuditEvent{AuditEvent: timesheet.AuditEvent{ID: 7, Entity: "Project", EntityID: "42"}}
	if got, want := text(e.EntityID()), text(graph.MarshalProjectID(42)); got != want {
		t.Errorf("entityId is %s, want the project's %s", got, want)
	}
	if e.ID() == e.EntityID() {
		t.Error("the event has the id of its object")
	}
}
