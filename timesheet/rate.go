package timesheet

import "slices"

// RateKind is what an hourly rate says: what an hour is billed, or what it
// costs.
type RateKind string

// Cost rates are for owners, admins and managers alone.
const (
	RateBill RateKind = "BILL"
	RateCost RateKind = "COST"
)

// RateScope is whose work a rate is for.
type RateScope string

// A task, a person on a project, a project, a person, or everybody.
const (
	ScopeTask          RateScope = "TASK"
	ScopeProjectMember RateScope = "PROJECT_MEMBER"
	ScopeProject       RateScope = "PROJECT"
	ScopeMember        RateScope = "MEMBER"
	ScopeWorkspace     RateScope = "WORKSPACE"
)

// RateOrder is the order in which scopes are asked unless a project has its
// own: the first that has a rate on the day wins.
var RateOrder = []RateScope{ScopeTask, ScopeProjectMember, ScopeProject, ScopeMember, ScopeWorkspace}

// CheckRateOrder refuses an order that leaves a scope out or names one twice.
func CheckRateOrder(field string, order []RateScope) error {
	given := slices.Sorted(slices.Values(order))
	if slices.Equal(given, slices.Sorted(slices.Values(RateOrder))) {
		return nil
	}
	return Errorf(CodeInvalid, field, "an order names each of the five scopes once, the one that wins first")
}

// MaxRate is the highest hourly rate, in minor units.
const MaxRate = 1_000_000_000

// RateApply says which entries that are there already get a new rate.
type RateApply string

// None; those from a day on; or all that are not invoiced. Entries in closed
// books and invoiced ones always keep theirs.
const (
	ApplyFuture     RateApply = "FUTURE"
	ApplyAllFrom    RateApply = "ALL_FROM"
	ApplyUninvoiced RateApply = "UNINVOICED"
)

// Rate is an hourly rate from a day on, until the next one of the same kind
// for the same work.
type Rate struct {
	ID       int64
	Kind     RateKind
	Scope    RateScope
	User     *UserID
	Project  *ProjectID
	Task     *TaskID
	From     *Date  // nil: always
	Minor    *int64 // nil: the next scope's
	Currency string
}

// Amount is what an hour is billed or costs; nil where the next scope's counts.
func (r Rate) Amount() *Money {
	if r.Minor == nil {
		return nil
	}
	return &Money{*r.Minor, r.Currency}
}

// RateInput sets a rate.
type RateInput struct {
	Kind         RateKind
	User         *UserID
	Project      *ProjectID
	Task         *TaskID // alone
	From         *Date
	Minor        *int64
	Currency     *string // nil: the workspace's
	Apply        RateApply
	ApplyFrom    *Date // for ApplyAllFrom
	ApplyThrough *Date // for ApplyAllFrom; nil: all that follow
}

// RateSet is what setting a rate has done.
type RateSet struct {
	Rate     Rate
	Repriced int64 // entries
}

// RateFilter narrows a list of rates. Nil fields do not narrow.
type RateFilter struct {
	Kind    *RateKind
	User    *UserID
	Project *ProjectID
	Task    *TaskID
}

// Check refuses a rate that makes no sense, whoever sets it.
func (in RateInput) Check(w Workspace) error {
	currency := w.Currency
	if in.Currency != nil {
		currency = *in.Currency
	}
	if err := CheckCurrency("currency", currency); err != nil {
		return err
	}
	switch {
	case in.Task != nil && (in.Project != nil || in.User != nil):
		return Errorf(CodeInvalid, "taskId", "a task's rate is for everybody and on its project: leave projectId and userId out")
	case in.Kind == RateCost && currency != w.Currency:
		return Errorf(CodeInvalid, "currency", "costs are in the workspace's currency, %s", w.Currency)
	case in.Minor != nil && (*in.Minor < 0 || *in.Minor > MaxRate):
		return Errorf(CodeOutOfRange, "minor", "a rate is between 0 and %s an hour", Money{MaxRate, currency})
	case in.Apply == ApplyAllFrom && in.ApplyFrom == nil:
		return Errorf(CodeInvalid, "applyFrom", "ALL_FROM needs the first day whose entries get the rate")
	case in.Apply != ApplyAllFrom && in.ApplyFrom != nil:
		return Errorf(CodeInvalid, "applyFrom", "only ALL_FROM takes a day")
	case in.Apply != ApplyAllFrom && in.ApplyThrough != nil:
		return Errorf(CodeInvalid, "applyThrough", "only ALL_FROM takes a day")
	case in.ApplyThrough != nil && *in.ApplyThrough < *in.ApplyFrom:
		return Errorf(CodeInvalid, "applyThrough", "the days end on %s, before they begin on %s", *in.ApplyThrough, *in.ApplyFrom)
	}
	for field, day := range map[string]*Date{"effectiveFrom": in.From, "applyFrom": in.ApplyFrom, "applyThrough": in.ApplyThrough} {
		if day != nil && (*day < NewDate(1970, 1, 1)-1 || *day >= NewDate(2200, 1, 1)) {
			return Errorf(CodeOutOfRange, field, "a day is between 1970 and 2199")
		}
	}
	return nil
}
