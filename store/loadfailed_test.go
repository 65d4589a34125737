package store_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/jackc/pgx/v5"

	"headroom/demo"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

// A company that cannot be loaded to its end is not there at all, whatever
// ends it, and the next one is.
func TestFailedLoadLeavesNothing(t *testing.T) {
	many := func(last timesheet.CompanyEntry) iter.Seq[timesheet.CompanyEntry] {
		return func(yield func(timesheet.CompanyEntry) bool) {
			for range 12_000 {
				if !yield(lateEntry) {
					return
				}
			}
			yield(last)
		}
	}
	end := func(change func(*timesheet.CompanyEntry)) func(*timesheet.Company) {
		e := lateEntry
		change(&e)
		return func(c *timesheet.Company) { c.Entries = many(e) }
	}
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	for name, change := range map[string]func(*timesheet.Company){
		"no people":              func(c *timesheet.Company) { c.Users = nil },
		"no name":                func(c *timesheet.Company) { c.Name = " " },
		"no such zone":           func(c *timesheet.Company) { c.TimeZone = "CET" },
		"no currency's form":     func(c *timesheet.Company) { c.Currency = "lei" },
		"no such currency":       func(c *timesheet.Company) { c.Currency = "LEI" },
		"a rate of nobody":       func(c *timesheet.Company) { c.Rates[1].User = 4 },
		"a rate of no project":   func(c *timesheet.Company) { c.Rates[2].Project = 2 },
		"a rate twice":           func(c *timesheet.Company) { c.Rates[2].Project = -1 },
		"too high a rate":        func(c *timesheet.Company) { c.Rates[0].Minor = timesheet.MaxRate + 1 },
		"an empty budget":        func(c *timesheet.Company) { c.Projects[0].Budget = &timesheet.Budget{Period: timesheet.BudgetTotal} },
		"no address":             func(c *timesheet.Company) { c.Users[3].Email = "" },
		"an address twice":       func(c *timesheet.Company) { c.Users[3].Email = "OLGA@acme.example" },
		"a nameless person":      func(c *timesheet.Company) { c.Users[2].Name = "" },
		"a client twice":         func(c *timesheet.Company) { c.Clients[1] = "STRASSE" },
		"a broken tag":           func(c *timesheet.Company) { c.Tags[0] = "\xff" },
		"no such client":         func(c *timesheet.Company) { c.Projects[0].Client = 2 },
		"no such lead":           func(c *timesheet.Company) { c.Projects[1].Lead = 4 },
		"no such member":         func(c *timesheet.Company) { c.Projects[1].Members[0] = -2 },
		"a task of no project":   func(c *timesheet.Company) { c.Tasks[0].Project = 2 },
		"an entry of nobody":     end(func(e *timesheet.CompanyEntry) { e.User = -1 }),
		"no such project":        end(func(e *timesheet.CompanyEntry) { e.Project = 2 }),
		"no such task":           end(func(e *timesheet.CompanyEntry) { e.Task = 2 }),
		"another project's task": end(func(e *timesheet.CompanyEntry) { e.Task = 0 }),
		"no such tag":            end(func(e *timesheet.CompanyEntry) { e.Tags = []int{2} }),
		"too long an entry":      end(func(e *timesheet.CompanyEntry) { e.Seconds = 8 * 86400 }),
		"a broken description":   end(func(e *timesheet.CompanyEntry) { e.Description = "a\x00" }),
	} {
		t.Run(name, func(t *testing.T) {
			c := tinyCompany()
			change(&c)
			if _, _, err := s.LoadCompany(t.Context(), c, nil); err == nil {
				t.Error("it was loaded")
			}
			wantNothing(t, conn)
		})
	}
	if _, _, err := s.LoadCompany(t.Context(), tinyCompany(lateEntry), nil); err != nil {
		t.Errorf("the next company: %v", err)
	}
}

func wantNothing(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for _, table := range []string{"account", "workspace", "membership", "client", "project", "project_member", "task", "tag", "rate", "budget", "time_entry"} {
		if n := ask[int](t, conn, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
}

// Whoever ends a load in its midst, the caller or the database, there is
// nothing of it, and what it set for itself is no longer set.
func TestInterruptedLoadLeavesNothing(t *testing.T) {
	for name, interrupt := range map[string]func(t *testing.T, conn *pgx.Conn, cancel context.CancelFunc){
		"cancelled": func(_ *testing.T, _ *pgx.Conn, cancel context.CancelFunc) { cancel() },
		"killed": func(t *testing.T, conn *pgx.Conn, _ context.CancelFunc) {
			if n := ask[int](t, conn, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'headroom background' AND xact_start IS NOT NULL`); n != 1 {
				t.Errorf("%d connections were loading, want 1", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := storetest.New(t)
			s, conn := openStore(t, dsn), connectTo(t, dsn)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			told := 0
			for c := range demo.Companies(demo.Config{Entries: 40_000, Tenants: 1, Seed: 1, Until: loadNoon}) {
				_, _, err := s.LoadCompany(ctx, c, func(n int) {
					if told++; told == 1 {
						interrupt(t, conn, cancel)
					}
				})
				if err == nil || told != 1 {
					t.Fatalf("told %d times, error %v; want an end after the first", told, err)
				}
				if errors.Is(err, context.Canceled) != (name == "cancelled") {
					t.Errorf("got error %v", err)
				}
				wantNothing(t, conn)
				if _, _, err := s.LoadCompany(t.Context(), c, nil); err != nil {
					t.Errorf("again: %v", err)
				}
			}
			wantUsualSettings(t, s)
		})
	}
}

const readSettings = `SELECT coalesce(string_agg(name || '=' || setting, ' '), '') FROM pg_settings WHERE setting <> reset_val AND source = 'session'`

// wantUsualSettings asks all connections of the pool that loads used.
func wantUsualSettings(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassBackground})
	asked := 0
	var nest func() error
	nest = func() error {
		return s.Transact(ctx, func(tx pgx.Tx) error {
			var left string
			if err := tx.QueryRow(ctx, readSettings).Scan(&left); err != nil {
				return err
			}
			if left != "" {
				t.Errorf("a connection is left with %s", left)
			}
			if asked++; asked < store.DefaultPools[timesheet.ClassBackground] {
				return nest()
			}
			return nil
		})
	}
	if err := nest(); err != nil {
		t.Fatal(err)
	}
}
