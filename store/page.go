package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"headroom/timesheet"
)

// keyset is the order of a list: columns whose values together are unique, all
// ascending or all descending. Pages are found by comparing with the last row
// seen and never by counting, so that rows inserted meanwhile neither repeat
// nor hide others.
type keyset[T any] struct {
	name    string           // stands in the cursor, so that one of another order is refused
	columns []string         // SQL expressions
	types   []string         // their SQL types: text, bigint, uuid or timestamptz
	desc    bool             // newest first
	values  func(T) []string // a row's values, as text that the types read
}

// arguments collects the parameters of a statement that is put together.
type arguments []any

// add appends a value and returns its placeholder.
func (a *arguments) add(v any) string {
	*a = append(*a, v)
	return fmt.Sprintf("$%d", len(*a))
}

// wrongEnd tells of a cursor that the page does not begin at.
const wrongEnd = "first goes with after, last with before"

// window is the part of a statement that finds a page: a condition to add
// (empty or beginning with AND), and the ORDER BY and LIMIT clauses. It reads
// one row more than the page, to know whether another follows. Its size is looked at
// last: who is told of it has nothing else to mend.
func (k keyset[T]) window(p timesheet.Page, args *arguments) (where, tail string, err error) {
	size, cursor := p.First, p.After
	if p.Last > 0 {
		size, cursor = p.Last, p.Before
	}
	switch {
	case p.Last > 0 && p.After != "":
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, "after", wrongEnd)
	case p.Last == 0 && p.Before != "":
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, "before", wrongEnd)
	}
	descending := k.desc != (p.Last > 0)
	if cursor != "" {
		values, err := k.decode(cursor)
		if err != nil {
			return "", "", err
		}
		marks := make([]string, len(values))
		for i, v := range values {
			marks[i] = args.add(v) + "::text::" + k.types[i]
		}
		where = fmt.Sprintf("\n  AND (%s) %s (%s)", strings.Join(k.columns, ", "), map[bool]string{false: ">", true: "<"}[descending], strings.Join(marks, ", "))
	}
	if size < 1 || size > timesheet.MaxPage {
		return "", "", timesheet.Errorf(timesheet.CodeInvalid, "first", "a page has 1 to %d items", timesheet.MaxPage)
	}
	direction := map[bool]string{false: "", true: " DESC"}[descending]
	tail = "\nORDER BY " + strings.Join(k.columns, direction+", ") + direction + fmt.Sprintf("\nLIMIT %d", size+1)
	return where, tail, nil
}

// page turns the rows that window found into a connection.
func (k keyset[T]) page(p timesheet.Page, rows []T) timesheet.Connection[T] {
	size := max(p.First, p.Last)
	more := len(rows) > size
	if more {
		rows = rows[:size]
	}
	c := timesheet.Connection[T]{Nodes: rows, HasNextPage: more, HasPreviousPage: p.After != ""}
	if p.Last > 0 {
		slices.Reverse(rows)
		c.HasNextPage, c.HasPreviousPage = p.Before != "", more
	}
	c.Cursor = func(i int) string { return k.encode(rows[i]) }
	return c
}

func (k keyset[T]) encode(row T) string {
	text, err := json.Marshal(append([]string{k.name}, k.values(row)...))
	if err != nil {
		panic(err) // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (k keyset[T]) decode(cursor string) ([]string, error) {
	var parts []string
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	if err != nil || len(parts) != len(k.columns)+1 || parts[0] != k.name {
		return nil, errCursor
	}
	values := parts[1:]
	for i, text := range values {
		var ok bool
		if values[i], ok = canonical(k.types[i], text); !ok {
			return nil, errCursor
		}
	}
	return values, nil
}

var errCursor = timesheet.Errorf(timesheet.CodeInvalid, "after", "this cursor is not one of this list in this order")

// canonical reads a cursor's text as a value of an SQL type and writes it as
// the database does. A cursor comes from strangers: what the database could
// not read must not reach it.
func canonical(sqlType, text string) (string, bool) {
	switch sqlType {
	case "bigint":
		n, err := strconv.ParseInt(text, 10, 64)
		return strconv.FormatInt(n, 10), err == nil
	case "uuid":
		id, err := timesheet.ParseEntryID(text)
		return id.String(), err == nil
	case "timestamptz":
		at, err := time.Parse(time.RFC3339, text)
		at = at.UTC().Truncate(time.Microsecond)
		return at.Format(time.RFC3339Nano), err == nil && at.Year() > 0
	case "text":
		return text, utf8.ValidString(text) && !strings.ContainsRune(text, 0)
	}
	return "", false
}
