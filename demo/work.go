package demo

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"headroom/timesheet"
)

// work is what a company's entries are drawn from.
type work struct {
	zone     *time.Location
	until    time.Time
	key      uint64 // seeds the days
	workers  []worker
	projects []project
	tags     []int // all of them, to cut pieces from
}

// worker is a person who keeps entries.
type worker struct {
	user      int
	diligence float64 // how likely they work on the best weekday
	projects  []int   // those they are on more of the time are there more than once
}

// project is what people work on. Its first task is a catch-all.
type project struct {
	tasks    []int
	mix      choice // of its tasks
	billable float64
}

// addProjects makes a sixth as many projects as there are people, and their
// tasks. Every fifth is not billable.
func (w *work) addProjects(r *rand.Rand, t *timesheet.Company) {
	n := 3 + len(t.Users)/6
	leads := staffed(t.Users, timesheet.RoleManager)
	mix, paid := zipf(n, projectZipf), 0.0
	for i, name := range distinct(r, n, projectNames) {
		p := timesheet.CompanyProject{Name: name, Client: i%(len(t.Clients)+1) - 1, Billable: i%5 != 2, Lead: -1}
		if len(leads) > 0 {
			p.Lead = leads[i%len(leads)]
		}
		if p.Billable {
			paid += mix.share(i)
		}
		t.Projects = append(t.Projects, p)
		w.projects = append(w.projects, newProject(r, t, i))
	}
	for i, p := range t.Projects {
		if p.Billable {
			w.projects[i].billable = min(1, billableShare/paid)
		}
	}
}

// staffed are the people of a role.
func staffed(users []timesheet.CompanyUser, role timesheet.Role) (found []int) {
	for i, u := range users {
		if u.Role == role {
			found = append(found, i)
		}
	}
	return found
}

func newProject(r *rand.Rand, t *timesheet.Company, i int) project {
	n := int(math.Round(min(150, max(3, lognormal(r, math.Log(18), 0.7)))))
	p := project{mix: zipf(n, 1)}
	for k := range n {
		name := "Meetings"
		if k > 0 {
			name = phases[k%len(phases)] + " " + parts[(k%len(phases)+k/len(phases))%len(parts)] // every pair once
		}
		p.tasks = append(p.tasks, len(t.Tasks))
		t.Tasks = append(t.Tasks, timesheet.CompanyTask{Project: i, Name: name})
	}
	return p
}

// maxProjects is how many projects a person has at most.
const maxProjects = 7

// addWorkers gives everybody who keeps entries a few projects, the common ones
// more often, and makes them members of these.
func (w *work) addWorkers(r *rand.Rand, t *timesheet.Company, scale int64) {
	all := zipf(len(t.Projects), projectZipf)
	for i, u := range t.Users {
		if u.Role == timesheet.RoleViewer {
			continue
		}
		p := worker{user: i, diligence: min(1, max(.3, .85+.1*r.NormFloat64()))}
		rate := (40 + 5*r.Int64N(20)) * 100 * scale
		for range min(geometric(r, 2), maxProjects) {
			k := all.draw(r)
			if !slices.Contains(p.projects, k) {
				t.Projects[k].Members = append(t.Projects[k].Members, i)
			}
			p.projects = append(p.projects, k)
		}
		w.workers = append(w.workers, p)
		if i%4 != 3 { // the others have the company's rate
			t.Rates = append(t.Rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: i, Project: -1, Minor: rate})
		}
		t.Rates = append(t.Rates, timesheet.CompanyRate{Kind: timesheet.RateCost, User: i, Project: -1, Minor: rate * 45 / 100})
	}
	t.Rates = append(t.Rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: -1, Project: -1, Minor: 85_00 * scale},
		timesheet.CompanyRate{Kind: timesheet.RateCost, User: -1, Project: -1, Minor: 40_00 * scale})
	for i := 4; i < len(t.Projects); i += 5 { // a few have a price of their own
		t.Rates = append(t.Rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: -1, Project: i, Minor: 110_00 * scale})
	}
}

// entries yields the company's last n entries, oldest first.
func (w *work) entries(n int) iter.Seq[timesheet.CompanyEntry] {
	return func(yield func(timesheet.CompanyEntry) bool) {
		source := rand.NewPCG(0, 0)
		r := rand.New(source)
		var made []timesheet.CompanyEntry
		day := func(d timesheet.Date) []timesheet.CompanyEntry {
			source.Seed(w.key, uint64(d))
			made = w.day(r, d, made[:0])
			return made
		}
		history(n, timesheet.DayOf(w.until, w.zone), day)(yield)
	}
}

// day makes up everybody's entries of a day, in order.
func (w *work) day(r *rand.Rand, d timesheet.Date, made []timesheet.CompanyEntry) []timesheet.CompanyEntry {
	attendance := atWork(d.Weekday())
	for i := range w.workers {
		p := &w.workers[i]
		if r.Float64() >= p.diligence*attendance {
			continue
		}
		k := p.projects[r.IntN(len(p.projects))]
		for range geometric(r, entriesADay) {
			if e := w.entry(r, d, p, k); e.Seconds > 0 {
				made = append(made, e)
			}
		}
	}
	slices.SortStableFunc(made, func(a, b timesheet.CompanyEntry) int { return a.Start.Compare(b.Start) })
	return made
}

// entry makes up an entry of a day; one that has no length would lie in the
// future.
func (w *work) entry(r *rand.Rand, d timesheet.Date, p *worker, k int) timesheet.CompanyEntry {
	project := &w.projects[k]
	e := timesheet.CompanyEntry{User: p.user, Project: k, Task: -1}
	year, month, day := d.Calendar()
	e.Start = time.Date(year, month, day, hours.draw(r), minuteOfHour(r), 0, 0, w.zone)
	e.Seconds = min(60*minutes(r), int64(w.until.Sub(e.Start)/time.Second))
	if r.Float64() < .85 {
		e.Task = project.tasks[project.mix.draw(r)]
	}
	e.Tags = w.someTags(r)
	e.Billable = r.Float64() < project.billable
	e.Description = describe(r)
	return e
}

// someTags are none for most entries, else one or two neighbours.
func (w *work) someTags(r *rand.Rand) []int {
	switch p, i := r.Float64(), r.IntN(len(w.tags)-1); {
	case p < .65:
		return nil
	case p < .92:
		return w.tags[i : i+1 : i+1]
	default:
		return w.tags[i : i+2 : i+2]
	}
}
