package demo

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/timesheet"
)

// Config says which companies [Companies] makes up.
type Config struct {
	Entries int       // of all companies together; each has one at least
	Tenants int       // how many companies; one at least
	Seed    uint64    // others make other companies, with other addresses
	Until   time.Time // no entry ends later
}

// Companies makes up companies whose entries are exactly c.Entries together,
// from the largest company to the smallest. Names and addresses are different
// in all companies of all seeds.
func Companies(c Config) iter.Seq[timesheet.Company] {
	return func(yield func(timesheet.Company) bool) {
		tenants := max(c.Tenants, 1)
		entries := apportion(max(c.Entries, tenants), zipf(tenants, tenantZipf))
		sizes := staff(c.Seed, entries)
		for i := range entries {
			if !yield(newCompany(c, i, entries[i], sizes[i])) {
				return
			}
		}
	}
}

// A person keeps some 450 entries a year. Companies with more entries than
// their people keep in five years get more people: nobody's reports go back
// for a century.
const entriesAPerson = 5 * 450

// staff draws how many people each company has, most for the largest.
func staff(seed uint64, entries []int) []int {
	r := rand.New(rand.NewPCG(seed, math.MaxUint64))
	people := make([]int, len(entries))
	for i := range people {
		people[i] = max(1, int(math.Round(lognormal(r, peopleMean, peopleSpread))))
	}
	slices.SortFunc(people, func(a, b int) int { return b - a })
	for i := range people {
		people[i] = max(people[i], entries[i]/entriesAPerson)
	}
	return people
}

func newCompany(c Config, i, entries, size int) timesheet.Company {
	r := rand.New(rand.NewPCG(c.Seed, uint64(i)))
	home := countries[r.IntN(len(countries))]
	title, domain := called(c.Seed, i)
	t := timesheet.Company{Name: title, TimeZone: home.zone, WeekStart: home.weekStart, Currency: home.currency}
	t.Users = people(r, size, home, domain)
	t.Clients = distinct(r, 2+size/10, clientNames)
	t.Tags = distinct(r, len(tagNames), tagNames)
	w := &work{zone: mustLoad(home.zone), until: c.Until.Truncate(time.Second), tags: count(len(t.Tags))}
	w.addProjects(r, &t)
	w.addWorkers(r, &t, home.scale)
	w.key = r.Uint64()
	t.Entries = w.entries(entries)
	return t
}

// called is the name and the domain of a seed's i-th company.
func called(seed uint64, i int) (name, domain string) {
	words, kinds := len(companyWords), len(companyKinds)
	name = companyWords[i%words] + " " + companyKinds[(i+i/words)%kinds] // every pair once
	if round := i / (words * kinds); round > 0 {
		name += " " + strconv.Itoa(round+1)
	}
	number := strconv.FormatUint(seed, 10)
	domain = strings.ToLower(strings.ReplaceAll(name, " ", "-")) + "-" + number + ".example"
	if seed != 1 {
		name += " (" + number + ")"
	}
	return name, domain
}

// mustLoad loads a zone of ours.
func mustLoad(zone string) *time.Location {
	loaded, err := timesheet.LoadZone(zone)
	if err != nil {
		panic(err)
	}
	return loaded
}

// count is 0, 1, 2, ... below n.
func count(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
