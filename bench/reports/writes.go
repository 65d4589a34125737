package main

import (
	"context"
	"errors"
	"fmt"
	"headroom/timesheet"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"bench/lab"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

const writeRounds = 5

// designs are the ways to keep sums that writes are measured under. A shared row
// is what a design has that keeps one sum for a project and a day.
var designs = map[string][]string{
	"none": {`ALTER TABLE time_entry DISABLE TRIGGER USER`, `ALTER TABLE time_entry ENABLE TRIGGER time_entry_stamp`},
	"ours": {`ALTER TABLE time_entry ENABLE TRIGGER USER`, `ALTER TABLE time_entry DISABLE TRIGGER bench_shared`},
	"shared row": {
		`ALTER TABLE time_entry DISABLE TRIGGER USER`, `ALTER TABLE time_entry ENABLE TRIGGER time_entry_stamp`, `ALTER TABLE time_entry ENABLE TRIGGER bench_shared`,
	},
}

var shared = []string{
	`CREATE TABLE IF NOT EXISTS bench_day (workspace_id bigint, project_id bigint, day date, entries bigint NOT NULL, secs bigint NOT NULL, PRIMARY KEY (workspace_id, project_id, day))`,
	`CREATE OR REPLACE FUNCTION bench_fold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO bench_day AS d SELECT e.workspace_id, e.project_id, e.day, count(*), sum(e.secs) FROM added e GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (workspace_id, project_id, day) DO UPDATE SET entries = d.entries + excluded.entries, secs = d.secs + excluded.secs;
  RETURN NULL; END $$`,
	`CREATE OR REPLACE TRIGGER bench_shared AFTER INSERT ON time_entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION bench_fold()`,
}

// measureWrites measures what a write costs, and how writers get on together.
// Each round takes all designs, in an order that is drawn.
func (r *results) measureWrites(ctx context.Context, pg *lab.Postgres) error {
	dsn, owner, err := lab.Seeded(ctx, pg, writesName, lab.ShapeOf(writesSize))
	if err != nil {
		return err
	}
	if err := pg.Exec(ctx, dsn, shared...); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(r.seed, 7))
	for round := range writeRounds {
		fmt.Fprintf(os.Stderr, "writes: round %d of %d\n", round+1, writeRounds)
		cpu, rate := map[string]float64{}, map[string]float64{}
		for _, design := range drawn(random, "none", "ours") {
			var wal float64
			if cpu[design], wal, err = r.price(ctx, pg, dsn, owner, design); err != nil {
				return err
			}
			if design == "ours" {
				r.add("WAL of a write", 0, "kB", wal/1000)
			}
			r.add("database CPU of a write, "+design, 0, "us", cpu[design])
		}
		r.add("rollup's database CPU of a write", 0, "us", cpu["ours"]-cpu["none"])
		for _, design := range drawn(random, "none", "ours", "shared row") {
			if rate[design], err = r.together(ctx, pg, dsn, owner, design); err != nil {
				return err
			}
			r.add("16 writers, "+design, 0, "commits/s", rate[design])
		}
		r.add("16 writers against a shared row", 0, "x", rate["ours"]/rate["shared row"])
	}
	return nil
}

func drawn(random *rand.Rand, names ...string) []string {
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

const insert = `INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, rate_minor, currency, description)
VALUES ($1, $5, $2, $3, $4, $4::timestamptz + interval '25 minutes', $4::timestamptz::date, true, 5000, 'EUR', 'a write of the benchmark')`

// newID is of version 7, as those of the product: in the order of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// crowd are the people and the project that the writes are of.
func crowd(ctx context.Context, conn *pgx.Conn, ws timesheet.WorkspaceID) (users, projects []int64, err error) {
	if err = conn.QueryRow(ctx, `SELECT array_agg(user_id ORDER BY user_id) FROM membership WHERE workspace_id = $1`, ws).Scan(&users); err == nil {
		err = conn.QueryRow(ctx, `SELECT array_agg(id ORDER BY id) FROM project WHERE workspace_id = $1`, ws).Scan(&projects)
	}
	return users, projects, err
}

// price is what one insert takes of the database's CPU, in microseconds, and of
// its WAL, in bytes. The entries are of the last five days; 200 inserts are a
// commit, which waits for no disk.
func (r *results) price(ctx context.Context, pg *lab.Postgres, dsn string, owner timesheet.Viewer, design string) (cpu, wal float64, err error) {
	if err := pg.Exec(ctx, dsn, designs[design]...); err != nil {
		return 0, 0, err
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx)
	users, projects, err := crowd(ctx, conn, owner.Workspace.ID)
	if err != nil {
		return 0, 0, err
	}
	if err := pg.Exec(ctx, dsn, `CHECKPOINT`); err != nil { // full pages are the checkpoint's price
		return 0, 0, err
	}
	if _, err := conn.Exec(ctx, `SET synchronous_commit = off`); err != nil {
		return 0, 0, err
	}
	random := rand.New(rand.NewPCG(r.seed, 11))
	write := func(n int) error {
		for i := 0; i < n; {
			tx, err := conn.Begin(ctx)
			if err != nil {
				return err
			}
			for ; i < n && (i+1)%200 != 0; i++ {
				start := lab.Since.AddDate(0, lab.Months, -1-random.IntN(5)).Add(time.Duration(random.IntN(36000)) * time.Second)
				if _, err := tx.Exec(ctx, insert, owner.Workspace.ID, users[random.IntN(len(users))], projects[random.IntN(len(projects))], start, newID()); err != nil {
					return err
				}
			}
			i++
			if err := tx.Commit(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := write(r.write); err != nil { // warms, and touches pages that WAL holds in full once
		return 0, 0, err
	}
	before, err := spent(ctx, conn)
	if err == nil {
		err = write(r.write)
	}
	if err != nil {
		return 0, 0, err
	}
	after, err := spent(ctx, conn)
	n := float64(r.write) * 199 / 200
	return (after.cpu - before.cpu) / n, (after.wal - before.wal) / n, err
}

type spending struct{ cpu, wal float64 } // microseconds and bytes

// spent is what a connection's backend has used of the CPU, and the server of
// its WAL.
func spent(ctx context.Context, conn *pgx.Conn) (s spending, err error) {
	var pid int
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid(), pg_current_wal_lsn() - '0/0'`).Scan(&pid, &s.wal); err != nil {
		return s, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return s, err
	}
	nanos, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseFloat(nanos, 64)
	s.cpu = n / 1000
	return s, err
}

const writers = 16

// together is the rate of commits of 16 people who write on one project and
// day, each commit on the disk before it is acknowledged.
func (r *results) together(ctx context.Context, pg *lab.Postgres, dsn string, owner timesheet.Viewer, design string) (rate float64, err error) {
	if err := pg.Exec(ctx, dsn, designs[design]...); err != nil {
		return 0, err
	}
	var conns []*pgx.Conn
	for range writers {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return 0, err
		}
		defer conn.Close(ctx)
		conns = append(conns, conn)
	}
	users, projects, err := crowd(ctx, conns[0], owner.Workspace.ID)
	if err != nil {
		return 0, err
	}
	before, err := usedCPU()
	if err != nil {
		return 0, err
	}
	var commits atomic.Int64
	var failure error
	var once sync.Once
	var all sync.WaitGroup
	began := time.Now()
	for i, conn := range conns {
		all.Go(func() {
			for at := lab.Since.AddDate(0, lab.Months-1, 3); time.Since(began) < r.storm; at = at.Add(time.Second) {
				if _, err := conn.Exec(ctx, insert, owner.Workspace.ID, users[i], projects[0], at, newID()); err != nil {
					once.Do(func() { failure = err })
					return
				}
				commits.Add(1)
			}
		})
	}
	all.Wait()
	took, n := time.Since(began).Seconds(), float64(commits.Load())
	after, err := usedCPU()
	r.add("16 writers, "+design+", CPU a commit", 0, "us", 1e6*(after.machine-before.machine)/n)
	r.add("16 writers, "+design+", of which the writers themselves", 0, "us", 1e6*(after.self-before.self)/n)
	r.add("16 writers, "+design+", processors busy", 0, "%", 100*(after.machine-before.machine)/took/float64(runtime.NumCPU()))
	return n / took, errors.Join(failure, err)
}

// cpu is time on processors, in seconds.
type cpu struct{ machine, self float64 }

// usedCPU is what the whole machine, and this process, have used so far.
func usedCPU() (c cpu, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return c, err
	}
	fields := strings.Fields(string(text)) // cpu user nice system idle iowait irq softirq steal
	for i := 1; i <= 8; i++ {
		ticks, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return c, err
		}
		if i != 4 && i != 5 {
			c.machine += ticks / 100
		}
	}
	var own syscall.Rusage
	err = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	c.self = time.Duration(own.Utime.Nano() + own.Stime.Nano()).Seconds()
	return c, err
}
