package simulate

import "time"

// engine is a clock and what happens on it, in order.
type engine struct {
	now    time.Duration
	count  uint64
	events []*event // a heap by time, then by order of making
}

// event is something that happens once; without fn it does not.
type event struct {
	at    time.Duration
	order uint64
	fn    func()
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

// after makes fn happen once d has passed.
func (e *engine) after(d time.Duration, fn func()) *event {
	e.count++
	ev := &event{at: e.now + max(0, d), order: e.count, fn: fn}
	e.events = append(e.events, ev)
	for i := len(e.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !e.events[i].before(e.events[parent]) {
			break
		}
		e.events[i], e.events[parent] = e.events[parent], e.events[i]
		i = parent
	}
	return ev
}

// pop takes out the next event.
func (e *engine) pop() *event {
	top, last := e.events[0], len(e.events)-1
	e.events[0] = e.events[last]
	e.events[last] = nil
	e.events = e.events[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if e.events[child].before(e.events[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		e.events[i], e.events[least] = e.events[least], e.events[i]
		i = least
	}
}
