package timesheet

import (
	"iter"
	"time"
)

// Company is a whole workspace to be loaded at once. Indexes point into the
// company's own slices; -1 means none.
type Company struct {
	Name      string
	TimeZone  string
	WeekStart time.Weekday
	Currency  string
	Users     []CompanyUser // the first is the owner
	Clients   []string
	Projects  []CompanyProject
	Tasks     []CompanyTask
	Rates     []CompanyRate
	Tags      []string
	Entries   iter.Seq[CompanyEntry]
}

// CompanyUser is a person of a company.
type CompanyUser struct {
	Name, Email string
	Role        Role
}

// CompanyProject is a project of a company.
type CompanyProject struct {
	Name     string
	Client   int // index, or -1
	Billable bool
	Members  []int // indexes of users
	Lead     int   // index of a user, or -1
	Budget   *Budget
}

// CompanyTask is a task of a company.
type CompanyTask struct {
	Project int // index
	Name    string
}

// CompanyRate is an hourly rate that always counts, for a person on a project,
// a project, a person or the whole company.
type CompanyRate struct {
	Kind    RateKind
	User    int   // index, or -1
	Project int   // index, or -1
	Minor   int64 // of the company's currency
}

// CompanyEntry is a finished entry of a company.
type CompanyEntry struct {
	User        int   // index
	Project     int   // index, or -1
	Task        int   // index, or -1
	Tags        []int // indexes
	Start       time.Time
	Seconds     int64
	Description string
	Billable    bool
}
