package csvfile

import (
	"fmt"
	"slices"
	"strings"

	"headroom/timesheet"
)

// Mapping names the file's column of a field. Columns that carry a field's own
// name, or the one it has in our format, need none; an empty column leaves the
// field out although the file has a column of its name.
type Mapping map[timesheet.ImportField]string

// ParseMapping reads field=column pairs.
func ParseMapping(pairs []string) (Mapping, error) {
	m := Mapping{}
	for _, pair := range pairs {
		name, column, ok := strings.Cut(pair, "=")
		field := timesheet.ImportField(strings.TrimSpace(name))
		switch {
		case !ok:
			return nil, fmt.Errorf("%q is no mapping: write field=column", pair)
		case !slices.Contains(timesheet.ImportFields, field):
			return nil, fmt.Errorf("there is no field %q; the fields are %s", name, fieldList())
		}
		if _, twice := m[field]; twice {
			return nil, fmt.Errorf("the field %s is mapped twice", field)
		}
		m[field] = strings.TrimSpace(column)
	}
	return m, nil
}

func fieldList() string {
	names := make([]string, len(timesheet.ImportFields))
	for i, f := range timesheet.ImportFields {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// ours are the columns of our own format whose names are not the field's.
var ours = map[timesheet.ImportField]string{timesheet.FieldUser: "user_name"}

// columns are the indexes of the fields that the file has.
type columns map[timesheet.ImportField]int

// locate finds the fields in the header.
func (m Mapping) locate(header []string) (columns, error) {
	c := columns{}
	for _, field := range timesheet.ImportFields {
		column, mapped := m[field]
		found := find(header, column)
		if !mapped {
			if found = find(header, ours[field]); len(found) == 0 {
				found = find(header, string(field))
			}
		}
		switch {
		case mapped && column == "":
		case len(found) > 1:
			return nil, fmt.Errorf("the file has %d columns named %q, so %s could be any of them", len(found), header[found[0]], field)
		case len(found) == 1:
			c[field] = found[0]
		case mapped:
			return nil, fmt.Errorf("the file has no column %q for %s; its columns are %s", column, field, listColumns(header))
		}
	}
	return c, c.check(header)
}

// find returns the columns of a name: by letter, else regardless of case,
// spaces, hyphens and underscores.
func find(header []string, name string) (found []int) {
	if name == "" {
		return nil
	}
	for _, same := range []func(string) bool{
		func(h string) bool { return h == name },
		func(h string) bool { return plain(h) == plain(name) },
	} {
		for i, h := range header {
			if same(strings.TrimSpace(h)) {
				found = append(found, i)
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

func plain(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" _-\u00a0", r) })
	return strings.Join(words, "_")
}

func (c columns) has(fields ...timesheet.ImportField) bool {
	return slices.ContainsFunc(fields, func(f timesheet.ImportField) bool { _, ok := c[f]; return ok })
}

// check refuses a file whose rows cannot become entries.
func (c columns) check(header []string) error {
	var missing []string
	if !c.has(timesheet.FieldUser, timesheet.FieldUserEmail) {
		missing = append(missing, "user")
	}
	if !c.has(timesheet.FieldStart, timesheet.FieldDate) {
		missing = append(missing, "start")
	}
	if !c.has(timesheet.FieldEnd, timesheet.FieldDurationMinutes, timesheet.FieldDurationHours, timesheet.FieldDuration) {
		missing = append(missing, "end or duration")
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("the file has no column for %s: name it with --map field=column; its columns are %s",
		strings.Join(missing, ", "), listColumns(header))
}

// maxListed bounds a message about a file with thousands of columns.
const maxListed = 60

func listColumns(header []string) string {
	shown := make([]string, 0, maxListed+1)
	for _, h := range header[:min(len(header), maxListed)] {
		shown = append(shown, show(h))
	}
	if len(header) > maxListed {
		shown = append(shown, fmt.Sprintf("and %d more", len(header)-maxListed))
	}
	return strings.Join(shown, ", ")
}

// clip shortens a text for a message.
func clip(s string, limit int) string {
	runes := []rune(strings.ToValidUTF8(s, "\ufffd"))
	if len(runes) > limit {
		runes = append(runes[:limit-1], '…')
	}
	return string(runes)
}

// show is a column's name in a message.
func show(column string) string { return timesheet.Printable(clip(column, 60)) }
