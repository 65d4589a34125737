package demo

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"headroom/timesheet"
)

// figures are what a set of companies is compared by.
type figures struct {
	sizes    []int     // entries of each company
	minutes  []float64 // of each entry, sorted
	perDay   map[int]int
	weekdays [7]float64
	hours    [24]float64
	multiple map[int64]float64 // share of entries whose minutes are a multiple
	billable float64
	overlaps float64 // share of neighbours of a person's day that overlap
}

func measure(c Config) figures {
	f := figures{perDay: map[int]int{}, multiple: map[int64]float64{}}
	neighbours := 0.0
	for company := range Companies(c) {
		zone := mustLoad(company.TimeZone)
		days := map[[2]int]int{}
		busy := map[int]time.Time{}
		n := 0
		for e := range company.Entries {
			n++
			local := e.Start.In(zone)
			f.minutes = append(f.minutes, float64(e.Seconds)/60)
			f.weekdays[local.Weekday()]++
			f.hours[local.Hour()]++
			for _, m := range []int64{5, 15, 30} {
				if e.Seconds%(60*m) == 0 {
					f.multiple[m]++
				}
			}
			if e.Billable {
				f.billable++
			}
			day := [2]int{e.User, int(timesheet.DayOf(e.Start, zone))}
			if days[day]++; days[day] > 1 {
				neighbours++
				if busy[e.User].After(e.Start) {
					f.overlaps++
				}
			}
			if end := e.Start.Add(time.Duration(e.Seconds) * time.Second); end.After(busy[e.User]) {
				busy[e.User] = end
			}
		}
		for _, k := range days {
			f.perDay[k]++
		}
		f.sizes = append(f.sizes, n)
	}
	f.overlaps /= neighbours
	slices.Sort(f.minutes)
	return f
}

func (f figures) quantile(p float64) float64 { return f.minutes[int(p*float64(len(f.minutes)))] }

// The generated entries against the published figures of the work logs they
// are fitted to. Each bound leaves room for what the fit itself misses.
func TestFit(t *testing.T) {
	f := measure(Config{Entries: 200_000, Tenants: 10, Seed: 1, Until: noon})
	all := float64(len(f.minutes))
	days := 0
	for _, n := range f.perDay {
		days += n
	}
	rows := []row{
		{"share of the largest company", float64(f.sizes[0]) / all, .467, .05},
		{"billable", f.billable / all, .70, .04},
		{"overlapping neighbours", f.overlaps, .32, .07},
		{"entries a person and day", all / float64(days), 2.25, .05},
	}
	for p, want := range map[float64]float64{.01: 1, .05: 4, .1: 6, .25: 15, .5: 42, .75: 120, .9: 311, .95: 540, .99: 1349} {
		rows = append(rows, row{fmt.Sprintf("minutes, quantile %v", p), f.quantile(p), want, .08*want + .5})
	}
	for m, want := range map[int64]float64{5: .336, 15: .144, 30: .090} {
		rows = append(rows, row{fmt.Sprintf("multiples of %d minutes", m), f.multiple[m] / all, want, .01})
	}
	for k, want := range map[int]float64{1: .468, 2: .242, 3: .128, 4: .069, 5: .036, 6: .021} {
		rows = append(rows, row{fmt.Sprintf("days of %d entries", k), float64(f.perDay[k]) / float64(days), want, .03})
	}
	for d, want := range []float64{.005, .206, .223, .208, .219, .137, .005} {
		rows = append(rows, row{fmt.Sprint(time.Weekday(d)), f.weekdays[d] / all, want, .01})
	}
	for h, want := range []float64{1.0, 1.2, 1.1, 1.7, 2.9, 3.2, 1.8, 1.4, 3.4, 5.7, 8.8, 10.4, 9.3, 8.8, 6.5, 7.3, 8.0, 6.1, 5.4, 3.5, 1.2, .3, .4, .5} {
		rows = append(rows, row{fmt.Sprintf("starts from %d:00", h), 100 * f.hours[h] / all, want, .5})
	}
	for _, r := range rows {
		r.check(t)
	}
}

type row struct {
	name             string
	got, want, bound float64
}

func (r row) check(t *testing.T) {
	t.Helper()
	if math.Abs(r.got-r.want) > r.bound {
		t.Errorf("%s: got %.3f, want %.3f within %.3f", r.name, r.got, r.want, r.bound)
	}
}

// A company as large as all teams of the work logs together, on as many
// projects.
func TestFitOfProjects(t *testing.T) {
	const entries = 250 * entriesAPerson
	for c := range Companies(Config{Entries: entries, Tenants: 1, Seed: 1, Until: noon}) {
		sizes := make([]int, len(c.Projects))
		for e := range c.Entries {
			sizes[e.Project]++
		}
		slices.SortFunc(sizes, func(a, b int) int { return b - a })
		for _, r := range []row{
			{"projects", float64(len(sizes)), 45, 5},
			{"share of the commonest", float64(sizes[0]) / entries, .227, .06},
			{"Zipf's exponent", slope(sizes), projectZipf, .2},
		} {
			r.check(t)
		}
	}
}

// slope is the exponent of the power law that fits sizes by rank best, over
// the ranks of the larger half.
func slope(sizes []int) float64 {
	var n, sx, sy, sxx, sxy float64
	for i, size := range sizes[:(len(sizes)+1)/2] {
		x, y := math.Log(float64(i+1)), math.Log(float64(size))
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return -(n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// How many people companies have follows the log-normal law, and is given to
// them in the order of their entries.
func TestFitOfPeople(t *testing.T) {
	var people []int
	for c := range Companies(Config{Entries: 4000, Tenants: 2000, Seed: 1, Until: noon}) {
		people = append(people, len(c.Users))
	}
	if !slices.IsSortedFunc(people, func(a, b int) int { return b - a }) {
		t.Error("companies of more entries have fewer people")
	}
	for p, z := range map[float64]float64{.05: 1.645, .25: .674, .5: 0, .75: -.674, .95: -1.645} {
		got, want := float64(people[int(p*2000)]), math.Exp(peopleMean+peopleSpread*z)
		if math.Abs(got-want) > .08*want+.5 {
			t.Errorf("people, the quantile of %v from above: got %v, want %.1f", p, got, want)
		}
	}
}
