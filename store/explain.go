package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// Kept is a statement that an operation has run, to be explained later.
type Kept struct {
	tag  string // of the statement that is to be kept
	sql  string
	args []any
}

// KeepStatement has the operation keep the statement with this tag that it runs,
// with its arguments. It is called before the first statement.
func (op *Operation) KeepStatement(tag string) { op.keeps.Store(&Kept{tag: tag}) }

// Statement is what KeepStatement has kept, nil where no such statement was run.
// It is asked for once the operation's statements have ended.
func (op *Operation) Statement() *Kept {
	if k := op.keeps.Load(); k != nil && k.sql != "" {
		return k
	}
	return nil
}

func (op *Operation) keepStatement(start pgx.TraceQueryStartData) {
	k := op.keeps.Load()
	if k == nil || k.sql != "" || !strings.HasPrefix(start.SQL, "/* "+k.tag+" */") {
		return
	}
	kept := &Kept{tag: k.tag, sql: start.SQL}
	for _, arg := range start.Args {
		if _, mode := arg.(pgx.QueryExecMode); !mode {
			kept.args = append(kept.args, arg)
		}
	}
	op.keeps.CompareAndSwap(k, kept)
}

// explained is the part of a plan that is looked at.
type explained struct {
	Type     string      `json:"Node Type"`
	Relation string      `json:"Relation Name"`
	Rows     float64     `json:"Plan Rows"`
	Cost     float64     `json:"Total Cost"`
	Plans    []explained `json:"Plans"`
}

// Planned is what the planner expects of a statement.
type Planned struct {
	Rows float64 // read from tables
	Cost float64 // in all, in the planner's units
}

// Plan asks the planner about a statement that was run. It is planned and not run.
func (s *Store) Plan(ctx context.Context, k *Kept) (Planned, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	text, _, err := one(ctx, s, pgx.RowTo[[]byte], "EXPLAIN (FORMAT JSON) "+k.sql, append([]any{pgx.QueryExecModeDescribeExec}, k.args...)...)
	if err != nil {
		return Planned{}, fmt.Errorf("explain %s: %w", k.tag, err)
	}
	var plans []struct{ Plan explained }
	if err := json.Unmarshal(text, &plans); err != nil || len(plans) != 1 {
		return Planned{}, fmt.Errorf("read the plan of %s: %w", k.tag, err)
	}
	return Planned{Rows: plans[0].Plan.reads(1), Cost: plans[0].Plan.Cost}, nil
}

// reads adds up the rows of all scans of tables. What stands on the inner side of
// a nested loop runs once for each row of the outer side.
func (p *explained) reads(runs float64) float64 {
	if p.Relation != "" {
		return runs * p.Rows
	}
	sum, inner := 0.0, runs
	for i := range p.Plans {
		sum += p.Plans[i].reads(inner)
		if p.Type == "Nested Loop" {
			inner = runs * p.Plans[i].Rows
		}
	}
	return sum
}
