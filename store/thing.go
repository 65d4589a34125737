package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// thing is what clients, projects, tasks and tags have in common: a name, a
// version, an archive, and a tombstone in place of a row that was deleted.
type thing[K ~int64, T any] struct {
	entity string // the type's name in the API
	noun   string // the same for people
	alias  string // the table's in every statement

	// lock reads the row of $2 in workspace $1 for a change; before the row's
	// columns stand whether person $3 belongs to it and whether they lead it.
	lock string
	scan pgx.RowToFunc[T]
	head func(T) (id K, name string, version int)
	byID func(*Store, context.Context, timesheet.Viewer, []K) (map[K]T, error)
}

// right tells whether a viewer may make a change to a thing that they see and
// perhaps lead.
type right func(v timesheet.Viewer, leads bool) bool

// curates is the right to create and change clients and tags, and to create
// projects.
func curates(v timesheet.Viewer, _ bool) bool { return v.Admin() || v.Role == timesheet.RoleManager }

// governs is the right to delete clients and tags.
func governs(v timesheet.Viewer, _ bool) bool { return v.Admin() }

// mutate runs do, which returns the thing as it has written it, or the current
// one together with the rule that forbids the change.
func (t thing[K, T]) mutate(ctx context.Context, s *Store, v timesheet.Viewer, ch Change, do func(pgx.Tx) (T, error)) (T, []*timesheet.Error, error) {
	value, warnings, err := write(ctx, s, v, ch,
		func(tx pgx.Tx) (T, Ref, error) {
			value, err := do(tx)
			return value, t.ref(value), err
		},
		func(ctx context.Context, ref Ref) (T, error) { return t.again(ctx, s, v, ref) })
	if err != nil {
		return value, nil, fmt.Errorf("write a %s: %w", t.noun, err)
	}
	return value, warnings, nil
}

func (t thing[K, T]) ref(value T) Ref {
	id, _, version := t.head(value)
	if id == 0 {
		return Ref{}
	}
	return Ref{Entity: t.entity, ID: key(id), Version: version}
}

func (t thing[K, T]) again(ctx context.Context, s *Store, v timesheet.Viewer, ref Ref) (value T, err error) {
	id, err := strconv.ParseInt(ref.ID, 10, 64)
	if err != nil {
		return value, fmt.Errorf("read the key of a %s: %w", t.noun, err)
	}
	found, err := t.byID(s, ctx, v, []K{K(id)})
	if err != nil {
		return value, err
	}
	value, ok := found[K(id)]
	if !ok {
		return value, timesheet.NotFound("id", t.noun)
	}
	return value, nil
}

// edit changes one thing: it is locked, looked at, and given to change.
func (t thing[K, T]) edit(ctx context.Context, s *Store, v timesheet.Viewer, id K, expected *int, ch Change, may right, change func(pgx.Tx, T) (T, error)) (T, []*timesheet.Error, error) {
	return t.mutate(ctx, s, v, ch, func(tx pgx.Tx) (T, error) {
		current, err := t.locked(ctx, tx, v, "id", id, may)
		if err == nil {
			err = t.expect(current, expected)
		}
		if err != nil {
			return current, err
		}
		return change(tx, current)
	})
}

// run is an edit by one statement whose first parameters are the workspace and
// the id.
func (t thing[K, T]) run(ctx context.Context, s *Store, v timesheet.Viewer, id K, expected *int, ch Change, may right, sql string, args ...any) (T, []*timesheet.Error, error) {
	return t.edit(ctx, s, v, id, expected, ch, may, func(tx pgx.Tx, _ T) (T, error) {
		return t.row(ctx, tx, sql, append([]any{v.Workspace.ID, id}, args...)...)
	})
}

// locked reads a thing for a change. It locks weakly enough for others to
// refer to the row meanwhile: a project being renamed does not stop timers.
func (t thing[K, T]) locked(ctx context.Context, tx pgx.Tx, v timesheet.Viewer, field string, id K, may right) (T, error) {
	var none T
	var belongs, leads bool
	rows, err := tx.Query(ctx, t.lock, v.Workspace.ID, id, v.User)
	if err != nil {
		return none, err
	}
	current, err := pgx.CollectOneRow(rows, func(row pgx.CollectableRow) (T, error) {
		return t.scan(wider{row, []any{&belongs, &leads}})
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && !belongs && !v.ReadsEverybody():
		return none, timesheet.NotFound(field, t.noun)
	case err != nil:
		return none, err
	case !may(v, leads):
		return none, timesheet.Errorf(timesheet.CodeForbidden, "", "you may not change this %s", t.noun)
	}
	return current, nil
}

// expect refuses to change a thing that somebody else has changed meanwhile.
func (t thing[K, T]) expect(current T, expected *int) error {
	_, _, version := t.head(current)
	if expected == nil || *expected == version {
		return nil
	}
	return timesheet.Errorf(timesheet.CodeVersionConflict, "expectedVersion", "this %s has been changed meanwhile; its version is %d", t.noun, version)
}

// row runs a statement that returns the thing.
func (t thing[K, T]) row(ctx context.Context, tx pgx.Tx, sql string, args ...any) (T, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		var none T
		return none, err
	}
	return pgx.CollectExactlyOneRow(rows, t.scan)
}

// wider is a row with columns before those that a scan function knows.
type wider struct {
	pgx.CollectableRow
	first []any
}

func (r wider) Scan(dest ...any) error { return r.CollectableRow.Scan(append(r.first, dest...)...) }

// longer is a row with columns after those that a scan function knows.
type longer struct {
	pgx.CollectableRow
	last []any
}

func (r longer) Scan(dest ...any) error { return r.CollectableRow.Scan(append(dest, r.last...)...) }

// byKey runs a statement and maps its rows by their keys.
func byKey[K comparable, T any](ctx context.Context, s *Store, what string, scan pgx.RowToFunc[T], id func(T) K, sql string, args ...any) (map[K]T, error) {
	rows, err := list(ctx, s, scan, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	things := make(map[K]T, len(rows))
	for _, row := range rows {
		things[id(row)] = row
	}
	return things, nil
}

// mayCreate refuses people who may not create clients, projects or tags.
func mayCreate(v timesheet.Viewer, things string) error {
	if curates(v, false) {
		return nil
	}
	return timesheet.Errorf(timesheet.CodeForbidden, "", "you may not create %s", things)
}

// renamed is the cleaned new name and its key, or the old ones.
func renamed(given timesheet.Opt[string], before string) (name, key string, err error) {
	if !given.Given && before != "" {
		return before, nameKey(before), nil
	}
	return cleanName("name", given.Value)
}
