package demo

import "headroom/timesheet"

// What an hour of the small company's is billed and costs where neither the
// project nor the person has a rate, in cents.
const smallRate, smallCost = 70_00, 35_00

// The rate of a project counts before a person's.
var smallProjectRates = map[int]int64{3: 60_00, 6: 120_00} // Support and Onboarding

func smallRates() []timesheet.CompanyRate {
	rates := []timesheet.CompanyRate{
		{Kind: timesheet.RateBill, User: -1, Project: -1, Minor: smallRate},
		{Kind: timesheet.RateCost, User: -1, Project: -1, Minor: smallCost},
	}
	for i, p := range smallPeople {
		if p.rate > 0 {
			rates = append(rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: i, Project: -1, Minor: p.rate})
		}
		if p.cost > 0 {
			rates = append(rates, timesheet.CompanyRate{Kind: timesheet.RateCost, User: i, Project: -1, Minor: p.cost})
		}
	}
	for i := range smallProjects {
		if rate, ok := smallProjectRates[i]; ok {
			rates = append(rates, timesheet.CompanyRate{Kind: timesheet.RateBill, User: -1, Project: i, Minor: rate})
		}
	}
	return rates
}

// giveBudgets gives the first project a budget in money of which some nine
// tenths are used, and Support 120 hours a month.
func giveBudgets(t *timesheet.Company) {
	var x3600 int64
	for e := range t.Entries {
		if e.Project == 0 && e.Billable {
			rate := int64(smallRate)
			if own := smallPeople[e.User].rate; own > 0 {
				rate = own
			}
			x3600 += e.Seconds * rate
		}
	}
	const step = 100_00 // whole hundreds
	minor := (x3600/3600*100/92/step + 1) * step
	t.Projects[0].Budget = &timesheet.Budget{Money: &timesheet.Money{Minor: minor, Currency: t.Currency}, Period: timesheet.BudgetTotal, Alerts: []int{80, 100}}
	t.Projects[3].Budget = &timesheet.Budget{Seconds: new(int64(120 * 3600)), Period: timesheet.BudgetMonthly, Alerts: []int{75, 100}}
}
