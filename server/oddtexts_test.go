package server

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"headroom/store"
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
			"name": name, "email": fmt.Sprintf("p%d@acme.example", len(projects)), "role": "MEMBER",
		}}); !strings.Contains(a.raw, `"userErrors":[]`) {
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
