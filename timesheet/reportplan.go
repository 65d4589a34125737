package timesheet

import (
	"slices"
	"time"
)

// LongEntry bounds the entries of which a report that splits at midnight knows
// by their day where they end, so that it reads the rest's times alone.
const LongEntry = 12 * time.Hour

// ReportPlan says where a report is read from. The days are those of the
// workspace's calendar, and each is in one list at most, but for Long.
type ReportPlan struct {
	Months []Date // first days of months that kept sums answer
	Folded bool   // sums of projects suffice for them, nobody's person is asked for
	Whole  []Date // the entries' day alone says where they count
	Short  []Date // the same, but for those longer than LongEntry
	Mixed  []Date // where an entry counts depends on its times
	Long   []Date // of these, entries longer than LongEntry are read with their times
	Own    bool   // every entry counts whole on the day that it has, a running timer too

	// Steps say where an instant counts: under the label of the last step
	// that is not after it.
	Steps []ReportStep

	Period Period // of the report's calendar
	labels []ReportStep
	first  Date
}

// fewMonths are those whose sums of projects are read faster than planned for.
const fewMonths = 3

// OfFewSums tells whether sums of projects of few months are all that it reads.
func (p ReportPlan) OfFewSums() bool {
	return p.Folded && len(p.Months) <= fewMonths && len(p.Whole)+len(p.Short)+len(p.Mixed)+len(p.Long) == 0
}

// ReportStep is an instant from which time counts under a label: the first day
// of a day, week, month or year, 0 where the report has no key of time.
type ReportStep struct {
	At      time.Time
	Label   Date
	Outside bool // of the period
}

// Label is where the entries of a day in Months, Whole or Short count.
func (p ReportPlan) Label(day Date) Date { return p.labels[day-p.first].Label }

// Source is the coarsest source that takes part.
func (p ReportPlan) Source(in ReportInput) ReportSource {
	switch {
	case len(p.Months) > 0:
		return SourceRollup
	case in.NeedsRows() || len(p.Whole)+len(p.Short) == 0 && len(p.Mixed) > 0:
		return SourceRaw
	}
	return SourceIndex
}

// KeptSums are the sums of months that a report may be read from.
type KeptSums int

const (
	NoSums         KeptSums = iota // they are known to be wrong
	SumsOfPeople                   // each is of one person's work on one project
	SumsOfProjects                 // these, and those of whole projects: for who reads everybody
)

// margin is how many days before and after the period an entry of it can lie
// on in another calendar: a week that it lasts, and two that zones differ.
const margin = 9

// HomeDays are a workspace's days: the zone they are of, and those on which
// entries may stand that keep the day of another zone; nil where none does.
type HomeDays struct {
	Zone *time.Location
	Kept *Period
}

// PlanReport chooses the cheapest source for each day of a report in a zone. The
// sums tell which of months may be read. In the workspace's own zone an entry
// counts whole on the day that it has, also where it keeps that; anywhere else,
// and split, its times say where.
func PlanReport(in ReportInput, home HomeDays, zone *time.Location, weekStart time.Weekday, kept KeptSums) ReportPlan {
	p := ReportPlan{Period: in.Span()}
	p.first = p.Period.From - margin
	if p.Period.To < p.Period.From {
		return p
	}
	from, to := int64(p.first-3)*86400, int64(p.Period.To+margin+3)*86400
	fold, split := in.Fold(weekStart), in.DayAttribution == AttributeSplit
	p.Steps = p.steps(calendar(zone, from, to), fold)
	reach, far := time.Duration(0), time.Duration(0)
	if split {
		reach, far = LongEntry, MaxEntry
	}
	days := p.homeDays(calendar(home.Zone, from, to), reach, far)
	p.Own = !split && zone.String() == home.Zone.String()
	switch {
	case p.Own:
		p.skipNone(days, fold)
	case home.Kept != nil:
		p.keep(days, *home.Kept)
	}
	if kept != NoSums && in.summable() {
		p.takeMonths(days)
		p.Folded = len(p.Months) > 0 && kept == SumsOfProjects && len(in.Filter.Users) == 0 && !slices.Contains(in.GroupBy, GroupUser)
	}
	p.takeDays(days)
	return p
}

// Span is the period, within that of the filter; it may hold no day.
func (in ReportInput) Span() Period {
	p := in.Period
	if f := in.Filter.Period; f != nil {
		p = Period{max(p.From, f.From), min(p.To, f.To)}
	}
	return p
}

// summable tells whether sums of months by project, user and billable are all
// that the report needs.
func (in ReportInput) summable() bool {
	if in.NeedsRows() || len(in.Filter.Tasks) > 0 || in.RoundsEach() {
		return false
	}
	for _, key := range in.GroupBy {
		if key == GroupTask || key == GroupDay || key == GroupWeek {
			return false
		}
	}
	return true
}

// steps makes labels of a calendar's days.
func (p ReportPlan) steps(days []calendarStep, fold func(Date) Date) (steps []ReportStep) {
	for _, d := range days {
		s := p.step(d.day, fold)
		s.At = time.Unix(d.at, 0).UTC()
		if last := len(steps) - 1; last < 0 || steps[last].Label != s.Label || steps[last].Outside != s.Outside {
			steps = append(steps, s)
		}
	}
	return steps
}

// step says where a day of the report's calendar counts.
func (p ReportPlan) step(day Date, fold func(Date) Date) ReportStep {
	if day < p.Period.From || day > p.Period.To {
		return ReportStep{Outside: true}
	}
	return ReportStep{Label: fold(day)}
}

// homeDay is what is known of a day of the workspace's calendar.
type homeDay struct {
	seen       bool
	label      ReportStep
	near, far  bool // entries up to LongEntry, and of any length, count under the label alone
	wholeMonth bool
}

// homeDays looks at each day's instants, and at those that its entries reach.
func (p *ReportPlan) homeDays(days []calendarStep, reach, far time.Duration) []homeDay {
	found := make([]homeDay, p.Period.To+margin-p.first+1)
	step := 0
	for i, d := range days {
		if d.day < p.first || int(d.day-p.first) >= len(found) || i+1 == len(days) {
			continue
		}
		for step+1 < len(p.Steps) && p.Steps[step+1].At.Unix() <= d.at {
			step++
		}
		label := p.Steps[step]
		until := days[i+1].at
		h := &found[d.day-p.first]
		if !h.seen {
			*h = homeDay{seen: true, label: label, near: true, far: true}
		}
		same := h.label.Label == label.Label && h.label.Outside == label.Outside
		h.near = h.near && same && p.holds(step, until, reach)
		h.far = h.far && same && p.holds(step, until, far)
	}
	p.labels = make([]ReportStep, len(found))
	for i, h := range found {
		p.labels[i] = h.label
	}
	return found
}

// skipNone adds the days that the workspace's zone skipped: an entry that keeps
// the day of another zone may be on one.
func (p *ReportPlan) skipNone(days []homeDay, fold func(Date) Date) {
	for i := range days {
		if !days[i].seen {
			p.labels[i] = p.step(p.first+Date(i), fold)
			days[i] = homeDay{seen: true, label: p.labels[i], near: true, far: true}
		}
	}
}

// keep has days on which entries may keep that of another zone be read with
// their entries' times.
func (p *ReportPlan) keep(days []homeDay, kept Period) {
	for i := range days {
		if day := p.first + Date(i); kept.From <= day && day <= kept.To {
			days[i] = homeDay{seen: true}
		}
	}
}

// holds tells whether a step lasts for so long after an instant.
func (p ReportPlan) holds(step int, until int64, reach time.Duration) bool {
	return step+1 == len(p.Steps) || p.Steps[step+1].At.Unix() >= until+int64(reach/time.Second)
}

// takeMonths finds the months all of whose entries count under one label.
func (p *ReportPlan) takeMonths(days []homeDay) {
	end := p.first + Date(len(days))
	for month := p.first.Month(); month < end; month = (month + 31).Month() {
		next := (month + 31).Month()
		if month < p.first || next > end || !together(days[month-p.first:next-p.first]) {
			continue
		}
		p.Months = append(p.Months, month)
		for day := month; day < next; day++ {
			days[day-p.first].wholeMonth = true
		}
	}
}

func together(days []homeDay) bool {
	label, ok := Date(0), false
	for _, h := range days {
		switch {
		case !h.seen: // a day that its zone skipped
		case !h.far || h.label.Outside || ok && h.label.Label != label:
			return false
		default:
			label, ok = h.label.Label, true
		}
	}
	return ok
}

func (p *ReportPlan) takeDays(days []homeDay) {
	for i, h := range days {
		day := p.first + Date(i)
		switch {
		case !h.seen || h.wholeMonth || h.far && h.label.Outside:
		case h.far:
			p.Whole = append(p.Whole, day)
		case !h.near:
			p.Mixed = append(p.Mixed, day)
		default:
			if !h.label.Outside {
				p.Short = append(p.Short, day)
			}
			p.Long = append(p.Long, day)
		}
	}
}

// calendarStep is an instant from which it is a day, until the next step. Where
// clocks go back over midnight a day has several.
type calendarStep struct {
	at  int64
	day Date
}

// calendar is a zone's days between two instants.
func calendar(zone *time.Location, from, to int64) (steps []calendarStep) {
	for _, span := range Offsets(zone, time.Unix(from, 0), time.Unix(to, 0)) {
		offset, until := int64(span.Seconds), span.Until.Unix()
		for at := span.From.Unix(); at < until; {
			day := floorDay(at + offset)
			if n := len(steps); n == 0 || steps[n-1].day != day {
				steps = append(steps, calendarStep{at, day})
			}
			at = min(until, int64(day+1)*86400-offset)
		}
	}
	return steps
}

func floorDay(seconds int64) Date {
	day := seconds / 86400
	if seconds%86400 < 0 {
		day--
	}
	return Date(day)
}
