package loadtest

import (
	"math"
	"time"
)

// kept is a row as it is remembered: by as few bytes as will do, since there are
// millions.
type kept struct {
	sent, end offset
	served    uint32
	queued    uint32
	bytes     uint32
	told      uint32
	status    uint16
	op        uint16
	outcome   Outcome
	kind      uint8
	attempts  uint8
	remark    remark
}

// An offset is a time since a run's start in steps of instant, rounded up, so that
// what comes after another does so here too. Two hours and more fit in.
type offset uint32

const instant = 2 * time.Microsecond

func offsetOf(d time.Duration) offset {
	return offset(min(max(0, (d+instant-1)/instant), math.MaxUint32))
}

func (t offset) since() time.Duration { return time.Duration(t) * instant }

func packed(r row) kept {
	return kept{
		sent: offsetOf(r.sent), end: offsetOf(r.end), served: r.served, queued: r.queued, bytes: r.bytes, told: r.told,
		status: r.status, op: r.op, outcome: r.outcome, kind: r.kind, attempts: r.attempts, remark: r.remark,
	}
}

func (k *kept) row() row {
	return row{
		sent: k.sent.since(), end: k.end.since(), served: k.served, queued: k.queued, bytes: k.bytes, told: k.told,
		status: k.status, op: k.op, outcome: k.outcome, kind: k.kind, attempts: k.attempts, remark: k.remark,
	}
}
