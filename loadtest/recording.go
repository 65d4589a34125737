package loadtest

import (
	"bytes"
	"container/heap"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// recording writes what became of arrivals while others are still sent, so that a
// surge that is killed leaves what it has seen. Its files have vegeta's form: one
// result for each operation, in the order of dues, the time being the due time and the
// latency the response time. So a result waits until all that were due before it have
// ended. Each phase of each round is an attack of its own, whose Seq runs from 0
// without a gap, because plot silently drops what comes after a gap.
type recording struct {
	sent, dropped resultFile
}

// recordEvery is how often results are written.
const recordEvery = 200 * time.Millisecond

// record begins a recording in a folder, from which it takes the files of an older
// run: half a run beside another one's verdict would look like a pass.
func record(dir string) (*recording, error) {
	for _, name := range []string{runFile, reportFile, resultsFile, droppedFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("remove an older run: %w", err)
		}
	}
	return &recording{
		sent:    resultFile{path: filepath.Join(dir, resultsFile), seq: map[string]uint64{}},
		dropped: resultFile{path: filepath.Join(dir, droppedFile), seq: map[string]uint64{}},
	}, nil
}

// follow writes an attack's results as they come; finish writes the rest of them once
// the attack has ended.
func (r *recording) follow(a *attack, round int) (finish func()) {
	at, end, ended := &place{round: round}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(recordEvery)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				r.advance(a, at, true)
				return
			case <-ticker.C:
				r.advance(a, at, false)
			}
		}
	}()
	return func() { close(end); <-ended }
}

// place is how far an attack is written.
type place struct {
	round   int
	arrival int   // the next one whose first operation is not written
	begun   turns // the next operations of clients that have more than one
}

// turn is an operation that is to be written.
type turn struct {
	due    time.Duration
	row    uint32
	left   int // operations of its client after it
	stream uint16
}

// turns are a heap: on top lies what was due first.
type turns []turn

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].due < t[j].due }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(next any)     { *t = append(*t, next.(turn)) }
func (t *turns) Pop() any {
	last := len(*t) - 1
	next := (*t)[last]
	*t = (*t)[:last]
	return next
}

// first is what was due first of all that is not written; false if all is. Of a
// client's operations each is due when the last has ended, so that nothing can be
// due before what is known to be.
func (p *place) first(plan *plan) (turn, bool) {
	arrived := p.arrival < len(plan.arrivals)
	if len(p.begun) > 0 && (!arrived || p.begun[0].due <= plan.arrivals[p.arrival].due) {
		return p.begun[0], true
	}
	if !arrived {
		return turn{}, false
	}
	next := plan.arrivals[p.arrival]
	return turn{next.due, next.row, plan.streams[next.stream].rows() - 1, next.stream}, true
}

// pass goes beyond the first one, whose client's next operation is due then.
func (p *place) pass(plan *plan, next time.Duration) {
	now, _ := p.first(plan)
	if len(p.begun) > 0 && p.begun[0] == now {
		heap.Pop(&p.begun)
	} else {
		p.arrival++
	}
	if now.left > 0 {
		heap.Push(&p.begun, turn{next, now.row + 1, now.left - 1, now.stream})
	}
}

// advance writes the results from a place up to the first operation that has not
// ended, or all of an attack that is over.
func (r *recording) advance(a *attack, at *place, over bool) {
	for {
		now, some := at.first(a.plan)
		if !some || !over && !a.over.has(now.row) {
			break
		}
		stream, k := a.plan.streams[now.stream], &a.rows[now.row]
		s := sampleOf(k.row(), k, now.due, a.plan.phases[stream.phase], stream)
		r.put(a, s, attackName(a.plan.phases[stream.phase], at.round))
		at.pass(a.plan, max(s.due, s.end))
	}
	r.flush()
}

// attackName is a phase's in a round.
func attackName(s span, round int) string {
	if round == 0 {
		return s.Name
	}
	return fmt.Sprintf("%s-%d", s.Name, round+1)
}

func (r *recording) put(a *attack, s sample, name string) {
	switch s.outcome {
	case Unsent:
	case Dropped: // apart, because its 0 ms would flatter
		r.dropped.put(a, s, name)
	default:
		r.sent.put(a, s, name)
	}
}

func (r *recording) flush() {
	r.sent.flush()
	r.dropped.flush()
}

// close ends both files. One that could not be written whole keeps its first lines,
// less so much room for what is still to be stored.
func (r *recording) close(room int64) (failures []error) {
	for _, f := range []*resultFile{&r.sent, &r.dropped} {
		if err := f.close(room); err != nil {
			failures = append(failures, fmt.Errorf("%s is not whole: %w", filepath.Base(f.path), err))
		}
	}
	return failures
}

// resultFile is a file of vegeta's results; there is none before the first of them.
type resultFile struct {
	path   string
	file   *os.File
	lines  bytes.Buffer // whole ones, not written yet
	encode vegeta.Encoder
	seq    map[string]uint64
	err    error // the first; nothing is written after it
}

// chunk is from how many bytes on lines are written.
const chunk = 32 << 10

func (f *resultFile) put(a *attack, s sample, name string) {
	if f.err != nil {
		return
	}
	if f.encode == nil {
		f.encode = vegeta.NewCSVEncoder(&f.lines)
	}
	f.err = f.encode(a.result(s, name, f.seq[name]))
	f.seq[name]++
	if f.lines.Len() >= chunk {
		f.flush()
	}
}

func (f *resultFile) flush() {
	if f.err != nil || f.lines.Len() == 0 {
		return
	}
	if f.file == nil {
		if f.file, f.err = os.Create(f.path); f.err != nil {
			return
		}
	}
	_, f.err = f.file.Write(f.lines.Bytes())
	f.lines.Reset()
}

func (f *resultFile) close(room int64) error {
	if f.file == nil {
		return f.err
	}
	failed := f.err
	if failed != nil {
		failed = errors.Join(failed, shorten(f.file, room))
	}
	return errors.Join(failed, f.file.Close())
}

// result is a sample in vegeta's form; the operation stands in the fragment.
func (a *attack) result(s sample, name string, seq uint64) *vegeta.Result {
	r := &vegeta.Result{
		Attack: name, Seq: seq, Code: s.status, Timestamp: a.start.Add(s.due), Latency: s.response(),
		BytesIn: uint64(s.bytes), Method: "POST",
		URL: a.client.target.String() + "#op=" + a.deck.operations[s.op].Name,
	}
	if s.outcome != OK {
		r.Error = s.outcome.String()
	}
	return r
}
