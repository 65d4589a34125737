package loadtest

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Audit sets what the server said of its own headroom beside what a search found.
type Audit struct {
	Rate  float64 `json:"rate"`  // arrivals a second at which the server was asked, about half of what it bears
	Live  float64 `json:"live"`  // its headroom_ratio, if this were its busiest minute
	Left  float64 `json:"left"`  // share of the machine that surge and other programs left to the server at the rate found; 1 if it is not known
	Found float64 `json:"found"` // how many times that rate it bears
}

// auditBound is how far the two may be apart.
const auditBound = 0.15

// auditAt is the share of the found rate at which the server is asked.
const auditAt = 0.5

// off is by how much the server promised more than it bears; negative: less. It knows
// nothing of what others take of its cores.
func (a *Audit) off() float64 { return a.Live*a.Left/a.Found - 1 }

func (a *Audit) holds() bool { return math.Abs(a.off()) <= auditBound }

// String tells the audit in one line.
func (a *Audit) String() string {
	verdict := fmt.Sprintf("within %s", percent(auditBound))
	if !a.holds() {
		verdict = "not " + verdict
	}
	live := fmt.Sprintf("%.2f", a.Live)
	if a.Left < 1 {
		live += fmt.Sprintf(", %.2f of the %s of the machine that others left it", a.Live*a.Left, percent(a.Left))
	}
	return fmt.Sprintf("audit: at %.0f/s headroom_ratio is %s, found %.2f: %+.1f %%, %s", a.Rate, live, a.Found, 100*a.off(), verdict)
}

// audit asks the server for its headroom at half of the rate found, for as long as a
// result is confirmed.
func (c *climb) audit(points []Point) (*Audit, error) {
	found := bearable(points)
	if found == 0 {
		return nil, nil // nothing to set it beside
	}
	c.say("auditing headroom_ratio at half of %.0f/s", found)
	step, err := c.measure(auditAt*found, confirming)
	if err != nil {
		return nil, err
	}
	c.steps = append(c.steps, step)
	switch {
	case len(step.Invalid) > 0:
		return nil, stopf(ExitInvalid, "the audit at %.0f/s proves nothing: %s", step.Rate, step.Invalid[0])
	case step.Headroom == 0:
		return nil, stopf(ExitInvalid, "the operators' address tells no headroom_database_cores and headroom_load_seconds_total: there is nothing to audit")
	}
	return &Audit{Rate: step.Rate, Live: step.Headroom, Left: c.left(found), Found: found / step.Rate}, nil
}

// left is the share of the machine that others left to the server at a rate.
func (c *climb) left(rate float64) float64 {
	for _, step := range slices.Backward(c.steps) {
		if step.Rate == rate && step.CPU != nil && step.CPU.Seen {
			return 1 - step.CPU.Client - step.CPU.Strangers
		}
	}
	return 1
}

// bearable is the greatest rate at which people who wait at a screen were served as
// promised, else that at which everybody was.
func bearable(points []Point) float64 {
	rate := 0.0
	for _, p := range points {
		if p.Name == pointInteractive || p.Name == pointAll {
			rate = max(rate, p.Rate)
		}
	}
	return rate
}

// The counters that headroom_ratio is made of.
const (
	counterLoad = "headroom_load_seconds_total"
	gaugeCores  = "headroom_database_cores"
)

// headroomBetween is what headroom_ratio is if a busiest minute goes on like the time
// between two readings; 0 if the server does not tell.
func headroomBetween(from, to Reading) float64 {
	work := to.Counters[counterLoad] - from.Counters[counterLoad]
	seconds := time.Duration(to.At - from.At).Seconds()
	if work <= 0 || seconds <= 0 {
		return 0
	}
	return to.Counters[gaugeCores] * seconds / work
}
