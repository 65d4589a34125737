package main

import (
	"context"
	"fmt"
	"headroom/demo"
	"headroom/store"
	"headroom/timesheet"
	"math/rand/v2"
	"os"
	"time"
)

// until is the day after the last entry of all workspaces.
var until = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// largeEntries are those of each large workspace, in which operations take longer
// than 100 ms.
const largeEntries = 1_000_000

// fill makes the workspaces: two odd ones, large ones, and those of a service, whose
// sizes follow a power law.
func fill(ctx context.Context, dsn string, o options) error {
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return err
	}
	defer db.Close()
	if found, err := db.LargestWorkspaces(ctx, o.workspaces); err != nil || len(found) >= o.workspaces {
		return err
	}
	odd := []timesheet.Company{oddCompany(busyName, busyPerson), oddCompany(largeName, largeProject)}
	for i := range odd {
		if err := load(ctx, db, odd[i]); err != nil {
			return err
		}
	}
	made := []demo.Config{{Entries: o.entries, Tenants: o.workspaces - len(odd) - o.large, Seed: o.seed, Until: until}}
	for i := range o.large {
		made = append(made, demo.Config{Entries: largeEntries, Tenants: 1, Seed: o.seed + 1000*uint64(i+1), Until: until})
	}
	for _, c := range made {
		for company := range demo.Companies(c) {
			if err := load(ctx, db, company); err != nil {
				return err
			}
		}
	}
	if _, err = db.FoldRollups(ctx, time.Now()); err != nil {
		return err
	}
	db.Vacuum(ctx)
	return nil
}

// load adds a company, but for one that an earlier run has added.
func load(ctx context.Context, db *store.Store, c timesheet.Company) error {
	began := time.Now()
	_, users, err := db.CopyCompany(ctx, c, nil)
	if broken, ok := timesheet.AsError(err); ok && broken.Code == timesheet.CodeNameTaken {
		return nil
	}
	fmt.Fprintf(os.Stderr, "seeded %s: %d people, %s\n", c.Name, len(users), time.Since(began).Round(time.Millisecond))
	return err
}

const (
	busyName  = "One person with fifty times the average"
	largeName = "One project with seven tenths"
)

// oddEntries are those of an odd workspace, over three years.
const oddEntries = 60_000

// oddCompany has 50 people on 60 projects; who works on what is drawn by pick.
func oddCompany(name string, pick func(*rand.Rand) (user, project int)) timesheet.Company {
	c := timesheet.Company{Name: name, TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR"}
	for i := range 50 {
		role := timesheet.RoleMember
		if i == 0 {
			role = timesheet.RoleOwner
		}
		c.Users = append(c.Users, timesheet.CompanyUser{Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@%d.odd.example", i, len(name)), Role: role})
	}
	for i := range 20 {
		c.Clients = append(c.Clients, fmt.Sprintf("Client %d", i))
	}
	for i := range 60 {
		c.Projects = append(c.Projects, timesheet.CompanyProject{Name: fmt.Sprintf("Project %d", i), Client: i % 20, Billable: true, Lead: -1})
		for task := range 5 {
			c.Tasks = append(c.Tasks, timesheet.CompanyTask{Project: i, Name: fmt.Sprintf("Task %d", task)})
		}
	}
	c.Entries = func(yield func(timesheet.CompanyEntry) bool) {
		r := rand.New(rand.NewPCG(7, uint64(len(name))))
		since := until.AddDate(-3, 0, 0)
		for i := range oddEntries {
			user, project := pick(r)
			start := since.Add(until.Sub(since) / oddEntries * time.Duration(i)).Truncate(time.Second)
			e := timesheet.CompanyEntry{
				User: user, Project: project, Task: project*5 + r.IntN(5), Start: start, Seconds: int64(60 + r.IntN(7000)), Billable: true,
				Description: fmt.Sprintf("%s of part %d", []string{"Review", "Design", "Meeting", "Coding"}[r.IntN(4)], i%97),
			}
			if !yield(e) {
				return
			}
		}
	}
	return c
}

// busyPerson gives the second person half of all entries: fifty times what each of
// the others has.
func busyPerson(r *rand.Rand) (user, project int) {
	if r.IntN(2) == 0 {
		return 1, r.IntN(60)
	}
	return r.IntN(50), r.IntN(60)
}

// largeProject gives one project seven tenths.
func largeProject(r *rand.Rand) (user, project int) {
	if r.IntN(10) < 7 {
		return r.IntN(50), 0
	}
	return r.IntN(50), 1 + r.IntN(59)
}
