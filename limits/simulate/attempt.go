package simulate

import (
	"time"

	"headroom/limits"
)

var deadlines = map[limits.Class]time.Duration{
	limits.Control: time.Second, limits.Interactive: 2 * time.Second,
	limits.Report: 15 * time.Second, limits.Background: time.Minute,
}

func (w *world) deadline(class limits.Class) time.Duration {
	if d, ok := w.Deadlines[class]; ok {
		return d
	}
	return deadlines[class]
}

// attempt sends a request to one of the servers.
func (w *world) attempt(op *operation) {
	op.tries++
	if op.visitor != nil {
		w.result.crowd[op.visitor.kind].attempts++
	}
	srv := w.servers[w.rng.IntN(len(w.servers))]
	for i := 0; srv.down && i < len(w.servers); i++ {
		srv = w.servers[(srv.index+1)%len(w.servers)]
	}
	if srv.down {
		w.again(op, time.Second)
		return
	}
	a := &attempt{op: op, server: srv.index, gate: srv.gate, arrived: w.now}
	a.timeout = w.after(w.deadline(op.source.Class), func() { w.giveUp(a) })
	srv.gate.arrive(a)
}

// start runs an attempt; gates call it.
func (w *world) start(a *attempt) {
	a.running, a.started = true, w.now
	n := max(1, a.op.source.Statements)
	a.job = job{
		size: a.op.size / float64(n), statements: n, lock: a.op.lock, write: a.op.source.Write,
		demoted: w.Demotable && w.policy.demote && a.op.source.Class >= limits.Report,
		done:    func() { w.succeed(a) },
	}
	w.db.run(&a.job)
}

func (w *world) succeed(a *attempt) {
	a.over, a.timeout.fn = true, nil
	a.gate.ended(a, true)
	w.result.answer(a, w.now)
	if v := a.op.visitor; v != nil {
		v.on(w, true)
	}
}

// giveUp ends an attempt whose client has waited long enough.
func (w *world) giveUp(a *attempt) {
	if a.over {
		return
	}
	a.over = true
	told := time.Duration(0)
	if a.running {
		w.db.cancel(&a.job)
		a.gate.ended(a, false)
	} else {
		told = a.gate.leave(a)
	}
	w.result.lose(a, timedOut)
	if v := a.op.visitor; v != nil {
		v.lost(w, a.op, told)
		return
	}
	w.again(a.op, w.between(100*time.Millisecond, 500*time.Millisecond))
}

// refuse answers an attempt with no, and when to come back if that is known;
// gates call it.
func (w *world) refuse(a *attempt, told time.Duration) {
	a.over, a.timeout.fn = true, nil
	w.result.lose(a, refused)
	if v := a.op.visitor; v != nil {
		v.lost(w, a.op, told)
		return
	}
	if told == 0 {
		told = w.between(1, 2) * (250 * time.Millisecond << min(a.op.tries, 6))
	}
	w.again(a.op, told)
}

// again tries an operation once more, if its client still wants it.
func (w *world) again(op *operation, in time.Duration) {
	most := op.source.Tries
	if most == 0 {
		most = 3
	}
	if most < 0 || op.tries < most {
		w.after(in, func() { w.attempt(op) })
	}
}

func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Float64()*float64(to-from))
}
