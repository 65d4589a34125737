package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// selection is a list that is put together: SELECT clauses for its rows and
// for their number, the conditions that both share, and its order.
type selection[T any] struct {
	rows, count string
	where       string
	args        arguments
	order       keyset[T]
	scan        pgx.RowToFunc[T]
}

// statement is the one that reads a page.
func (q selection[T]) statement(p timesheet.Page) (sql string, args arguments, err error) {
	args = q.args
	after, tail, err := q.order.window(p, &args)
	return q.rows + q.where + after + tail, args, err
}

// read returns a page of the selection.
func (q selection[T]) read(ctx context.Context, s *Store, p timesheet.Page) (timesheet.Connection[T], error) {
	sql, args, err := q.statement(p)
	if err != nil {
		return timesheet.Connection[T]{}, err
	}
	rows, err := list(ctx, s, q.scan, sql, args...)
	if err != nil {
		return timesheet.Connection[T]{}, err
	}
	return q.page(s, p, rows), nil
}

// page is what was read of a page, with its list's number of rows.
func (q selection[T]) page(s *Store, p timesheet.Page, rows []T) timesheet.Connection[T] {
	page := q.order.page(p, rows)
	page.Total = func(ctx context.Context) (int, error) {
		return s.count(ctx, q.count+q.where, q.args...)
	}
	return page
}

// family is a selection of what belongs to each of several parents. Its rows
// begin with the parent's key; inner conditions are on the children, outer
// ones on the parents. The workspace is the first parameter, the parents' keys
// are the second.
type family[P ~int64, T any] struct {
	rows, rowsEnd string
	count         string
	inner, outer  string
	args          arguments
	order         keyset[T]
	scan          pgx.RowToFunc[T]
}

// statement is the one that reads a page of every parent's children.
func (f family[P, T]) statement(p timesheet.Page) (sql string, args arguments, err error) {
	args = f.args
	after, tail, err := f.order.window(p, &args)
	return f.rows + f.inner + after + tail + f.rowsEnd + f.outer, args, err
}

func (f family[P, T]) counting() string {
	return f.count + f.inner + f.outer + "\nGROUP BY 1"
}

type child[P ~int64, T any] struct {
	parent P
	value  T
}

// read returns a page of the children of each parent; a parent without any has
// an empty one. The numbers of all children are counted together, when the
// first of them is asked for.
func (f family[P, T]) read(ctx context.Context, s *Store, parents []P, p timesheet.Page) (map[P]timesheet.Connection[T], error) {
	sql, args, err := f.statement(p)
	if err != nil {
		return nil, err
	}
	rows, err := list(ctx, s, func(row pgx.CollectableRow) (c child[P, T], err error) {
		c.value, err = f.scan(wider{row, []any{&c.parent}})
		return c, err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	byParent := make(map[P][]T, len(parents))
	for _, c := range rows {
		byParent[c.parent] = append(byParent[c.parent], c.value)
	}
	totals := &childTotals[P]{count: func(ctx context.Context) (map[P]int, error) { return f.totals(ctx, s) }}
	pages := make(map[P]timesheet.Connection[T], len(parents))
	for _, parent := range parents {
		page := f.order.page(p, byParent[parent])
		page.Total = func(ctx context.Context) (int, error) { return totals.of(ctx, parent) }
		pages[parent] = page
	}
	return pages, nil
}

func (f family[P, T]) totals(ctx context.Context, s *Store) (map[P]int, error) {
	counts, err := perParent[P, int](ctx, s, f.counting(), f.args...)
	if err != nil {
		return nil, fmt.Errorf("count by parent: %w", err)
	}
	return counts, nil
}

// perParent runs a statement that returns one number for each parent.
func perParent[P ~int64, N int | int64](ctx context.Context, s *Store, sql string, args ...any) (map[P]N, error) {
	rows, err := list(ctx, s, func(row pgx.CollectableRow) (c child[P, N], err error) {
		err = row.Scan(&c.parent, &c.value)
		return c, err
	}, sql, args...)
	if err != nil {
		return nil, err
	}
	numbers := make(map[P]N, len(rows))
	for _, c := range rows {
		numbers[c.parent] = c.value
	}
	return numbers, nil
}

// childTotals are counted once, by whoever asks first.
type childTotals[P ~int64] struct {
	count func(context.Context) (map[P]int, error)

	mu   sync.Mutex
	done map[P]int
}

func (t *childTotals[P]) of(ctx context.Context, parent P) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		counts, err := t.count(ctx)
		if err != nil {
			return 0, err
		}
		t.done = counts
	}
	return t.done[parent], nil
}

// byName orders a list alphabetically.
func byName[T any](list, name, id string, values func(T) (name, id string)) keyset[T] {
	return keyset[T]{
		name: list + " by name", columns: []string{name, id}, types: []string{"text", "bigint"},
		values: func(row T) []string {
			name, id := values(row)
			return []string{nameKey(name), id}
		},
	}
}

// order of a list of things.
func (t thing[K, T]) order(o timesheet.ListOrder) keyset[T] {
	if o != timesheet.OrderNewest {
		return byName(t.entity, t.alias+".name_key", t.alias+".id", func(row T) (string, string) {
			id, name, _ := t.head(row)
			return name, key(id)
		})
	}
	return keyset[T]{
		name: t.entity + " newest", columns: []string{t.alias + ".id"}, types: []string{"bigint"}, desc: true,
		values: func(row T) []string {
			id, _, _ := t.head(row)
			return []string{key(id)}
		},
	}
}

// filter is the part of a WHERE clause that a list's filter adds.
func (t thing[K, T]) filter(f timesheet.ListFilter, args *arguments) (where string, err error) {
	if f.Archived != nil {
		where += fmt.Sprintf("\n  AND (%s.archived_at IS NOT NULL) = %s", t.alias, args.add(*f.Archived))
	}
	if f.Text != "" {
		part, err := searchKey("filter.text", f.Text)
		if err != nil {
			return "", err
		}
		where += fmt.Sprintf("\n  AND strpos(%s.name_key, %s) > 0", t.alias, args.add(part))
	}
	return where, nil
}
