package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"headroom/store/storetest"
)

// Every text is in both forms of an export as it was sent.
func TestTextsInFiles(t *testing.T) {
	r := newOddRig(t, storetest.Open(t))
	r.work()
	people := map[string]string{} // whose an entry is, by its id; of the others Olga's
	for _, node := range find(r.ask(`{ users(first: 100, filter: {roles: [MEMBER]}) { nodes { id name } } }`, nil).Data, "nodes").([]any) {
		user := node.(map[string]any)
		a := r.ask(`mutation($u: ID!) { createTimeEntry(input: {userId: $u, startedAt: "2026-03-03T08:00:00Z", endedAt: "2026-03-03T09:00:00Z"}) { timeEntry { id } } }`, map[string]any{"u": user["id"]})
		people[find(a.Data, "id").(string)] = user["name"].(string)
	}
	file := func(input string) []byte {
		t.Helper()
		x := r.ended(r.token, r.export(r.token, input).id)
		got := r.fetch(http.MethodGet, x.url, nil)
		if x.status != "READY" || got.status != http.StatusOK {
			t.Fatalf("the export is %+v, status %d", x, got.status)
		}
		return got.body
	}
	check := func(form, id, description, user string, work ...string) {
		t.Helper()
		id = base64.RawURLEncoding.EncodeToString([]byte("TimeEntry:" + id))
		want, owner := r.works[id], "Olga"
		if name, theirs := people[id]; theirs {
			owner = name
		} else if _, known := r.descriptions[id]; !known {
			t.Errorf("%s has the entry %s, which nobody made", form, id)
		}
		if description != r.descriptions[id] || user != owner || slices.ContainsFunc(work, func(name string) bool { return name != want }) {
			t.Errorf("%s has %q by %q for %q, want %q by %q for %q", form, description, user, work, r.descriptions[id], owner, want)
		}
	}
	rows := readCSV(t, file(""))
	if want := 1 + len(r.descriptions) + len(people); len(rows) != want {
		t.Fatalf("%d lines, want %d", len(rows), want)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	for _, row := range rows[1:] {
		at := func(name string) string { return row[column(name)] }
		check("CSV", at("id"), at("description"), at("user_name"), at("client"), at("project"), at("task"), at("tags"))
	}
	lines := bytes.Split(bytes.TrimSuffix(file("format: JSONL"), []byte("\n")), []byte("\n"))
	if len(lines) != len(rows)-1 {
		t.Fatalf("%d lines of JSON, want %d", len(lines), len(rows)-1)
	}
	for _, line := range lines {
		var e struct {
			ID, Description, Client, Project, Task string
			Tags                                   []string
			User                                   string `json:"user_name"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v of %q", err, line)
		}
		check("JSON", e.ID, e.Description, e.User, e.Client, e.Project, e.Task, strings.Join(append(e.Tags, "")[:max(1, len(e.Tags))], ", "))
	}
	var labels, jsonLabels []string
	for _, row := range readCSV(t, file("groupBy: [PROJECT, TASK]"))[1:] {
		if labels = append(labels, row[0]); row[1] != row[0] {
			t.Errorf("the leaf of %q is of %q", row[0], row[1])
		}
	}
	for line := range bytes.Lines(file("groupBy: [PROJECT, TASK] format: JSONL")) {
		var leaf struct {
			Labels struct{ Project, Task string }
		}
		if err := json.Unmarshal(line, &leaf); err != nil {
			t.Fatalf("%v of %q", err, line)
		}
		jsonLabels = append(jsonLabels, leaf.Labels.Project)
	}
	want := append(oddNames(), "(none)") // of the entries without a project
	for form, got := range map[string][]string{"CSV": labels, "JSON": jsonLabels} {
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("the report in %s has the labels %q", form, got)
		}
	}
}

// readCSV reads RFC 4180 by itself, since the library's reader takes a carriage return
// off the lines within a text; and takes off the apostrophe that keeps spreadsheets
// from running a text.
func readCSV(t *testing.T, file []byte) (rows [][]string) {
	t.Helper()
	var row []string
	for rest := string(file); rest != ""; {
		var text string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			for {
				part, after, closed := strings.Cut(quoted, `"`)
				if !closed {
					t.Fatalf("a quote without its end: %.100q", rest)
				}
				if text += part; !strings.HasPrefix(after, `"`) {
					rest = after
					break
				}
				text, quoted = text+`"`, after[1:]
			}
		} else {
			end := strings.IndexAny(rest, ",\r\n\"")
			text, rest = rest[:end], rest[end:]
		}
		if bare := strings.TrimLeft(text, "'"); bare != text && bare != "" && strings.Contains("=+-@\t\r\n", bare[:1]) {
			text = text[1:]
		}
		row = append(row, text)
		switch {
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		case strings.HasPrefix(rest, "\r\n"):
			rest, rows, row = rest[2:], append(rows, row), nil
		default:
			t.Fatalf("neither a comma nor the end of a line after %.40q: %.40q", text, rest)
		}
	}
	if row != nil || len(rows) == 0 {
		t.Fatalf("the file ends within a line, after %d", len(rows))
	}
	return rows
}
