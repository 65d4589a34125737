package server

import (
	"database/sql"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"headroom/store/storetest"
	"headroom/timesheet"
)

// Every text comes back as it was sent, and is stored so, wherever it stands in an answer.
func TestTextsComeBackAsTheyWereSent(t *testing.T) {
	dsn := storetest.New(t)
	r := newOddRig(t, openDSN(t, dsn))
	t.Run("stored", func(t *testing.T) { r.areStored(t, observe(t, dsn).db) })
	t.Run("lists of names", r.areListed)
	t.Run("entries", r.areInEntries)
	t.Run("reports", r.areInReports)
}

func (r oddRig) areStored(t *testing.T, db *sql.DB) {
	for _, table := range []string{"client", "project", "task", "tag"} {
		var stored string
		if err := db.QueryRow(`SELECT json_agg(name)::text FROM ` + table).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		var rows []string
		if err := json.Unmarshal([]byte(stored), &rows); err != nil {
			t.Fatal(err)
		}
		theNames(t, table, rows)
	}
}

// theNames wants all odd names, in any order.
func theNames(t *testing.T, where string, got []string) {
	t.Helper()
	if want := slices.Sorted(slices.Values(oddNames())); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("%s: the names are %q, want %q", where, got, want)
	}
}

// read decodes an answer by the types of to.
func (r oddRig) read(t *testing.T, document string, to any) {
	t.Helper()
	a := r.ask(document, nil)
	wellFormed(t, document, a)
	if err := json.Unmarshal([]byte(a.raw), &struct{ Data any }{to}); err != nil {
		t.Fatal(err)
	}
}

func (r oddRig) areListed(t *testing.T) {
	type named struct {
		ID, Name string
		Code     *string
		Client   *struct{ Name string }
		Tasks    struct{ Nodes []struct{ Name string } }
	}
	var got struct{ Clients, Tags, Users, Projects struct{ Nodes []named } }
	r.read(t, `{ clients(first: 100) { nodes { name } } tags(first: 100) { nodes { name } } users(first: 100, filter: {roles: [MEMBER]}) { nodes { name } } projects(first: 100) { nodes { id name code client { name } tasks(first: 1) { nodes { name } } } } }`, &got)
	for where, list := range map[string][]named{"clients": got.Clients.Nodes, "tags": got.Tags.Nodes, "users": got.Users.Nodes, "projects": got.Projects.Nodes} {
		var names []string
		for _, n := range list {
			names = append(names, n.Name)
		}
		theNames(t, where, names)
	}
	for _, p := range got.Projects.Nodes {
		want := r.names[p.ID]
		if p.Name != want || p.Client.Name != want || p.Tasks.Nodes[0].Name != want || p.Code != nil && *p.Code != want || p.Code == nil && utf8.RuneCountInString(want) <= 50 {
			t.Errorf("the project %q is %+v", want, p)
		}
	}
}

// areInEntries reads entries with what is joined to them, and without joins.
func (r oddRig) areInEntries(t *testing.T) {
	type entry struct {
		ID, Description string
		Project         struct {
			Name   string
			Client struct{ Name string }
		}
		Task struct{ Name string }
		Tags []struct{ Name string }
	}
	var got struct {
		TimeEntries struct{ Nodes []entry }
		MyDay       struct{ Entries []entry }
		Nodes       []entry
	}
	const shown = `{ id description project { name client { name } } task { name } tags { name } }`
	ids, err := json.Marshal(slices.Sorted(maps.Keys(r.descriptions)))
	if err != nil {
		t.Fatal(err)
	}
	r.read(t, `{ timeEntries(first: 100) { nodes `+shown+` } myDay(date: "2026-03-02") { entries `+shown+` } }`, &got)
	r.read(t, `{ nodes(ids: `+string(ids)+`) { ... on TimeEntry `+shown+` } }`, &got)
	for where, entries := range map[string][]entry{"a list": got.TimeEntries.Nodes, "a day": got.MyDay.Entries, "nodes": got.Nodes} {
		if len(entries) != len(r.descriptions) {
			t.Errorf("%s: %d entries, want %d", where, len(entries), len(r.descriptions))
		}
		for _, e := range entries {
			text, work := r.descriptions[e.ID], r.works[e.ID]
			if e.Description != text || e.Project.Name != work || e.Project.Client.Name != work || e.Task.Name != work || e.Tags[0].Name != work {
				t.Errorf("%s: %q for %q is %+v", where, text, work, e)
			}
		}
	}
}

func (r oddRig) areInReports(t *testing.T) {
	var got struct {
		TimesheetReport struct {
			Rows []struct {
				Label    string
				Children []struct{ Label string }
			}
		}
		WeekGrid struct {
			Rows []struct{ Project, Task struct{ Name string } }
		}
	}
	r.read(t, `{ timesheetReport(input: {period: {from: "2026-03-01", to: "2026-03-31"}, groupBy: [CLIENT, TAG]}) { rows { label children { label } } } weekGrid(week: "2026-03-02") { rows { project { name } task { name } } } }`, &got)
	var labels, week []string
	for _, row := range got.TimesheetReport.Rows {
		if labels = append(labels, row.Label); row.Children[0].Label != row.Label {
			t.Errorf("below the client %q is the tag %q", row.Label, row.Children[0].Label)
		}
	}
	for _, row := range got.WeekGrid.Rows {
		if week = append(week, row.Project.Name); row.Task.Name != row.Project.Name {
			t.Errorf("in the week the project %q has the task %q", row.Project.Name, row.Task.Name)
		}
	}
	theNames(t, "a report", labels)
	theNames(t, "a week", week)
}

// The audit tells of every text as it was sent, though as JSON within JSON.
func TestTextsInTheAudit(t *testing.T) {
	r := newOddRig(t, storetest.Open(t))
	want := map[string]int{}
	for _, text := range oddTexts() {
		want[text]++
	}
	after := ""
	for after != "end" {
		a := r.ask(`query($after: String) { auditLog(first: 100, after: $after) { nodes { action changes } pageInfo { endCursor hasNextPage } } }`, map[string]any{"after": nullable(after)})
		for _, node := range find(a.Data, "nodes").([]any) {
			if event := node.(map[string]any); event["action"] == "createTimeEntry" {
				var changes struct{ Description string }
				if err := json.Unmarshal([]byte(event["changes"].(string)), &changes); err != nil {
					t.Fatalf("%v of %s", err, event["changes"])
				}
				want[changes.Description]--
			}
		}
		if after = find(a.Data, "endCursor").(string); find(a.Data, "hasNextPage") == false {
			after = "end"
		}
	}
	for text, missing := range want {
		if missing != 0 {
			t.Errorf("%q is missing %d times", text, missing)
		}
	}
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// A list that is searched for a text finds what holds it, and nothing else.
func TestTextsAreFound(t *testing.T) {
	r := newOddRig(t, storetest.Open(t))
	folded := func(s string) string { return strings.ToLower(strings.ToUpper(s)) }
	for _, text := range oddTexts() {
		if text == "" || text != strings.ToLower(text) { // of other letters the database's locale decides
			continue
		}
		var want, got []string
		for id, description := range r.descriptions {
			if strings.Contains(folded(description), folded(text)) {
				want = append(want, id)
			}
		}
		a := r.ask(`query($text: String) { timeEntries(first: 100, filter: {text: $text}) { nodes { id } } }`, map[string]any{"text": text})
		for _, node := range find(a.Data, "nodes").([]any) {
			got = append(got, node.(map[string]any)["id"].(string))
		}
		if slices.Sort(want); !reflect.DeepEqual(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%.40q is found in %d entries, want %d", text, len(got), len(want))
		}
	}
}

// What an older program may have stored is answered as it is; what is no UTF-8 the
// database does not hold.
func TestTextsOfOldRows(t *testing.T) {
	dsn := storetest.New(t)
	r := rigOn(t, openDSN(t, dsn), nil)
	project := r.newProject("Bridge")
	db := observe(t, dsn).db
	for _, text := range []string{"\x01\x02\x1f\x7f\u0085", "tab\tline\r\n", " ", "e\u0301 decomposed", "\u2028", strings.Repeat("\x01😀", timesheet.MaxName/2)} {
		if _, err := db.Exec(`UPDATE project SET name = $1`, text); err != nil {
			t.Fatal(err)
		}
		a := r.ask(`query($id: ID!) { node(id: $id) { ... on Project { name } } }`, map[string]any{"id": project})
		if got := find(a.Data, "name"); got != text {
			t.Errorf("an old name %.40q is %.40q", text, got)
		}
	}
	for what, bytes := range map[string]string{"a byte that begins nothing": `\xff`, "half of a character": `\xf09f`, "half of a pair": `\xeda080`, "a longer form": `\xc080`, "U+0000": `\x00`} {
		if _, err := db.Exec(`UPDATE project SET name = convert_from($1::bytea, 'UTF8')`, bytes); err == nil {
			t.Errorf("the database holds %s: answers need to be made valid", what)
		}
	}
}

// One document is answered in several ways, by what is known or there already, and
// says the same of every text.
func TestOneDocumentByOtherPaths(t *testing.T) {
	r := newOddRig(t, storetest.Open(t))
	same := func(what, document string, variables map[string]any, change func()) {
		t.Helper()
		first := r.ask(document, variables)
		change()
		again := r.ask(document, variables)
		if len(first.Data) == 0 || !reflect.DeepEqual(first.Data, again.Data) {
			t.Errorf("%s: %.300s, then %.300s", what, first.raw, again.raw)
		}
	}
	const tracked = `{ projects(first: 100) { nodes { name client { name } trackedSeconds } } }`
	same("sums of months, before they are folded and after", tracked, nil, func() {
		folded, err := r.store.FoldRollups(t.Context(), r.server.now())
		if err != nil || folded == 0 {
			t.Fatalf("%d rows are folded, %v", folded, err)
		}
	})
	same("a report, and the one that was kept", `{ timesheetReport(input: {period: {from: "2026-03-01", to: "2026-03-31"}, groupBy: [TAG, PROJECT]}) { rows { key label children { label totals { seconds } } } } }`, nil, func() {})
	same("a document, and the one that was kept", "# "+strings.Join(oddNames()[:9], " ")+"\n{ viewer { user { name } } }", nil, func() {})
	const create = `mutation($in: CreateTimeEntryInput!) { createTimeEntry(input: $in) { timeEntry { description project { name client { name } } task { name } tags { name } } userErrors { code } } }`
	for id, text := range r.descriptions {
		in := map[string]any{"startedAt": "2026-03-09T08:00:00Z", "endedAt": "2026-03-09T09:00:00Z", "description": text, "projectId": r.projectOf(id)}
		same("a change in one statement, and step by step", create, map[string]any{"in": in}, func() { in["idempotencyKey"] = "key of " + id })
		same("a change that is repeated", create, map[string]any{"in": in}, func() {})
	}
}

func (r oddRig) projectOf(entry string) string {
	for id, name := range r.names {
		if name == r.works[entry] {
			return id
		}
	}
	return ""
}
