package server

import (
	"context"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"headroom/limits"
	"headroom/store"
)

// audit compares, for a sample of dear statements, the rows that prices expect with
// the rows that PostgreSQL's planner expects. They are two opinions from different
// statistics: where they are far apart, one of them is wrong, and either the price
// or the plan is in danger.
type audit struct {
	armed   atomic.Bool // the next dear operation keeps its statement
	samples chan sample
}

// sample is a statement that was run, with what its price expected.
type sample struct {
	statement string
	reads     int64
	kept      *store.Kept
}

const (
	auditEvery  = time.Minute
	auditPoints = 5 // from which an operation is dear
	auditRows   = 1000
	auditFactor = 4 // by which the two may differ
	auditWait   = 2 * time.Second
)

func newAudit() *audit { return &audit{samples: make(chan sample, 1)} }

// run explains at most one statement a minute, and only while nothing else runs.
func (s *Server) runAudit(ctx context.Context) {
	ticker := time.NewTicker(auditEvery)
	defer ticker.Stop()
	for {
		s.audit.armed.Store(true)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case found := <-s.audit.samples:
			if s.static.Idle() {
				s.explainSample(ctx, found)
			}
		default:
		}
	}
}

// keepSample has an operation keep its statement, if it is one to look at: a text
// that few rows match is read by rows that no planner counts.
func (s *Server) keepSample(r *request) (wanted string, reads int64) {
	f := dearestRoot(&r.price)
	if f == nil || f.Expected < auditPoints || f.Reads < auditRows || f.Statement == byEntriesText || f.Statement == byReportText {
		return "", 0
	}
	if !s.audit.armed.CompareAndSwap(true, false) {
		return "", 0
	}
	tag, _, _ := strings.Cut(f.Statement, ".")
	r.op.KeepStatement(tag)
	return f.Statement, f.Reads
}

// dearestRoot is the root field that costs the most.
func dearestRoot(p *limits.Price) (out *limits.FieldPrice) {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Root && (out == nil || f.Expected > out.Expected) {
			out = f
		}
	}
	return out
}

// offerSample hands over what an operation has kept, once it has ended. One that
// ran no such statement, because its answer was kept, leaves the place to the next.
func (s *Server) offerSample(r *request, statement string, reads int64) {
	if statement == "" {
		return
	}
	kept := r.op.Statement()
	if kept == nil {
		s.audit.armed.Store(true)
		return
	}
	select {
	case s.audit.samples <- sample{statement, reads, kept}:
	default:
	}
}

func (s *Server) explainSample(ctx context.Context, found sample) {
	ctx, cancel := context.WithTimeout(ctx, auditWait)
	defer cancel()
	planned, err := s.store.Plan(ctx, found.kept)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("explain a statement", "statement", found.statement, "error", err)
		}
		return
	}
	ratio := max(1, planned.Rows) / max(1, float64(found.reads))
	s.metrics.audited.WithLabelValues(found.statement).Observe(ratio)
	if math.Abs(math.Log(ratio)) > math.Log(auditFactor) {
		s.log.Warn("prices and the planner disagree about the rows of a statement: its counts, ANALYZE or its plan is off",
			"statement", found.statement, "priced", found.reads, "planned", int64(planned.Rows))
	}
}
