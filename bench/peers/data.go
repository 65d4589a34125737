package main

import (
	"context"
	_ "embed"
	"fmt"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"bench/lab"

	"github.com/jackc/pgx/v5"
)

// The one workspace: 250 people on 50 projects of 20 tasks for four years, who
// work on four projects and three tasks of each a quarter, and have 20 entries
// each on the last day.
const (
	users           = 250
	leaders         = 10 // of them, the owner and managers
	clients         = 20
	projects        = 50
	tasksAProject   = 20
	projectsAtOnce  = 4
	tasksAtOnce     = 3
	entriesLastDay  = 20
	lastDay         = "2025-12-31"
	quarter         = 91 * 24 * time.Hour
	addressPattern  = "p%d@peers.example"
	projectsPattern = "Project %02d"
)

var (
	since = time.Date(2022, time.January, 1, 0, 0, 0, 0, time.UTC)
	until = time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC) // the last day
)

func company(entries int) timesheet.Company {
	c := timesheet.Company{Name: "Peers", TimeZone: "UTC", WeekStart: time.Monday, Currency: "EUR", Tags: []string{"one", "two", "three"}}
	var everybody []int
	for i := range users {
		role := timesheet.RoleMember
		if i < leaders {
			role = timesheet.RoleManager
		}
		if i == 0 {
			role = timesheet.RoleOwner
		}
		everybody = append(everybody, i)
		c.Users = append(c.Users, timesheet.CompanyUser{Name: fmt.Sprintf("Person %03d", i), Email: fmt.Sprintf(addressPattern, i), Role: role})
	}
	for i := range clients {
		c.Clients = append(c.Clients, fmt.Sprintf("Client %02d", i))
	}
	for i := range projects {
		c.Projects = append(c.Projects, timesheet.CompanyProject{Name: fmt.Sprintf(projectsPattern, i), Client: i % clients, Billable: true, Lead: -1, Members: everybody})
		for task := range tasksAProject {
			c.Tasks = append(c.Tasks, timesheet.CompanyTask{Project: i, Name: fmt.Sprintf("Task %02d", task)})
		}
	}
	c.Rates = []timesheet.CompanyRate{{Kind: timesheet.RateBill, User: -1, Project: -1, Minor: 8000}}
	c.Entries = func(yield func(timesheet.CompanyEntry) bool) { work(entries, yield) }
	return c
}

// work yields entries in the order of their start. Durations are lognormal, as
// in real work logs.
func work(entries int, yield func(timesheet.CompanyEntry) bool) {
	r := rand.New(rand.NewPCG(1, uint64(entries)))
	span, before := until.Sub(since)-10*time.Hour, entries-users*entriesLastDay
	for i := range before {
		start := since.Add(time.Duration(float64(span) * float64(i) / float64(before))).Truncate(time.Second)
		seconds := int64(min(math.Exp(3.749+1.515*r.NormFloat64())*60, 9*3600)) + 1
		if !yield(entry(r, i, r.IntN(users), start, seconds)) {
			return
		}
	}
	for i := range users * entriesLastDay {
		start := until.Add(7*time.Hour + time.Duration(i/users)*30*time.Minute + time.Duration(i%users)*time.Second)
		if !yield(entry(r, before+i, i%users, start, 1500)) {
			return
		}
	}
}

func entry(r *rand.Rand, i, user int, start time.Time, seconds int64) timesheet.CompanyEntry {
	project := (user*7 + int(start.Sub(since)/quarter)*11 + r.IntN(projectsAtOnce)*13) % projects
	task := (user + r.IntN(tasksAtOnce)*5) % tasksAProject
	e := timesheet.CompanyEntry{
		User: user, Project: project, Task: project*tasksAProject + task, Start: start, Seconds: seconds,
		Billable: r.IntN(5) > 0, Description: fmt.Sprintf("work %d on part %d", i, i%97),
	}
	if i%4 == 0 {
		e.Tags = []int{i / 4 % 3}
	}
	return e
}

// The textbook's tables, and what PostGraphile adds to them.
var (
	//go:embed textbook.sql
	textbookTables string
	//go:embed postgraphile.sql
	functions string
)

// earlier deletes what earlier runs have written: all of it lies before the
// data begin.
const earlier = `DELETE FROM time_entry WHERE started_at < '2022-01-01'; DELETE FROM textbook.time_entry WHERE started_at < '2022-01-01'`

// data is the filled database.
type data struct {
	dsn      string
	people   []person // the leaders first
	projects []int64
}

// open fills the database, where it is not filled yet.
func open(ctx context.Context, pg *lab.Postgres, entries int) (d data, err error) {
	if d.dsn, err = pg.Database(ctx, fmt.Sprintf("peers_%d", entries)); err != nil {
		return d, err
	}
	s, err := store.Open(ctx, store.Config{DSN: d.dsn})
	if err != nil {
		return d, err
	}
	defer s.Close()
	ws, found, err := s.FindMembership(ctx, fmt.Sprintf(addressPattern, 0))
	if err != nil {
		return d, err
	}
	if !found {
		if ws, err = seed(ctx, pg, s, d.dsn, entries); err != nil {
			return d, err
		}
	}
	if err := pg.Exec(ctx, d.dsn, functions, earlier, `VACUUM ANALYZE`, `CHECKPOINT`); err != nil {
		return d, err
	}
	if d.people, err = people(ctx, s, ws); err != nil {
		return d, err
	}
	d.projects, err = projectKeys(ctx, d.dsn)
	return d, err
}

func seed(ctx context.Context, pg *lab.Postgres, s *store.Store, dsn string, entries int) (timesheet.WorkspaceID, error) {
	fmt.Fprintf(os.Stderr, "seeding %d entries of %d people on %d projects\n", entries, users, projects)
	owner, _, err := s.LoadCompany(ctx, company(entries), nil)
	if err != nil {
		return 0, err
	}
	return owner.Workspace.ID, pg.Exec(ctx, dsn, textbookTables)
}

// projectKeys are those of all projects, in the order of their names.
func projectKeys(ctx context.Context, dsn string) ([]int64, error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT id FROM textbook.project ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// people are who asks, with their tokens.
func people(ctx context.Context, s *store.Store, ws timesheet.WorkspaceID) (found []person, err error) {
	owner, err := s.OwnerViewer(ctx, ws)
	if err != nil {
		return nil, err
	}
	holders, err := s.EnsureTokens(ctx, owner, "bench")
	if err != nil {
		return nil, err
	}
	secret, err := s.Secret(ctx)
	if err != nil {
		return nil, err
	}
	keys := server.NewKeys(secret)
	for _, h := range holders {
		found = append(found, person{key: int64(h.User.ID), token: keys.MintToken(ws, h.Token)})
	}
	if len(found) != users {
		return nil, fmt.Errorf("%d of %d people have a token", len(found), users)
	}
	return found, nil
}

// postmaster is the process of the database server.
func postmaster(ctx context.Context, dsn string) (pid int, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	return parent(int(conn.PgConn().PID()))
}
