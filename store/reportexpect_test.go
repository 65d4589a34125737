package store_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/timesheet"
)

// expected is what the report must say: the totals of each row by its path of
// key|label, and of the whole by the empty path. It goes through the entries one
// by one, with the standard library's calendar and fractions.
func (w *world) expected(t testing.TB, v timesheet.Viewer, in timesheet.ReportInput, now time.Time) map[string]timesheet.Totals {
	t.Helper()
	weekStart := w.owner.Workspace.WeekStart
	if in.WeekStart != nil {
		weekStart = *in.WeekStart
	}
	name := w.homeZone()
	if in.TimeZone != nil {
		name = *in.TimeZone
	}
	there := zone(t, name)
	sums, levels := map[string]*oracleSum{"": {}}, []map[string]bool{{"": true}}
	for range in.GroupBy {
		levels = append(levels, map[string]bool{})
	}
	for _, f := range w.facts {
		if f.deleted || f.seconds < 0 && !in.IncludeRunning || !w.wanted(v, in, f) {
			continue
		}
		if f.seconds < 0 {
			f.seconds = max(0, int64(now.Sub(f.start)/time.Second))
		}
		here := there
		if f.dayZone != "" && name == w.homeZone() && in.DayAttribution != timesheet.AttributeSplit {
			here = zone(t, f.dayZone)
		}
		for _, part := range parts(f, in, here) {
			paths := []string{""}
			sums[""].add(part, in)
			for level, key := range in.GroupBy {
				var next []string
				for _, value := range w.values(key, f, part.day, weekStart) {
					for _, path := range paths {
						next = append(next, path+"/"+value)
					}
				}
				for _, path := range next {
					levels[level+1][path] = true
					if sums[path] == nil {
						sums[path] = &oracleSum{}
					}
					sums[path].add(part, in)
				}
				paths = next
			}
		}
	}
	if in.FillGaps {
		w.fillGaps(in, weekStart, sums, levels)
	}
	return settled(in, sums, levels)
}

// settled has each row be what the rows below it add up to, but for rows above
// tags.
func settled(in timesheet.ReportInput, sums map[string]*oracleSum, levels []map[string]bool) map[string]timesheet.Totals {
	totals := map[string]timesheet.Totals{}
	money := map[string]map[string]int64{}
	for level := len(in.GroupBy); level >= 0; level-- {
		for path := range levels[level] {
			sum := totals[path] // of what is below
			if level == len(in.GroupBy) || in.GroupBy[level] == timesheet.GroupTag {
				sum = sums[path].totals(in)
			} else {
				sum.Amounts = []timesheet.Money{}
				for _, currency := range slices.Sorted(maps.Keys(money[path])) {
					sum.Amounts = append(sum.Amounts, timesheet.Money{Minor: money[path][currency], Currency: currency})
				}
			}
			totals[path] = sum
			if level == 0 {
				continue
			}
			above := path[:strings.LastIndex(path, "/")]
			parent := totals[above]
			parent.ExactSeconds, parent.Seconds = parent.ExactSeconds+sum.ExactSeconds, parent.Seconds+sum.Seconds
			parent.BillableSeconds, parent.EntryCount = parent.BillableSeconds+sum.BillableSeconds, parent.EntryCount+sum.EntryCount
			totals[above] = parent
			for _, m := range sum.Amounts {
				if money[above] == nil {
					money[above] = map[string]int64{}
				}
				money[above][m.Currency] += m.Minor
			}
		}
	}
	return totals
}

// fillGaps adds the rows of time that no entry is in.
func (w *world) fillGaps(in timesheet.ReportInput, weekStart time.Weekday, sums map[string]*oracleSum, levels []map[string]bool) {
	var days []time.Time
	for d := in.Period.From; d <= in.Period.To; d++ {
		if p := in.Filter.Period; p == nil || p.From <= d && d <= p.To {
			days = append(days, time.Unix(int64(d)*86400, 0).UTC())
		}
	}
	var fill func(path string, level int, days []time.Time)
	fill = func(path string, level int, days []time.Time) {
		if level == len(in.GroupBy) {
			return
		}
		key := in.GroupBy[level]
		if !slices.Contains([]timesheet.GroupKey{timesheet.GroupDay, timesheet.GroupWeek, timesheet.GroupMonth, timesheet.GroupYear}, key) {
			for child := range levels[level+1] {
				if child[:strings.LastIndex(child, "/")] == path {
					fill(child, level+1, days)
				}
			}
			return
		}
		below := map[string][]time.Time{}
		for _, d := range days {
			value := w.values(key, fact{}, d, weekStart)[0]
			below[value] = append(below[value], d)
		}
		for value, some := range below {
			child := path + "/" + value
			levels[level+1][child] = true
			if sums[child] == nil {
				sums[child] = &oracleSum{}
			}
			fill(child, level+1, some)
		}
	}
	fill("", 0, days)
}

// oraclePart is what of an entry counts on one day.
type oraclePart struct {
	fact
	day     time.Time
	seconds int64
	begins  bool
}

func sameDay(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return x == y && a.YearDay() == b.YearDay() && a.Year() == b.Year()
}

// parts are the days of a period that an entry counts on: that of its start, or
// each that it touches. Days change at whole minutes, one of which is looked at
// after the other where a day ends or a clock is changed.
func parts(f fact, in timesheet.ReportInput, there *time.Location) (all []oraclePart) {
	within := func(day time.Time) bool {
		date := day.Format(time.DateOnly)
		inside := func(p timesheet.Period) bool { return p.From.String() <= date && date <= p.To.String() }
		return inside(in.Period) && (in.Filter.Period == nil || inside(*in.Filter.Period))
	}
	keep := func(p oraclePart) {
		if within(p.day) {
			all = append(all, p)
		}
	}
	start := f.start.In(there)
	if in.DayAttribution != timesheet.AttributeSplit {
		keep(oraclePart{f, start, f.seconds, true})
		return all
	}
	end := f.start.Add(time.Duration(f.seconds) * time.Second)
	part := oraclePart{f, start, 0, true}
	for at := f.start; at.Before(end); {
		next := at.Truncate(time.Minute).Add(time.Minute)
		if far := at.Truncate(time.Hour).Add(6 * time.Hour); sameDay(at.In(there), far.In(there)) {
			next = far
		}
		if next.After(end) {
			next = end
		}
		if here := at.In(there); here.YearDay() != part.day.YearDay() || here.Year() != part.day.Year() {
			keep(part)
			part = oraclePart{f, here, 0, false}
		}
		part.seconds += int64(next.Sub(at) / time.Second)
		at = next
	}
	keep(part)
	return all
}

func (w *world) wanted(v timesheet.Viewer, in timesheet.ReportInput, f fact) bool {
	among := func(n int, found bool) bool { return n == 0 || found }
	c := in.Filter
	return (v.Role != timesheet.RoleMember || v.User == f.user) &&
		among(len(c.Users), slices.Contains(c.Users, f.user)) &&
		among(len(c.Projects), slices.Contains(c.Projects, f.project)) &&
		among(len(c.Tasks), slices.Contains(c.Tasks, f.task)) &&
		among(len(c.Clients), slices.Contains(c.Clients, w.clientOf[f.project])) &&
		among(len(c.Tags), slices.ContainsFunc(f.tags, func(g timesheet.TagID) bool { return slices.Contains(c.Tags, g) })) &&
		(c.Billable == nil || *c.Billable == f.billable) &&
		strings.Contains(strings.ToLower(f.description), strings.ToLower(c.Text))
}

// values are the key|label of the rows of one key that a fact counts in.
func (w *world) values(key timesheet.GroupKey, f fact, day time.Time, weekStart time.Weekday) []string {
	thing := func(kind string, id int64) []string {
		if id == 0 {
			return []string{kind + ":none|(none)"}
		}
		row := kind + ":" + fmt.Sprint(id)
		return []string{row + "|" + w.names[row]}
	}
	date := func(kind, form string) []string {
		return []string{kind + ":" + day.Format(form) + "|" + day.Format(form)}
	}
	switch key {
	case timesheet.GroupUser:
		return thing("User", int64(f.user))
	case timesheet.GroupProject:
		return thing("Project", int64(f.project))
	case timesheet.GroupClient:
		return thing("Client", int64(w.clientOf[f.project]))
	case timesheet.GroupTask:
		return thing("Task", int64(f.task))
	case timesheet.GroupTag:
		if len(f.tags) == 0 {
			return thing("Tag", 0)
		}
		var all []string
		for _, tag := range f.tags {
			all = append(all, thing("Tag", int64(tag))...)
		}
		return all
	case timesheet.GroupBillable:
		return []string{map[bool]string{true: "Billable:true|billable", false: "Billable:false|not billable"}[f.billable]}
	case timesheet.GroupDay:
		return date("Day", "2006-01-02")
	case timesheet.GroupMonth:
		return date("Month", "2006-01")
	case timesheet.GroupYear:
		return date("Year", "2006")
	case timesheet.GroupWeek:
		day = time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, time.UTC) // a midnight may not exist there
		for day.Weekday() != weekStart {
			day = day.AddDate(0, 0, -1)
		}
		return date("Week", "2006-01-02")
	}
	return nil
}

// oracleSum adds facts up in fractions of the minor unit.
type oracleSum struct {
	exact, seconds, billable, entries int64
	money                             map[string]*big.Rat
	days                              map[string][2]int64 // seconds and billable ones
}

func (o *oracleSum) add(p oraclePart, in timesheet.ReportInput) {
	counts := p.seconds
	if in.Rounding != nil && in.Rounding.Scope == timesheet.RoundEntry {
		counts = rounded(counts, in.Rounding)
	}
	if p.begins {
		o.entries++
	}
	o.exact += p.seconds
	o.seconds += counts
	if o.money == nil {
		o.money, o.days = map[string]*big.Rat{}, map[string][2]int64{}
	}
	if o.money[p.currency] == nil {
		o.money[p.currency] = new(big.Rat)
	}
	if p.billable {
		o.billable += counts
		o.money[p.currency].Add(o.money[p.currency], big.NewRat(counts*p.rate, 3600))
	}
	if in.Rounding == nil || in.Rounding.Scope != timesheet.RoundDay {
		return
	}
	date := p.day.Format(time.DateOnly)
	day := o.days[date]
	day[0] += p.seconds
	if p.billable {
		day[1] += p.seconds
	}
	o.days[date] = day
}

// rounded rounds by looking at what is left over.
func rounded(seconds int64, r *timesheet.Rounding) int64 {
	step := int64(r.Minutes) * 60
	over := seconds % step
	up := r.Mode == timesheet.RoundUp && over > 0 || r.Mode == timesheet.RoundNearest && 2*over >= step
	if up {
		return seconds - over + step
	}
	return seconds - over
}

func (o *oracleSum) totals(in timesheet.ReportInput) timesheet.Totals {
	t := timesheet.Totals{ExactSeconds: o.exact, Seconds: o.seconds, BillableSeconds: o.billable, EntryCount: o.entries, Amounts: []timesheet.Money{}}
	if r := in.Rounding; r != nil && r.Scope == timesheet.RoundRow {
		t.Seconds, t.BillableSeconds = rounded(o.exact, r), rounded(o.billable, r)
	}
	if r := in.Rounding; r != nil && r.Scope == timesheet.RoundDay {
		t.Seconds, t.BillableSeconds = 0, 0
		for _, day := range o.days {
			t.Seconds, t.BillableSeconds = t.Seconds+rounded(day[0], r), t.BillableSeconds+rounded(day[1], r)
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(o.money)) {
		t.Amounts = append(t.Amounts, timesheet.Money{Minor: halfEven(o.money[currency]), Currency: currency})
	}
	return t
}

// halfEven rounds to the nearest whole number, and to the even one of two.
func halfEven(exact *big.Rat) int64 {
	below := new(big.Int).Div(exact.Num(), exact.Denom())
	rest := new(big.Rat).Sub(exact, new(big.Rat).SetInt(below))
	up := rest.Cmp(big.NewRat(1, 2))
	if up > 0 || up == 0 && below.Bit(0) == 1 {
		below.Add(below, big.NewInt(1))
	}
	return below.Int64()
}
