package resolvers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/timesheet"
)

// selection is a field whose statement may join, and the fields that are asked for
// below each of its rows, in the places of its own text that say so.
type selection struct {
	kind, field, text string
	of, below         string // the type of the rows
	fragments         []string
}

const rowsHere = "{rows}"

// document asks for the rows by their list; below "" asks for their ids alone.
func (s selection) document(below string) string {
	d := drawer{}
	if below != "" {
		d.fragments = s.fragments
	}
	return d.operation(s.kind, strings.ReplaceAll(s.text, rowsHere, "{ id "+below+" }"))
}

// byID asks for the rows by their ids.
func (s selection) byID(ids []string) string {
	list, _ := json.Marshal(ids)
	d := drawer{fragments: s.fragments}
	return d.operation("query", "nodes(ids: "+string(list)+") { ... on "+s.of+" { id "+s.below+" } }")
}

// selection draws one, mostly with something that is joined.
func (o *joinOracle) selection() (s selection) {
	o.names, o.fragments = 0, nil
	s.kind, s.of = "query", "TimeEntry"
	switch o.random.IntN(20) {
	case 0, 1:
		s.kind = "mutation"
		s.field, s.text = o.change()
	case 2, 3, 4:
		s.field = "myDay"
		s.text = fmt.Sprintf(`list: myDay(date: "2026-03-%02d") { day truncated totals { seconds } entries %s running %[2]s }`, 1+o.random.IntN(8), rowsHere)
	case 5, 6, 7, 8, 9:
		order := []string{"NAME", "NEWEST"}[o.random.IntN(2)]
		s.of, s.field = "Project", "projects by "+order
		s.text = "list: projects(" + o.page("ProjectFilter", s.field) + ", orderBy: " + order + ") " + o.connection()
	default:
		s.field = "timeEntries"
		s.text = "list: timeEntries(" + o.page("EntryFilter", s.field) + ") " + o.connection()
	}
	parts := []string{o.fields(o.schema.Types[s.of], 3, false)}
	joins := map[string][]string{"TimeEntry": {"user", "project", "task"}, "Project": {"client", "trackedSeconds"}}[s.of]
	if o.chance(95) {
		o.joined++
		for _, name := range append(joins, joins[o.random.IntN(len(joins))]) {
			if o.chance(50) || len(parts) == 1 {
				parts = append(parts, o.join(s.of, name))
			}
		}
	}
	s.below, s.fragments = strings.Join(parts, " "), o.fragments
	return s
}

// join asks for something that is joined under a name of its own, below a condition
// or a fragment at times, and for what is joined to that.
func (o *joinOracle) join(of, name string) string {
	types := o.schema.Types
	text := o.name() + ": " + name
	switch name {
	case "project":
		text += " { " + o.fields(types["Project"], 1, true) + " " + o.join("Project", "client") + " }"
	case "task":
		text += " { " + o.fields(types["Task"], 0, true) + " " + o.name() + ": project { " + o.fields(types["Project"], 0, true) + " } }"
	case "client":
		text += " { " + o.fields(types["Client"], 1, true) + " }"
	case "user":
		text += " { " + o.fields(types["User"], 0, true) + " }"
	}
	switch o.random.IntN(6) {
	case 0:
		return "... @include(if: $yes) { " + text + " }"
	case 1:
		fragment := o.name()
		o.fragments = append(o.fragments, " fragment "+fragment+" on "+of+" { "+text+" }")
		return "..." + fragment
	}
	return text
}

// connection are the fields of a page, with its rows in one of two places.
func (o *joinOracle) connection() string {
	where := []string{"nodes " + rowsHere, "edges { cursor node " + rowsHere + " }"}[o.random.IntN(2)]
	return "{ totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } " + where + " }"
}

// page are the arguments of a list: a filter by two things at most, so that most lists
// have rows, and a part of the list.
func (o *joinOracle) page(filter, field string) string {
	var by []string
	for range o.random.IntN(3) {
		f := o.schema.Types[filter].Fields[o.random.IntN(len(o.schema.Types[filter].Fields))]
		if !strings.Contains(strings.Join(by, " "), f.Name+":") {
			by = append(by, f.Name+": "+o.value(f.Type, f.Name))
		}
	}
	size, cursor := "first", "after"
	if o.chance(25) {
		size, cursor = "last", "before"
	}
	text := fmt.Sprintf("filter: {%s}, %s: %d", strings.Join(by, ", "), size, 1+o.random.IntN(12))
	if known := o.cursors[field]; len(known) > 0 && o.chance(30) {
		text += ", " + cursor + ": " + strconv.Quote(known[o.random.IntN(len(known))])
	}
	return text
}

// change is a mutation whose statement joins, of an entry of March 2026 or of a timer.
func (o *joinOracle) change() (field, text string) {
	work := ""
	if i := o.random.IntN(len(o.ids)); o.chance(80) {
		for kindOf(o.ids[i]) != "Project" || kindOf(o.ids[i+1]) != "Task" {
			i = o.random.IntN(len(o.ids) - 1)
		}
		work = fmt.Sprintf(", projectId: %q", o.ids[i])
		if o.chance(30) {
			work += fmt.Sprintf(", tagIds: [%q]", o.id("tagIds"))
		}
		if o.chance(50) {
			work += fmt.Sprintf(", taskId: %q", o.ids[i+1]) // it was made next
		}
	}
	const rest = "{ timeEntry " + rowsHere + " userErrors { code } }"
	switch o.random.IntN(3) {
	case 0:
		day := fmt.Sprintf("2026-03-%02d", 1+o.random.IntN(28))
		return "createTimeEntry", fmt.Sprintf(`list: createTimeEntry(input: {startedAt: "%sT20:00:00Z", endedAt: "%[1]sT21:00:00Z"%s}) %s`, day, work, rest)
	case 1:
		return "startTimer", fmt.Sprintf(`list: startTimer(input: {description: "\u2028 \" <"%s}) { timeEntry %s stopped %[2]s userErrors { code } }`, work, rowsHere)
	}
	return "stopTimer", "list: stopTimer(input: {}) " + rest
}

// past adds to what is there what a join could get wrong: sums of many months, in
// several states; somebody who was removed, and somebody without an account; a project
// that the member has left, and one that has many members.
func (w *world) past(t *testing.T) (ids []string) {
	t.Helper()
	olga := w.people[owner]
	project := w.project(t)
	for _, role := range askers {
		w.must(t, olga, "setProjectMember", "project", map[string]any{"projectId": project, "userId": w.userID(t, role)})
	}
	track := func(v timesheet.Viewer, month string, rest map[string]any) string {
		entry := map[string]any{"startedAt": month + "-02T08:00:00Z", "endedAt": month + "-02T09:00:00Z"}
		maps.Copy(entry, rest)
		return w.must(t, v, "createTimeEntry", "timeEntry", entry)
	}
	months := func() {
		for _, month := range []string{"2024-01", "2024-02", "2025-07", "2026-02"} {
			for _, role := range []timesheet.Role{owner, manager, member} {
				track(w.people[role], month, map[string]any{"projectId": project, "billable": role == owner})
			}
		}
	}
	months()
	if _, err := w.store.FoldRollups(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	months()
	ids = append(ids, project, w.must(t, olga, "createTask", "task", map[string]any{"projectId": project, "name": w.name()}))
	removed := w.person(t)
	if _, err := w.store.EnsureMember(t.Context(), olga, w.name(), "placeholder@acme.example", timesheet.RolePlaceholder); err != nil {
		t.Fatal(err)
	}
	imported := at(w.query(t, olga, `{ users(first: 1, filter: {roles: [PLACEHOLDER]}) { nodes { id } } }`, nil).data, "users.nodes.0.id").(string)
	for _, user := range []string{removed, imported} {
		ids = append(ids, user, track(olga, "2026-03", map[string]any{"projectId": project, "userId": user}))
	}
	w.mutate(t, &olga, "removeMember", map[string]any{"userId": removed})
	left := w.project(t)
	w.must(t, olga, "setProjectMember", "project", map[string]any{"projectId": left, "userId": w.userID(t, member)})
	task := w.must(t, olga, "createTask", "task", map[string]any{"projectId": left, "name": w.name()})
	ids = append(ids, left, task, track(w.people[member], "2026-03", map[string]any{"projectId": left, "taskId": task}))
	w.must(t, olga, "removeProjectMember", "project", map[string]any{"projectId": left, "userId": w.userID(t, member)})
	return ids
}
