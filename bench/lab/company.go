package lab

import (
	"context"
	"fmt"
	"headroom/store"
	"headroom/timesheet"
	"math"
	"math/rand/v2"
	"os"
	"time"
)

// until is the day after the last entry of all companies: 36 whole Months.
var (
	Since  = time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC)
	Months = 36
)

// Shape is one workspace of a size.
type Shape struct {
	entries, users, projects int
	number                   int // of several on one database
}

// Number is the same shape as another workspace of the same database.
func (s Shape) Number(n int) Shape {
	s.number = n
	return s
}

// email is a person's address.
func (s Shape) email(person int) string {
	if s.number == 0 {
		return fmt.Sprintf("p%d@bench.example", person)
	}
	return fmt.Sprintf("p%d@bench%d.example", person, s.number)
}

// ShapeOf has 400 people and 300 projects at a million, 1,200 and 900 at ten
// million, and grows in between as the root of the entries.
func ShapeOf(millions float64) Shape {
	s := Shape{entries: int(millions * 1e6), users: 1200, projects: 900}
	if millions < 10 {
		s.users, s.projects = int(400*math.Sqrt(millions)), int(300*math.Sqrt(millions))
	}
	return s
}

// Everybody works on four projects a quarter, of eight tasks each.
const (
	projectsAQuarter = 4
	tasksAProject    = 8
	clients          = 40
)

// company makes the workspace up. Durations are lognormal as in real work logs.
func company(s Shape) timesheet.Company {
	c := timesheet.Company{Name: "Bench", TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR", Tags: []string{"one", "two", "three"}}
	for i := range s.users {
		role := timesheet.RoleMember
		if i == 0 {
			role = timesheet.RoleOwner
		}
		c.Users = append(c.Users, timesheet.CompanyUser{Name: fmt.Sprintf("Person %04d", i), Email: s.email(i), Role: role})
		c.Rates = append(c.Rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: i, Project: -1, Minor: int64(4000 + i%20*250)})
	}
	for i := range clients {
		c.Clients = append(c.Clients, fmt.Sprintf("Client %02d", i))
	}
	for i := range s.projects {
		c.Projects = append(c.Projects, timesheet.CompanyProject{Name: fmt.Sprintf("Project %03d", i), Client: i % clients, Billable: i%5 > 0, Lead: -1})
		for task := range tasksAProject {
			c.Tasks = append(c.Tasks, timesheet.CompanyTask{Project: i, Name: fmt.Sprintf("Task %d", task)})
		}
	}
	c.Entries = s.entriesOf
	return c
}

// entriesOf yields entries in the order of their start.
func (s Shape) entriesOf(yield func(timesheet.CompanyEntry) bool) {
	r := rand.New(rand.NewPCG(1+uint64(s.number), uint64(s.entries)))
	span := Since.AddDate(0, Months, 0).Sub(Since) - 10*time.Hour
	for i := range s.entries {
		start := Since.Add(time.Duration(float64(span) * float64(i) / float64(s.entries))).Truncate(time.Second)
		user := r.IntN(s.users)
		quarter := int(start.Sub(Since).Hours()) / (24 * 91)
		project := (user*7 + quarter*31 + r.IntN(projectsAQuarter)*97) % s.projects
		e := timesheet.CompanyEntry{
			User: user, Project: project, Task: project*tasksAProject + r.IntN(tasksAProject), Start: start,
			Seconds: int64(min(math.Exp(3.749+1.515*r.NormFloat64())*60, 9*3600)) + 1, Billable: r.IntN(5) > 0,
			Description: fmt.Sprintf("work %d on part %d", i, i%97),
		}
		if i%4 == 0 {
			e.Tags = []int{i / 4 % 3}
		}
		if !yield(e) {
			return
		}
	}
}

// Seeded opens the database of a size, filled, and with what a server has folded.
func Seeded(ctx context.Context, pg *Postgres, name string, s Shape) (dsn string, owner timesheet.Viewer, err error) {
	if dsn, err = pg.Database(ctx, name); err != nil {
		return "", owner, err
	}
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return "", owner, err
	}
	defer db.Close()
	ws, found, err := db.FindMembership(ctx, s.email(0))
	if err != nil {
		return "", owner, err
	}
	if found {
		if owner, err = db.OwnerViewer(ctx, ws); err == nil {
			_, err = db.FoldRollups(ctx, time.Now())
		}
		return dsn, owner, err
	}
	fmt.Fprintf(os.Stderr, "seeding %s: %d entries of %d people on %d projects\n", name, s.entries, s.users, s.projects)
	if owner, _, err = db.LoadCompany(ctx, company(s), nil); err != nil {
		return dsn, owner, err
	}
	_, _, _, err = db.StartTimer(ctx, owner, timesheet.TimerInput{Description: "the benchmark"}, store.Change{Action: "startTimer"})
	return dsn, owner, err
}
