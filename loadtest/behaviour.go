package loadtest

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// A Behaviour is what a kind of client does after an answer that was not right.
type Behaviour struct {
	Name     string
	Attempts int                                                                    // at most, the first included
	again    func(a answer, o Outcome, n int, rng *rand.Rand) (time.Duration, bool) // when to send attempt n+1, if at all
}

// The behaviours of real clients, by the names that scenarios use.
var behaviours = []*Behaviour{
	// An app without a retry of its own: the person sees an error.
	{Name: "no-retry", Attempts: 1, again: func(answer, Outcome, int, *rand.Rand) (time.Duration, bool) { return 0, false }},

	// Apollo Client 3 with a RetryLink as it comes: five attempts after network
	// errors and statuses that are no success, each pause twice the one before
	// from 300 ms, times a random share. It reads no hints.
	{Name: "retrylink", Attempts: 5, again: func(a answer, o Outcome, n int, rng *rand.Rand) (time.Duration, bool) {
		pause := 300 * time.Millisecond << (n - 1)
		return time.Duration(rng.Float64() * float64(pause)), o == Connection || a.status >= 300
	}},

	// Our own snippets: they come back when the server says, and not otherwise.
	{Name: "heeding", Attempts: 60, again: func(a answer, o Outcome, _ int, _ *rand.Rand) (time.Duration, bool) {
		if o != Shed && o != Throttled {
			return 0, false
		}
		return hint(a)
	}},

	// A client with a bug: every second again, whatever was said.
	{Name: "deaf", Attempts: 30, again: func(answer, Outcome, int, *rand.Rand) (time.Duration, bool) { return time.Second, true }},
}

// behaviourNamed finds a behaviour; nil if there is none.
func behaviourNamed(name string) *Behaviour {
	for _, b := range behaviours {
		if b.Name == name {
			return b
		}
	}
	return nil
}

// hint is when a refusal asks to come back.
func hint(a answer) (time.Duration, bool) {
	var r reply
	if json.Unmarshal(a.body, &r) != nil {
		r.Errors = nil // the header may still say it
	}
	return r.hint(a.header)
}

// hint is when an answer asks to come back: to the millisecond where it says so, else
// by Retry-After.
func (r *reply) hint(header http.Header) (time.Duration, bool) {
	if len(r.Errors) > 0 && r.Errors[0].Extensions.RetryAfterMs != nil {
		return time.Duration(max(0, *r.Errors[0].Extensions.RetryAfterMs)) * time.Millisecond, true
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	date, err := time.Parse(http.TimeFormat, value)
	return max(0, time.Until(date)), err == nil
}

// A Share is one kind of client with its part of a population.
type Share struct {
	Behaviour *Behaviour
	Weight    int
}

// pickBehaviour draws a kind of client; without shares nobody tries again.
func pickBehaviour(shares []Share, rng *rand.Rand) *Behaviour {
	sum := 0
	for _, s := range shares {
		sum += s.Weight
	}
	if sum == 0 {
		return behaviours[0]
	}
	at := rng.IntN(sum)
	for _, s := range shares {
		if at -= s.Weight; at < 0 {
			return s.Behaviour
		}
	}
	panic("loadtest: the shares of clients do not add up")
}
