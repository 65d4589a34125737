package demo

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	"headroom/timesheet"
)

// SmallConfig says how large the company of [Small] is.
type SmallConfig struct {
	Name    string    // of the workspace, and of the domain of its addresses
	Entries int       // at most some 400,000, which go back to 1970
	Until   time.Time // no entry ends later
}

// Small is one believable company of eight people, for a first look: an owner,
// an admin, a manager, four members and a viewer, on eight projects for four
// clients. They work one thing after the other, from the morning to the
// afternoon, on weekdays and on the last day too, whatever day that is, so
// that everybody who keeps time has some of today.
func Small(c SmallConfig) timesheet.Company {
	t := timesheet.Company{
		Name: c.Name, TimeZone: "Europe/Bucharest", WeekStart: time.Monday, Currency: "EUR",
		Clients: []string{"Acme Logistics", "Bäckerei Weiß", "株式会社さくら", "Șoimul Transport"},
		Tags:    []string{"meeting", "remote", "on site", "urgent", "bug", "feature", "travel", "café"},
	}
	domain := domainOf(c.Name)
	for _, p := range smallPeople {
		t.Users = append(t.Users, timesheet.CompanyUser{Name: p.name, Email: p.address + "@" + domain, Role: p.role})
	}
	for i, p := range smallProjects {
		t.Projects = append(t.Projects, timesheet.CompanyProject{Name: p.name, Client: p.client, Billable: p.client >= 0, Members: p.members, Lead: p.lead})
		for _, name := range p.tasks {
			t.Tasks = append(t.Tasks, timesheet.CompanyTask{Project: i, Name: name})
		}
	}
	t.Rates = smallRates()
	t.Entries = newOffice(t, c.Until.Truncate(time.Second)).entries(c.Entries)
	giveBudgets(&t)
	return t
}

var smallPeople = []struct {
	name, address string
	role          timesheet.Role
	rate, cost    int64 // cents an hour; 0: the company's
}{
	{"Ana Popescu", "ana.popescu", timesheet.RoleOwner, 110_00, 60_00},
	{"Lukas Weiß", "lukas.weiss", timesheet.RoleAdmin, 95_00, 50_00},
	{"Мария Иванова", "maria.ivanova", timesheet.RoleManager, 90_00, 45_00},
	{"Chidi Okafor", "chidi.okafor", timesheet.RoleMember, 75_00, 0},
	{"山田 花子", "hanako.yamada", timesheet.RoleMember, 80_00, 38_00},
	{"Élodie Martin", "elodie.martin", timesheet.RoleMember, 0, 0},
	{"Ελένη Παπαδοπούλου", "eleni.papadopoulou", timesheet.RoleMember, 0, 0},
	{"ليلى حداد", "layla.haddad", timesheet.RoleViewer, 0, 0},
}

var smallProjects = []struct {
	name    string
	client  int
	lead    int
	members []int
	tasks   []string
}{
	{"Website relaunch", 0, 2, []int{0, 3, 5}, []string{"Meetings", "Design", "Coding", "Accessibility check"}},
	{"Driver app", 0, 2, []int{1, 3, 4}, []string{"Meetings", "Design", "Coding", "Testing", "Release"}},
	{"Online shop", 1, 2, []int{0, 5, 6}, []string{"Meetings", "Catalogue", "Payments", "Texts"}},
	{"Support", 1, 1, []int{3, 6}, []string{"Questions", "Defects"}},
	{"予約システム", 2, 2, []int{1, 4}, []string{"Meetings", "Coding", "Testing", "翻訳"}},
	{"Fleet reports", 3, 1, []int{4, 5}, []string{"Requirements", "Queries", "Review"}},
	{"Onboarding", 3, 2, []int{0, 6}, []string{"Workshops", "Material"}},
	{"Internal", -1, 0, []int{1, 2, 3, 4, 5, 6}, []string{"Stand-up", "Planning", "Hiring", "Learning"}},
}

// domainOf makes a domain of the letters that domains may have.
func domainOf(name string) string {
	letters := strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ' || r == '-':
			return '-'
		}
		return -1
	}, name)
	if letters = strings.Trim(letters, "-"); letters == "" {
		letters = "demo"
	}
	return letters[:min(len(letters), 60)] + ".example"
}

// office is what the entries of [Small] are drawn from.
type office struct {
	company  timesheet.Company
	zone     *time.Location
	until    time.Time
	projects [][]int // of each person
	tasks    [][]int // of each project
}

func newOffice(t timesheet.Company, until time.Time) *office {
	o := &office{company: t, zone: mustLoad(t.TimeZone), until: until, projects: make([][]int, len(t.Users)), tasks: make([][]int, len(t.Projects))}
	for i, p := range t.Projects {
		for _, m := range append([]int{p.Lead}, p.Members...) {
			if !slices.Contains(o.projects[m], i) {
				o.projects[m] = append(o.projects[m], i)
			}
		}
	}
	for i, task := range t.Tasks {
		o.tasks[task.Project] = append(o.tasks[task.Project], i)
	}
	return o
}

func (o *office) entries(n int) iter.Seq[timesheet.CompanyEntry] {
	today := timesheet.DayOf(o.until, o.zone)
	return history(n, today, func(d timesheet.Date) (made []timesheet.CompanyEntry) {
		r := rand.New(rand.NewPCG(uint64(d), 0))
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		for user := range o.company.Users {
			away := weekend || r.Float64() < .08
			if o.company.Users[user].Role != timesheet.RoleViewer && (!away || d == today) {
				made = append(made, o.day(r, d, user)...)
			}
		}
		slices.SortStableFunc(made, func(a, b timesheet.CompanyEntry) int { return a.Start.Compare(b.Start) })
		return made
	})
}

// day makes up what a person does on a day: one thing after the other, about
// eight hours with a break at noon, and nothing after the last instant.
func (o *office) day(r *rand.Rand, d timesheet.Date, user int) (made []timesheet.CompanyEntry) {
	year, month, day := d.Calendar()
	at := func(minute int) time.Time { return time.Date(year, month, day, 0, minute, 0, 0, o.zone) }
	start, end := at(8*60+15+5*r.IntN(16)), at(16*60+30+5*r.IntN(18))
	if early := o.until.Add(-2 * time.Hour).Truncate(time.Minute); start.After(early) {
		start = later(early, d.Start(o.zone))
	}
	noon := at(12*60 + 5*r.IntN(10))
	for start.Before(end) && start.Before(o.until) {
		length := min(max(10, 5*(minutes(r)/5)), 180)
		e := o.entry(r, user, start)
		e.Seconds = min(60*length, int64(o.until.Sub(start)/time.Second))
		if e.Seconds > 0 {
			made = append(made, e)
		}
		next := start.Add(time.Duration(e.Seconds)*time.Second + time.Duration(5*r.IntN(3))*time.Minute)
		if start.Before(noon) && !next.Before(noon) {
			next = next.Add(40 * time.Minute)
		}
		start = next
	}
	return made
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func (o *office) entry(r *rand.Rand, user int, start time.Time) timesheet.CompanyEntry {
	mine := o.projects[user]
	project := mine[r.IntN(len(mine))]
	e := timesheet.CompanyEntry{User: user, Project: project, Task: -1, Start: start, Description: describe(r)}
	if tasks := o.tasks[project]; r.Float64() < .9 {
		e.Task = tasks[r.IntN(len(tasks))]
	}
	if r.Float64() < .3 {
		e.Tags = []int{r.IntN(len(o.company.Tags))}
	}
	e.Billable = o.company.Projects[project].Billable && r.Float64() < .95
	return e
}
