package server

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"headroom/limits"
)

// pathCost is where operations are priced and not run.
const pathCost = "/graphql/cost"

// decisionPriced is what the log and the metrics say of a preview.
const decisionPriced = "priced"

// verdictAccepted is the verdict of a preview where /graphql would run the
// operation now, load aside; otherwise it is the code of the refusal.
const verdictAccepted = "ACCEPTED"

// preview is the answer of /graphql/cost.
type preview struct {
	Verdict     verdict             `json:"verdict"`
	Cost        quotation           `json:"cost"`
	Allows      *allowance          `json:"allows,omitempty"`
	Suggestions []limits.Suggestion `json:"suggestions,omitempty"`
}

type verdict struct {
	Code         string      `json:"code"`
	Message      string      `json:"message,omitempty"`
	Unit         limits.Unit `json:"unit,omitempty"` // of the cap and of the suggestions
	RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
	Policy       string      `json:"policy,omitempty"` // of the budget that is used up
}

// quotation is a price in the form of extensions.cost, with its bound.
type quotation struct {
	Requested float64        `json:"requestedQueryCost"`
	Bound     float64        `json:"boundQueryCost"`
	Limit     float64        `json:"limit"`
	Basis     limits.Basis   `json:"basis"`
	Table     int            `json:"priceTable"` // its version
	Class     string         `json:"class"`
	Throttle  throttleStatus `json:"throttleStatus"`
	Rows      estimatedCount `json:"rows"`
	Nodes     estimatedCount `json:"nodes"`
	Reads     estimatedCount `json:"rowsRead,omitzero"` // zero where no statistics tell
	Fields    []fieldCost    `json:"fields"`
}

type estimatedCount struct {
	Estimated int64 `json:"estimated"`
	Limit     int64 `json:"limit,omitempty"`
}

// allowance is how often the budgets of person and workspace pay the quote.
type allowance struct {
	Now       int64 `json:"now"`
	PerMinute int64 `json:"perMinute"`
}

// cost is the handler of /graphql/cost: the same body and the same checks and
// rights as /graphql, but nothing is run. What has no price is refused as there.
func (s *Server) cost(w http.ResponseWriter, hr *http.Request) {
	r := &request{Request: hr, arrived: time.Now(), id: requestID(hr), media: mediaJSON, client: clientName(hr)}
	_, f := s.protect(r, s.priceOnly)
	if f != nil {
		s.chargeRefusal(r, f)
		s.finish(r, s.write(w, r, nil, f), f.code)
		return
	}
	r.media = mediaJSON // a price is no answer of GraphQL's
	answer := s.preview(r)
	answer.Cost.Throttle = r.throttle()
	status := s.send(w, r, nil, func() ([]byte, error) { return json.Marshal(answer) })
	s.finish(r, status, decisionPriced)
}

// priceOnly prices the operation and charges the time that took, so that
// previews pay for the processor as refusals do.
func (s *Server) priceOnly(ctx context.Context, r *request) (*graphql.Response, *fault) {
	if r.Method != http.MethodPost {
		return nil, refuse(codeMethod, "prices are asked for by POST")
	}
	opCtx, f := s.understand(ctx, r)
	if f != nil {
		return nil, f
	}
	began := time.Now()
	r.wrong = s.rehearse(ctx, r, opCtx)
	s.charge(r, millis(r.timings.decode+r.timings.parse+r.timings.validate+r.timings.coerce+r.timings.price+time.Since(began)))
	return nil, nil
}

// preview judges as /graphql would, and reserves nothing.
func (s *Server) preview(r *request) preview {
	p := preview{
		Verdict: verdict{Code: verdictAccepted},
		Cost: quotation{
			Requested: round(r.price.Expected), Bound: round(r.price.Bound), Limit: s.caps.Points,
			Basis: r.price.Basis, Table: s.prices.list.Load().table.Version, Class: r.class.String(),
			Rows: estimatedCount{Estimated: r.price.Rows}, Nodes: estimatedCount{Estimated: r.price.Nodes, Limit: s.caps.Nodes},
			Fields: shares(r.price),
		},
	}
	if r.price.Reads > 0 {
		p.Cost.Reads = estimatedCount{Estimated: r.price.Reads, Limit: s.caps.Reads}
	}
	if split, mixed := limits.SuggestSplit(r.price); mixed {
		p.Suggestions = []limits.Suggestion{split}
	}
	if s.mode.Mode != Off {
		p.Allows = allows(r)
	}
	enforced := s.mode.of(RuleBudgets) == Enforce
	if over := r.over; over != nil {
		p.Suggestions = over.Suggestions
	}
	if debt := r.account.debt(); debt != nil && enforced { // what the preview took is in it
		p.Verdict = r.throttledVerdict(debt)
		return p
	}
	if over := r.over; over != nil && s.mode.of(RuleCaps) != Measure {
		p.Verdict = verdict{Code: codeTooExpensive, Message: over.Error(), Unit: over.Unit}
		return p
	}
	if short := limits.Short(r.price.Expected, r.account.budgets...); short != nil && enforced && r.class != limits.Control {
		p.Verdict = r.throttledVerdict(short)
		return p
	}
	if len(r.wrong) > 0 {
		p.Verdict, p.Suggestions = s.refusedInput(r)
	}
	return p
}

func (r *request) throttledVerdict(short *limits.Shortage) verdict {
	r.account.short = short
	f := r.throttled()
	return verdict{Code: f.code, Message: f.message, RetryAfterMs: f.retryAfter.Milliseconds(), Policy: r.account.policyOf(short.Of)}
}

// allows is nil for what costs nothing.
func allows(r *request) *allowance {
	if r.price.Expected <= 0 {
		return nil
	}
	a := allowance{math.MaxInt32, math.MaxInt32}
	for _, own := range r.account.budgets {
		a.Now = min(a.Now, int64(max(0, own.Budget.Available(own.Key))/r.price.Expected))
		rate := own.Budget.Rate()
		if rate.Size < r.price.Expected {
			a.PerMinute = 0 // it is never paid
		}
		a.PerMinute = min(a.PerMinute, int64(60*rate.Restore/r.price.Expected))
	}
	return &a
}
