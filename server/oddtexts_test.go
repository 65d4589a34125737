package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// oddNames may be names, and come back as they are: each is what some escape, some
// encoding or some reader of files gets wrong.
func oddNames() []string {
	return []string{
		`quo"te \ back \u0041 \n written out`, "line\u2028and paragraph\u2029 within", "emoji 👩🏽‍🎨 🏳️‍🌈 \U0001F600", "astral 𝒜 𠜎 \U0010FFFD",
		"</script><img src=x onerror=alert(1)>&amp;<!--", "\u202eright to left\u202c", "=cmd|' /C calc'!A0", "'=apostrophe", "''+two", "@home", `semi;colon|pipe "quoted" end"`,
		"{{name}} ${x} %s %!d(MISSING) %", "'; DROP TABLE time_entry; --", "\ufeffmark of order", "soft\u00adhyphen\u200bjoined\u200d", "none \ufffe\uffff\U0001FFFF", "replaced \ufffd",
		"null", "true", `{"a":1}`, "__proto__", "100%_like\\", "ÿ\u0100ß ſ K", strings.Repeat("ă", timesheet.MaxName), strings.Repeat("😀", timesheet.MaxName),
	}
}

// oddTexts may be descriptions: also with every control character but U+0000.
func oddTexts() []string {
	texts := append(oddNames(), "", " \t ", "\r\n", "\n", "\r", "a,b\r\nc;\"d\"\n\te", "\x1b[31mred\x1b[0m", strings.Repeat("😀", timesheet.MaxDescription), strings.Repeat(`"\`, timesheet.MaxDescription/2))
	for c := rune(1); c <= 0x9f; c++ {
		if c < ' ' || c >= 0x7f {
			texts = append(texts, "control "+string(c)+" within")
		}
	}
	return texts
}

// oddRig is a workspace in which everything is named oddly: each project, with its
// client, task, code and tag, and each entry's description by its id.
type oddRig struct {
	*rig
	names        map[string]string // of projects, by id
	descriptions map[string]string // of entries, by id
	works        map[string]string // the name of an entry's work, by the entry's id
}

func newOddRig(t *testing.T, db *store.Store) oddRig {
	t.Helper()
	r := oddRig{exportRig(t, db, nil), map[string]string{}, map[string]string{}, map[string]string{}}
	make := func(mutation string, in map[string]any) string {
		t.Helper()
		kind := strings.ToUpper(mutation[:1]) + mutation[1:]
		a := r.ask("mutation($in: "+kind+"Input!) { "+mutation+"(input: $in) { userErrors { message } it: "+strings.ToLower(kind[6:7])+kind[7:]+" { id } } }", map[string]any{"in": in})
		id, ok := find(find(a.Data, "it"), "id").(string)
		if !ok {
			t.Fatalf("%s %q: %s", mutation, in, a.raw)
		}
		return id
	}
	names := oddNames()
	var projects, tasks, tags []string
	for _, name := range names {
		client := make("createClient", map[string]any{"name": name})
		in := map[string]any{"name": name, "clientId": client}
		if utf8.RuneCountInString(name) <= 50 {
			in["code"] = name
		}
		project := make("createProject", in)
		r.names[project] = name
		projects, tags = append(projects, project), append(tags, make("createTag", map[string]any{"name": name}))
		tasks = append(tasks, make("createTask", map[string]any{"name": name, "projectId": project}))
		if a := r.ask(`mutation($in: InviteMemberInput!) { inviteMember(input: $in) { userErrors { message } } }`, map[string]any{"in": map[string]any{
			"name": name, "email": fmt.Sprintf("p%d@acme.example", len(projects)), "role": "MEMBER"}}); !strings.Contains(a.raw, `"userErrors":[]`) {
			t.Fatalf("invite %q: %s", name, a.raw)
		}
	}
	for i, text := range oddTexts() {
		work := i % len(names)
		entry := make("createTimeEntry", map[string]any{
			"startedAt": fmt.Sprintf("2026-03-02T%02d:%02d:00Z", i/60, i%60), "endedAt": fmt.Sprintf("2026-03-02T%02d:%02d:30Z", i/60, i%60),
			"description": text, "projectId": projects[work], "taskId": tasks[work], "tagIds": []string{tags[work]},
		})
		r.descriptions[entry], r.works[entry] = text, names[work]
	}
	return r
}

// Every text comes back as it was sent, and is stored so, wherever it stands in an answer.
func TestTextsComeBackAsTheyWereSent(t *testing.T) {
	dsn := storetest.New(t)
	r := newOddRig(t, openDSN(t, dsn))
	db := observe(t, dsn).db
	names := slices.Sorted(slices.Values(oddNames()))
	for _, table := range []string{"client", "project", "task", "tag"} {
		var stored string
		if err := db.QueryRow(`SELECT json_agg(name)::text FROM ` + table).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		var rows []string
		if err := json.Unmarshal([]byte(stored), &rows); err != nil || !slices.Equal(slices.Sorted(slices.Values(rows)), names) {
			t.Errorf("the database holds %s %q, %v", table, rows, err)
		}
	}
	list := func(document string, to any) {
		t.Helper()
		a := r.ask(document, nil)
		if !utf8.ValidString(a.raw) || strings.ContainsFunc(strings.TrimSuffix(a.raw, "\n"), func(c rune) bool { return c < ' ' }) {
			t.Errorf("%s: the body is no JSON in UTF-8 without raw control characters", document)
		}
		if err := json.Unmarshal([]byte(a.raw), &struct{ Data any }{to}); err != nil {
			t.Fatal(err)
		}
	}
	type named struct {
		ID, Name string
		Code     *string
		Client   *struct{ Name string }
		Tasks    struct{ Nodes []struct{ Name string } }
	}
	var catalog struct{ Clients, Tags, Users, Projects struct{ Nodes []named } }
	list(`{ clients(first: 100) { nodes { name } } tags(first: 100) { nodes { name } } users(first: 100) { nodes { name } } projects(first: 100) { nodes { id name code client { name } tasks(first: 1) { nodes { name } } } } }`, &catalog)
	for what, got := range map[string][]named{"clients": catalog.Clients.Nodes, "tags": catalog.Tags.Nodes, "users": catalog.Users.Nodes, "projects": catalog.Projects.Nodes} {
		var all []string
		for _, n := range got {
			if n.Name != "Olga" {
				all = append(all, n.Name)
			}
		}
		if slices.Sort(all); !slices.Equal(all, names) {
			t.Errorf("%s are %q, want %q", what, all, names)
		}
	}
	for _, p := range catalog.Projects.Nodes {
		want := r.names[p.ID]
		if p.Name != want || p.Client.Name != want || p.Tasks.Nodes[0].Name != want || p.Code != nil && *p.Code != want || p.Code == nil && utf8.RuneCountInString(want) <= 50 {
			t.Errorf("the project %q is %+v", want, p)
		}
	}
	type entry struct {
		ID, Description string
		Project         struct {
			Name   string
			Client struct{ Name string }
		}
		Task struct{ Name string }
		Tags []struct{ Name string }
	}
	const shown = `{ id description project { name client { name } } task { name } tags { name } }`
	var joined, day struct {
		TimeEntries struct{ Nodes []entry }
		MyDay       struct{ Entries []entry }
	}
	list(`{ timeEntries(first: 100) { nodes `+shown+` } }`, &joined)
	list(`{ myDay(date: "2026-03-02") { entries `+shown+` } }`, &day)
	var alone struct{ Nodes []entry }
	ids, _ := json.Marshal(slices.Sorted(maps.Keys(r.descriptions)))
	list(`{ nodes(ids: `+string(ids)+`) { ... on TimeEntry `+shown+` } }`, &alone)
	for where, got := range map[string][]entry{"a list": joined.TimeEntries.Nodes, "a day": day.MyDay.Entries, "nodes": alone.Nodes} {
		if len(got) != len(r.descriptions) {
			t.Errorf("%s: %d entries, want %d", where, len(got), len(r.descriptions))
		}
		for _, e := range got {
			text, work := r.descriptions[e.ID], r.works[e.ID]
			if e.Description != text || e.Project.Name != work || e.Project.Client.Name != work || e.Task.Name != work || e.Tags[0].Name != work {
				t.Errorf("%s: %q for %q is %+v", where, text, work, e)
			}
		}
	}
	var report struct {
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
	list(`{ timesheetReport(input: {period: {from: "2026-03-01", to: "2026-03-31"}, groupBy: [CLIENT, TAG]}) { rows { label children { label } } } weekGrid(week: "2026-03-02") { rows { project { name } task { name } } } }`, &report)
	var labels, week []string
	for _, row := range report.TimesheetReport.Rows {
		if labels = append(labels, row.Label); row.Children[0].Label != row.Label {
			t.Errorf("below the client %q is the tag %q", row.Label, row.Children[0].Label)
		}
	}
	for _, row := range report.WeekGrid.Rows {
		if week = append(week, row.Project.Name); row.Task.Name != row.Project.Name {
			t.Errorf("in the week the project %q has the task %q", row.Project.Name, row.Task.Name)
		}
	}
	for where, got := range map[string][]string{"a report": labels, "a week": week} {
		if slices.Sort(got); !slices.Equal(got, names) {
			t.Errorf("%s has the names %q, want %q", where, got, names)
		}
	}
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
