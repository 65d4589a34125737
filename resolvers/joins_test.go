package resolvers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"headroom/proof"
	"headroom/timesheet"
)

// What the statement of a list, of a day or of a change joins to its rows is what
// every row says of itself, to the byte, when it is asked for by its id with the same
// fields below it: then loaders read what it refers to, by statements without a join.
// And a list has the rows, the cursors and the count that it has without the fields.
func TestJoinsAgree(t *testing.T) {
	n := proof.Size(t, 20000, 400)
	w := newWorld(t)
	o := &joinOracle{w: w, drawer: drawer{random: proof.Rand(t, 0), schema: w.schema, ids: w.odd(t)}, cursors: map[string][]string{}}
	o.ids = append(o.ids, w.past(t)...)
	for range n {
		s := o.selection()
		if s.kind == "mutation" {
			o.move(t)
		}
		for _, role := range askers {
			o.compare(t, role, s)
		}
		o.undo(t)
		if t.Failed() {
			break // the next ones would say the same
		}
	}
	proof.Result(t, "%d selections, %d of them with a join, each as %d roles: %d rows say the same by themselves, in %d bytes", n, o.joined, len(askers), o.rows, o.bytes)
	proof.Result(t, "%d of the rows are by changes; %d answers came with errors, the same too, and %d without a row", o.written, o.failed, o.empty)
	if o.joined < n*9/10 || o.written < n/100 || o.empty > 2*n {
		t.Error("the draw leaves too much out")
	}
}

// joinOracle compares what is joined with what is not, and counts.
type joinOracle struct {
	drawer
	w       *world
	cursors map[string][]string // of lists so far, by their fields
	made    []string            // entries that changes have left
	left    string              // a project that the member's timer runs on, who does not belong to it any more

	rows, written, bytes, failed, empty, joined int
}

// compare asks for a selection as a list and row by row.
func (o *joinOracle) compare(t *testing.T, role timesheet.Role, s selection) {
	t.Helper()
	v := o.w.people[role]
	got, errs := o.list(t, v, s.document(s.below))
	if s.kind == "mutation" {
		o.written += len(got.rows)
		for _, r := range got.rows {
			if s.field != "startTimer" || r.path != "list.timeEntry" { // a timer runs on until the next
				o.made = append(o.made, r.id)
			}
		}
	} else if bare, _ := o.list(t, v, s.document("")); bare.frame != got.frame {
		t.Errorf("as %s, %s\nhas the rows and cursors\n%s, without a join\n%s", role, s.document(s.below), got.frame, bare.frame)
	}
	got.whole(t, s)
	o.cursors[s.field] = append(o.cursors[s.field][max(0, len(o.cursors[s.field])-20):], got.cursors...)
	if len(got.rows) == 0 {
		o.empty++
		return
	}
	if len(errs) > 0 {
		o.failed++
	}
	alone, aloneErrs := o.alone(t, v, s, got.rows)
	for i, r := range got.rows {
		o.rows, o.bytes = o.rows+1, o.bytes+len(r.text)
		if alone[i].text != r.text {
			t.Errorf("as %s, %s\njoins to its row\n%s, which by itself is\n%s", role, s.document(s.below), r.text, alone[i].text)
		}
	}
	if a, b := below(errs, got.rows), below(aloneErrs, alone); !slices.Equal(a, b) {
		t.Errorf("as %s, %s\nhas the errors\n%q, by themselves the rows have\n%q", role, s.document(s.below), a, b)
	}
}

// row is an object of an answer, and where it stands there.
type row struct{ path, id, text string }

// rows is an answer, taken apart: its rows, and the rest with their ids in their places.
type rows struct {
	rows    []row
	frame   string
	cursors []string
	count   *int
	partial bool
}

func (o *joinOracle) list(t *testing.T, v timesheet.Viewer, document string) (got rows, errs gqlerror.List) {
	t.Helper()
	response, _ := o.w.respond(t.Context(), &v, document, nil)
	var data struct {
		List *struct {
			Nodes, Entries []json.RawMessage
			Edges          []struct {
				Cursor string
				Node   json.RawMessage
			}
			Running, TimeEntry, Stopped json.RawMessage
			TotalCount                  *int
			PageInfo                    struct{ HasNextPage, HasPreviousPage bool }
		}
	}
	if err := json.Unmarshal(response.Data, &data); err != nil {
		t.Fatalf("%s: %v, %v", document, err, response.Errors)
	}
	if data.List == nil { // the arguments are refused
		return rows{frame: "refused: " + string(ruleOf(response.Errors))}, response.Errors
	}
	l := data.List
	for i, text := range l.Nodes {
		got.add(t, text, ast.PathName("nodes"), ast.PathIndex(i))
	}
	for i, text := range l.Entries {
		got.add(t, text, ast.PathName("entries"), ast.PathIndex(i))
	}
	for i, e := range l.Edges {
		got.add(t, e.Node, ast.PathName("edges"), ast.PathIndex(i), ast.PathName("node"))
		got.cursors = append(got.cursors, e.Cursor)
	}
	got.add(t, l.Running, ast.PathName("running"))
	got.add(t, l.TimeEntry, ast.PathName("timeEntry"))
	got.add(t, l.Stopped, ast.PathName("stopped"))
	got.frame, got.count, got.partial = string(response.Data), l.TotalCount, l.PageInfo.HasNextPage || l.PageInfo.HasPreviousPage
	for _, r := range got.rows {
		got.frame = strings.Replace(got.frame, r.text, r.id, 1)
	}
	return got, response.Errors
}

// add takes a row whose first field is its id; null is none.
func (got *rows) add(t *testing.T, text json.RawMessage, path ...ast.PathElement) {
	t.Helper()
	if text == nil || string(text) == "null" {
		return
	}
	var named struct{ ID string }
	if err := json.Unmarshal(text, &named); err != nil || named.ID == "" {
		t.Fatalf("a row without an id: %s", text)
	}
	got.rows = append(got.rows, row{append(ast.Path{ast.PathName("list")}, path...).String(), named.ID, string(text)})
}

// whole tells whether rows are missing, or are there twice, which a join could do.
func (got *rows) whole(t *testing.T, s selection) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range got.rows {
		if seen[r.id] {
			t.Errorf("%s\nhas a row twice: %s", s.document(s.below), r.text)
		}
		seen[r.id] = true
	}
	if got.count != nil && (!got.partial && len(seen) != *got.count || len(seen) > *got.count) {
		t.Errorf("%s\nhas %d rows and counts %d", s.document(s.below), len(seen), *got.count)
	}
}

// alone asks for rows by their ids.
func (o *joinOracle) alone(t *testing.T, v timesheet.Viewer, s selection, listed []row) (alone []row, errs gqlerror.List) {
	t.Helper()
	ids := make([]string, len(listed))
	for i, r := range listed {
		ids[i] = r.id
	}
	document := s.byID(ids)
	response, _ := o.w.respond(t.Context(), &v, document, nil)
	var data struct{ Nodes []json.RawMessage }
	if err := json.Unmarshal(response.Data, &data); err != nil || len(data.Nodes) != len(ids) {
		t.Fatalf("%s: %v, %v", document, err, response.Errors)
	}
	for i, text := range data.Nodes {
		alone = append(alone, row{ast.Path{ast.PathName("nodes"), ast.PathIndex(i)}.String(), ids[i], string(text)})
	}
	return alone, response.Errors
}

// below are errors with the id of the row that they are of, in any order.
func below(errs gqlerror.List, of []row) (all []string) {
	for _, e := range errs {
		at := e.Path.String()
		for _, r := range of {
			if rest, ok := strings.CutPrefix(at, r.path+"."); ok {
				at = r.id + "." + rest
				break
			}
		}
		all = append(all, at+": "+e.Message)
	}
	slices.Sort(all)
	return all
}

// undo deletes the entries that changes have left, so that days stay short.
func (o *joinOracle) undo(t *testing.T) {
	t.Helper()
	olga := o.w.people[owner]
	for _, id := range o.made {
		o.w.mutate(t, &olga, "deleteTimeEntry", map[string]any{"id": id})
	}
	o.made = o.made[:0]
}

// move takes the member off the project that their timer runs on, and back the next
// time: then a timer that is stopped refers to what they may not see.
func (o *joinOracle) move(t *testing.T) {
	t.Helper()
	olga, mutation, project := o.w.people[owner], "setProjectMember", o.left
	if o.left = ""; project == "" {
		running := o.w.query(t, o.w.people[member], `{ runningTimer { project { id } } }`, nil)
		if project, _ = at(running.data, "runningTimer.project.id").(string); project == "" {
			return
		}
		mutation, o.left = "removeProjectMember", project
	}
	o.w.mutate(t, &olga, mutation, map[string]any{"projectId": project, "userId": o.w.userID(t, member)})
}
