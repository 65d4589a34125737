package server

import (
	"time"

	"headroom/timesheet"
)

// entryFilter is what a price needs of an EntryFilter as it came: ids are as
// clients send them.
type entryFilter struct {
	period                          timesheet.Period
	users, projects, clients, tasks []string
	text                            string
	rows                            bool // no index holds all that it compares
}

// always holds every period that can be asked for.
var always = timesheet.Period{From: timesheet.NewDate(1900, time.January, 1), To: timesheet.NewDate(2200, time.January, 1)}

func filterOf(v any) entryFilter {
	given, _ := v.(map[string]any)
	f := entryFilter{
		period: periodOf(given["period"]),
		users:  texts(given["userIds"]), projects: texts(given["projectIds"]), clients: texts(given["clientIds"]), tasks: texts(given["taskIds"]),
	}
	f.text, _ = given["text"].(string)
	f.rows = f.text != "" || len(texts(given["tagIds"])) > 0
	return f
}

// narrows tells whether an index by user or by project can be used.
func (f entryFilter) narrows() bool {
	return len(f.users)+len(f.projects)+len(f.clients)+len(f.tasks) > 0
}

// periodOf reads a PeriodInput; what is none does not narrow.
func periodOf(v any) timesheet.Period {
	given, _ := v.(map[string]any)
	from, _ := given["from"].(string)
	to, _ := given["to"].(string)
	p := always
	if d, err := timesheet.ParseDate(from); err == nil {
		p.From = d
	}
	if d, err := timesheet.ParseDate(to); err == nil {
		p.To = d
	}
	return intersect(p, always)
}

func intersect(a, b timesheet.Period) timesheet.Period {
	return timesheet.Period{From: max(a.From, b.From), To: min(a.To, b.To)}
}

// texts reads a list of ids or enum values; one alone is a list of one.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string: // one value, as variables are coerced
		return v
	case []any:
		for _, item := range v {
			if text, ok := item.(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}
