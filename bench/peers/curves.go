package main

import (
	"context"
	"fmt"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"math/rand/v2"
	"os"
	"slices"

	"bench/lab"

	"github.com/jackc/pgx/v5"
)

// What curves are drawn over.
var (
	curveEntries     = []int{100_000, 300_000, 1_000_000, 2_000_000, 10_000_000}
	curvePages       = []float64{1, 5, 20, 50, 100}
	curveWorkspaces  = []float64{1, 10, 100, 1000, 10000}
	curveConnections = []float64{8, 100, 1000, 5000}
	curveDepths      = []string{
		`{ timeEntries(first: 20) { nodes { id description } } }`,
		`{ timeEntries(first: 20) { nodes { id description project { id name } } } }`,
		`{ timeEntries(first: 20) { nodes { id description project { id name client { id name } } } } }`,
		`{ timeEntries(first: 20) { nodes { id description project { id name client { id name projects(first: 3) { nodes { id name } } } } } } }`,
		`{ timeEntries(first: 20) { nodes { id description project { id name client { id name projects(first: 3) { nodes { id name tasks(first: 3) { nodes { id name } } } } } } } } }`,
	}
)

// The curves by what grows.
const (
	overEntries     = "entries of the workspace"
	overPages       = "entries of a page"
	overDepths      = "levels below the list"
	overWorkspaces  = "workspaces that ask in turn"
	overConnections = "open connections"
)

// curveName is what the samples of a point are kept under.
func curveName(over, line string, x float64) string {
	return fmt.Sprintf("%s: %s at %g", over, line, x)
}

// runCurves measures headroom alone, each point in rounds: one connection for the
// latency and eight for the processor's time.
func (b *bench) runCurves(ctx context.Context, pg *lab.Postgres) error {
	sized := map[int]data{}
	for _, entries := range curveEntries {
		d, err := open(ctx, pg, entries)
		if err != nil {
			return err
		}
		sized[entries] = d
	}
	tiny, err := openTiny(ctx, pg)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(b.options.seed, 1))
	for round := range b.options.rounds {
		for _, entries := range curveEntries {
			if err := b.curvesOf(ctx, sized[entries], entries, round, random); err != nil {
				return err
			}
		}
		if err := b.overTiny(ctx, tiny, round, random); err != nil {
			return err
		}
		if err := b.publishCurves(); err != nil {
			return err
		}
	}
	return nil
}

// curvesOf measures one size of the large workspace; the largest is the one that pages,
// depths and connections are measured in.
func (b *bench) curvesOf(ctx context.Context, d data, entries, round int, random *rand.Rand) error {
	return b.beside(ctx, recipes[0], d.dsn, func(p *peer) error {
		for _, name := range []string{"my day", "page of 50 entries with everything nested", "month by project", "create entry"} {
			op := operations[opIndex(name)]
			if err := b.point(ctx, p, d, op, overEntries, name, float64(entries), round, random); err != nil {
				return err
			}
		}
		if entries != curveEntries[len(curveEntries)-1] {
			return nil
		}
		for _, size := range curvePages {
			text := fmt.Sprintf(`{ timeEntries(first: %g) { nodes { user { id name } tags { id name } %s } } }`, size, entryFields)
			if err := b.point(ctx, p, d, reading(text), overPages, "page", size, round, random); err != nil {
				return err
			}
		}
		for depth, text := range curveDepths {
			if err := b.point(ctx, p, d, reading(text), overDepths, "page", float64(depth), round, random); err != nil {
				return err
			}
		}
		return b.overConnections(ctx, p, d, round, random)
	})
}

// reading is an operation of one document, for those who see all.
func reading(text string) operation {
	return operation{fixed: true, leaders: true, ask: func(words, *data, person, int) []message { return []message{document(text, nil)} }}
}

func (b *bench) point(ctx context.Context, p *peer, d data, op operation, over, line string, x float64, round int, random *rand.Rand) error {
	op.name = curveName(over, line, x)
	r := runner{op: op, peer: p, data: &d, count: &b.count}
	if op.fixed {
		r.messages = op.ask(p.words, &d, person{}, 0)
	}
	for _, m := range []mode{one, eight} {
		if op.paced && m == eight {
			continue
		}
		if err := b.sample(ctx, r, m, round, random); err != nil {
			return err
		}
	}
	return nil
}

// overConnections keeps ever more connections open that have asked once.
func (b *bench) overConnections(ctx context.Context, p *peer, d data, round int, random *rand.Rand) error {
	day := operations[0]
	message := day.ask(p.words, &d, person{}, 0)[0]
	var buf []byte
	open := 8
	for _, connections := range curveConnections {
		for ; open < int(connections); open++ {
			l, err := p.dial()
			if err != nil {
				return err
			}
			defer l.conn.Close()
			if buf, err = l.send(message, d.people[open%len(d.people)], p.words, buf); err != nil {
				return err
			}
		}
		if err := b.point(ctx, p, d, day, overConnections, "my day", connections, round, random); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) overTiny(ctx context.Context, tiny data, round int, random *rand.Rand) error {
	return b.beside(ctx, recipes[0], tiny.dsn, func(p *peer) error {
		for _, n := range curveWorkspaces {
			some := tiny
			some.people = tiny.people[:int(n)]
			if err := b.point(ctx, p, some, operations[0], overWorkspaces, "my day", n, round, random); err != nil {
				return err
			}
		}
		return nil
	})
}

// tinyRows make as many workspaces as the last of curveWorkspaces of one person, one project and a day of 20 entries.
var tinyRows = []string{
	`CREATE TEMP TABLE made AS SELECT nextval('object_id') AS ws, nextval('object_id') AS person, nextval('object_id') AS client, nextval('object_id') AS project, nextval('object_id') AS task FROM generate_series(1, 10000)`,
	`INSERT INTO workspace (workspace_id, name, time_zone) SELECT ws, 'tiny ' || ws, 'UTC' FROM made`,
	`INSERT INTO membership (workspace_id, user_id, role, name, name_key) SELECT ws, person, 'OWNER', 'Olga', 'olga' FROM made`,
	`INSERT INTO api_token (workspace_id, user_id, name, scope) SELECT ws, person, 'bench', 'WRITE' FROM made`,
	`INSERT INTO client (workspace_id, id, name, name_key) SELECT ws, client, 'Client', 'client' FROM made`,
	`INSERT INTO project (workspace_id, id, client_id, name, name_key) SELECT ws, project, client, 'Project', 'project' FROM made`,
	`INSERT INTO task (workspace_id, id, project_id, name, name_key) SELECT ws, task, project, 'Task', 'task' FROM made`,
	`INSERT INTO time_entry (workspace_id, id, user_id, project_id, task_id, started_at, ended_at, day, billable, currency, description)
SELECT ws, gen_random_uuid(), person, project, task, s.at, s.at + interval '20 minutes', s.at::date, true, 'EUR', 'some work'
FROM made, (SELECT timestamptz '2025-12-31 08:00Z' + n * interval '25 minutes' AS at FROM generate_series(1, 20) n) s`,
	`DROP TABLE made`,
}

// openTiny fills a database with the small workspaces, where it is empty, and returns
// their owners.
func openTiny(ctx context.Context, pg *lab.Postgres) (d data, err error) {
	if d.dsn, err = pg.Database(ctx, "peers_tiny"); err != nil {
		return d, err
	}
	s, err := store.Open(ctx, store.Config{DSN: d.dsn})
	if err != nil {
		return d, err
	}
	defer s.Close()
	secret, err := s.Secret(ctx)
	if err != nil {
		return d, err
	}
	conn, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return d, err
	}
	defer conn.Close(ctx)
	var there int
	if err := conn.QueryRow(ctx, `SELECT count(*) FROM workspace`).Scan(&there); err != nil {
		return d, err
	}
	if most := int(slices.Max(curveWorkspaces)); there < most {
		fmt.Fprintf(os.Stderr, "seeding %d workspaces\n", most)
		for _, sql := range tinyRows {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return d, fmt.Errorf("%s: %w", sql, err)
			}
		}
		if err := pg.Exec(ctx, d.dsn, `VACUUM ANALYZE`, `CHECKPOINT`); err != nil {
			return d, err
		}
	}
	d.people, err = owners(ctx, conn, server.NewKeys(secret))
	return d, err
}

func owners(ctx context.Context, conn *pgx.Conn, keys server.Keys) ([]person, error) {
	rows, err := conn.Query(ctx, `SELECT workspace_id, user_id, id FROM api_token ORDER BY workspace_id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p person, err error) {
		var ws timesheet.WorkspaceID
		var token timesheet.TokenID
		err = row.Scan(&ws, &p.key, &token)
		p.token = keys.MintToken(ws, timesheet.Token{ID: token, UserID: timesheet.UserID(p.key), Scope: timesheet.ScopeWrite})
		return p, err
	})
}
