package main

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vikstrous/dataloadgen"
)

type loadersKey struct{}

// loaders are those of one request.
type loaders struct {
	users    *dataloadgen.Loader[int64, *User]
	projects *dataloadgen.Loader[int64, *Project]
	clients  *dataloadgen.Loader[int64, *Client]
	tasks    *dataloadgen.Loader[int64, *Task]
	totals   *dataloadgen.Loader[int64, int64]
	tags     *dataloadgen.Loader[string, []*Tag]
}

func newLoaders(db *pgxpool.Pool) *loaders {
	return &loaders{
		users: byID(db, `SELECT id, name FROM textbook.app_user WHERE id = ANY ($1)`, func(row pgx.Rows) (id int64, u *User, err error) {
			u = &User{}
			err = row.Scan(&id, &u.Name)
			u.ID = text(id)
			return id, u, err
		}),
		projects: byID(db, `SELECT id, name, client_id FROM textbook.project WHERE id = ANY ($1)`, scanProject),
		clients: byID(db, `SELECT id, name FROM textbook.client WHERE id = ANY ($1)`, func(row pgx.Rows) (id int64, c *Client, err error) {
			c = &Client{}
			err = row.Scan(&id, &c.Name)
			c.ID = text(id)
			return id, c, err
		}),
		tasks: byID(db, `SELECT id, name FROM textbook.task WHERE id = ANY ($1)`, func(row pgx.Rows) (id int64, t *Task, err error) {
			t = &Task{}
			err = row.Scan(&id, &t.Name)
			t.ID = text(id)
			return id, t, err
		}),
		totals: byID(db, `SELECT project_id, seconds FROM textbook.project_total WHERE project_id = ANY ($1)`, func(row pgx.Rows) (id, seconds int64, err error) {
			err = row.Scan(&id, &seconds)
			return id, seconds, err
		}),
		tags: dataloadgen.NewMappedLoader(func(ctx context.Context, keys []string) (map[string][]*Tag, error) {
			rows, err := db.Query(ctx, `SELECT et.entry_id::text, t.id, t.name FROM textbook.entry_tag et JOIN textbook.tag t ON t.id = et.tag_id WHERE et.entry_id = ANY ($1::uuid[]) ORDER BY t.id`, keys)
			if err != nil {
				return nil, err
			}
			found := make(map[string][]*Tag, len(keys))
			for _, key := range keys {
				found[key] = []*Tag{}
			}
			var entry string
			var id int64
			var name string
			_, err = pgx.ForEachRow(rows, []any{&entry, &id, &name}, func() error {
				found[entry] = append(found[entry], &Tag{ID: text(id), Name: name})
				return nil
			})
			return found, err
		}, dataloadgen.WithWait(time.Millisecond)),
	}
}

func scanProject(row pgx.Rows) (id int64, p *Project, err error) {
	p = &Project{}
	err = row.Scan(&id, &p.Name, &p.ClientID)
	p.ID = text(id)
	return id, p, err
}

// byID is a loader of one statement.
func byID[V any](db *pgxpool.Pool, sql string, scan func(pgx.Rows) (int64, V, error)) *dataloadgen.Loader[int64, V] {
	return dataloadgen.NewMappedLoader(func(ctx context.Context, keys []int64) (map[int64]V, error) {
		rows, err := db.Query(ctx, sql, keys)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		found := make(map[int64]V, len(keys))
		for rows.Next() {
			id, v, err := scan(rows)
			if err != nil {
				return nil, err
			}
			found[id] = v
		}
		return found, rows.Err()
	}, dataloadgen.WithWait(time.Millisecond))
}

func loadersOf(ctx context.Context) *loaders { return ctx.Value(loadersKey{}).(*loaders) }

func text(id int64) string { return strconv.FormatInt(id, 10) }
