package server

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"headroom/limits"
)

// The budgets by the names that headers and refusals give them.
const (
	policyPerson    = "cost"
	policyWorkspace = "workspace"
	policyRefused   = "refused" // pays for what is refused for its form, and for previews
)

// whose are the budgets in the words of a refusal.
var whose = map[string]string{
	policyPerson:    "your budget",
	policyWorkspace: "the workspace's budget",
	policyRefused:   "your budget for requests that are refused",
}

// policyOf names the budget of one of the account's buckets.
func (a account) policyOf(bucket limits.Account) string {
	switch bucket {
	case a.budgets[0]:
		return policyPerson
	case a.front:
		return policyRefused
	}
	return policyWorkspace
}

// budgetState is what a bucket holds at one moment.
type budgetState struct {
	policy string
	throttleStatus
}

// states appends what the account's buckets hold: that which has refused the request
// what it held then.
func (a account) states(all []budgetState) []budgetState {
	for _, bucket := range a.buckets {
		rate, available := bucket.Budget.Rate(), 0.0
		if a.short != nil && a.short.Of == bucket {
			available = a.short.Available
		} else {
			available = bucket.Budget.Available(bucket.Key)
		}
		all = append(all, budgetState{a.policyOf(bucket), throttleStatus{Maximum: rate.Size, Available: round(available), Restore: rate.Restore}})
	}
	return all
}

// throttle is the one state that matters to a client: that of the bucket which has
// refused them or has paid for their request, else of that with the least.
func (a account) throttle(all []budgetState) throttleStatus {
	least := all[0]
	for i, b := range all {
		switch {
		case a.short != nil && a.short.Of == a.buckets[i]:
			return b.throttleStatus
		case i >= len(a.budgets):
			if a.charged || b.Available < 0 { // then it refuses whatever comes
				least = b
			}
		case b.Available < least.Available:
			least = b
		}
	}
	return least.throttleStatus
}

// states are read once for an answer, so that its header and its body tell the same.
func (r *request) states() []budgetState {
	if r.standing == nil {
		r.standing = r.account.states(r.standingRoom[:0])
	}
	return r.standing
}

func (r *request) throttle() throttleStatus { return r.account.throttle(r.states()) }

// budgetHeaders tell of every budget that can refuse the client (RateLimit header
// fields of the IETF's draft, several policies).
func (r *request) budgetHeaders(h *headers) {
	var policies, left [160]byte
	p, l := policies[:0], left[:0]
	for i, b := range r.states() {
		if i > 0 {
			p, l = append(p, ", "...), append(l, ", "...)
		}
		p = strconv.AppendInt(append(append(append(p, '"'), b.policy...), `";q=`...), int64(math.Round(b.Maximum)), 10)
		p = strconv.AppendInt(append(p, ";w="...), int64(math.Ceil(b.Maximum/b.Restore)), 10)
		l = strconv.AppendInt(append(append(append(l, '"'), b.policy...), `";r=`...), int64(max(0, math.Floor(b.Available))), 10)
		l = strconv.AppendInt(append(l, ";t="...), int64(math.Ceil((b.Maximum-b.Available)/b.Restore)), 10)
	}
	h.set("Ratelimit-Policy", string(p))
	h.set("Ratelimit", string(l))
}

// throttled is the refusal of the budget that is short.
func (r *request) throttled() *fault {
	short, policy := r.account.short, r.account.policyOf(r.account.short.Of)
	message := fmt.Sprintf("%s is used up for the moment: of its %s points %g come back a second", whose[policy], text(short.Rate.Size), short.Rate.Restore)
	return refuse(codeThrottled, message).with("cost", round(short.Cost)).with("policy", policy).retry(short.RetryAfter)
}

// budgetOf is what the person who asks may still spend, for Viewer.budget.
func (s *Server) budgetOf(ctx context.Context) (available, size, restore float64) {
	a, ok := ctx.Value(accountKey{}).(account)
	if !ok {
		return 0, 0, 0
	}
	t := a.throttle(a.states(nil))
	return t.Available, t.Maximum, t.Restore
}
