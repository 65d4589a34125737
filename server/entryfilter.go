package server

import (
	"time"

	"headroom/timesheet"
)

// entryFilter is what a price needs of an EntryFilter as it came: ids are as
// clients send them.
type entryFilter struct {
	period                          timesheet.Period
	users, projects, clients, tasks values
	text                            string
	rows                            bool // no index holds all that it compares
}

// always holds every period that can be asked for.
var always = timesheet.Period{From: timesheet.NewDate(1900, time.January, 1), To: timesheet.NewDate(2200, time.January, 1)}

func filterOf(v any) entryFilter {
	given, _ := v.(map[string]any)
	f := entryFilter{
		period: periodOf(given["period"]),
		users:  distinct(given["userIds"]), projects: distinct(given["projectIds"]), clients: distinct(given["clientIds"]), tasks: distinct(given["taskIds"]),
	}
	f.text, _ = given["text"].(string)
	f.rows = f.text != "" || values{given["tagIds"]}.len() > 0
	return f
}

// narrows tells whether an index by user or by project can be used.
func (f entryFilter) narrows() bool {
	return f.users.len()+f.projects.len()+f.clients.len()+f.tasks.len() > 0
}

// periodOf reads a PeriodInput; what is none does not narrow.
func periodOf(v any) timesheet.Period {
	given, _ := v.(map[string]any)
	from, _ := given["from"].(string)
	to, _ := given["to"].(string)
	p := always
	if from != "" { // an error is allocated
		if d, err := timesheet.ParseDate(from); err == nil {
			p.From = d
		}
	}
	if to != "" {
		if d, err := timesheet.ParseDate(to); err == nil {
			p.To = d
		}
	}
	return intersect(p, always)
}

func intersect(a, b timesheet.Period) timesheet.Period {
	return timesheet.Period{From: max(a.From, b.From), To: min(a.To, b.To)}
}

// values are a list of ids or enum values as it came; one alone is a list of one.
type values struct{ v any }

func (l values) len() int {
	switch v := l.v.(type) {
	case string:
		return 1
	case []string: // one value, as variables are coerced
		return len(v)
	case []any:
		return len(v)
	}
	return 0
}

// distinct are the values of a list of ids, each once: an id that stands twice finds
// nothing more.
func distinct(v any) values {
	l := values{v}
	if l.len() < 2 {
		return l
	}
	seen, out := make(map[string]bool, l.len()), make([]string, 0, l.len())
	for i := range l.len() {
		if id := l.at(i); !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return values{out}
}

// at is the value at a place, "" for what is no text.
func (l values) at(i int) string {
	switch v := l.v.(type) {
	case string:
		return v
	case []string:
		return v[i]
	case []any:
		text, _ := v[i].(string)
		return text
	}
	return ""
}

func (l values) has(key timesheet.GroupKey) bool {
	for i := range l.len() {
		if l.at(i) == string(key) {
			return true
		}
	}
	return false
}
