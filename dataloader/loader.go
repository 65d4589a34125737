package dataloader

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"

	"headroom/store"
)

// maxBatch is the largest batch, in keys; a further key begins another.
const maxBatch = 1000

// loader gathers look-ups of things of one kind by key. Look-ups with equal
// arguments share a batch. Everything in it is guarded by the wave's mutex.
type loader[K, A comparable, V any] struct {
	wave  *wave
	name  string
	fetch func(ctx context.Context, args A, keys []K) (map[K]V, error)

	calls  map[ask[K, A]]*call[K, V]
	open   map[A]*batch[K, V]
	levels [][]K
	sent   Count
}

// ask is what one look-up wants.
type ask[K, A comparable] struct {
	key  K
	args A
}

// call is a look-up on its way, or answered once its batch is done.
type call[K comparable, V any] struct {
	batch *batch[K, V] // nil: answered from the beginning
	value V
	found bool
}

// batch is a statement to be; calls[i] waits for keys[i]. What it uses is
// counted for its first asker.
type batch[K comparable, V any] struct {
	usage *store.Usage
	keys  []K
	calls []*call[K, V]
	done  chan struct{}
	err   error // read after done
}

// Count is what a loader has sent.
type Count struct {
	Loader        string
	Batches, Keys int
}

func newLoader[K, A comparable, V any](w *wave, name string, fetch func(context.Context, A, []K) (map[K]V, error)) *loader[K, A, V] {
	l := &loader[K, A, V]{
		wave: w, name: name, fetch: fetch, sent: Count{Loader: name},
		calls: map[ask[K, A]]*call[K, V]{}, open: map[A]*batch[K, V]{},
	}
	w.loaders = append(w.loaders, l)
	return l
}

func (l *loader[K, A, V]) load(ctx context.Context, key K, args A) (V, bool, error) {
	l.wave.mu.Lock()
	c := l.askLocked(ctx, ask[K, A]{key, args})
	l.wave.mu.Unlock()
	return l.wait(ctx, c)
}

// loadMany returns what was found of keys, in their order.
func (l *loader[K, A, V]) loadMany(ctx context.Context, keys []K, args A) ([]V, error) {
	calls := make([]*call[K, V], len(keys))
	l.wave.mu.Lock()
	for i, key := range keys {
		calls[i] = l.askLocked(ctx, ask[K, A]{key, args})
	}
	l.wave.mu.Unlock()
	values := make([]V, 0, len(keys))
	for _, c := range calls {
		value, found, err := l.wait(ctx, c)
		if err != nil {
			return nil, err
		}
		if found {
			values = append(values, value)
		}
	}
	return values, nil
}

func (l *loader[K, A, V]) wait(ctx context.Context, c *call[K, V]) (none V, found bool, err error) {
	if c.batch == nil {
		return c.value, c.found, nil
	}
	select {
	case <-c.batch.done:
	case <-ctx.Done():
		return none, false, context.Cause(ctx)
	}
	if c.batch.err != nil {
		return none, false, fmt.Errorf("load %s: %w", l.name, c.batch.err)
	}
	return c.value, c.found, nil
}

// expect announces keys that stand side by side and may be asked for.
func (l *loader[K, A, V]) expect(keys []K) {
	if len(keys) == 0 {
		return
	}
	l.wave.mu.Lock()
	defer l.wave.mu.Unlock()
	l.levels = append(l.levels, keys)
}

// prime makes known what was read elsewhere, n answers at most: add is given one for
// a key, or that nothing is found of it. What is known already stays.
func (l *loader[K, A, V]) prime(n int, args A, give func(add func(key K, value V, found bool))) {
	if n == 0 {
		return
	}
	l.wave.mu.Lock()
	defer l.wave.mu.Unlock()
	if len(l.calls) == 0 {
		l.calls = make(map[ask[K, A]]*call[K, V], n)
	}
	calls := make([]call[K, V], 0, n) // one place for all
	give(func(key K, value V, found bool) {
		if a := (ask[K, A]{key, args}); l.calls[a] == nil {
			calls = append(calls, call[K, V]{value: value, found: found})
			l.calls[a] = &calls[len(calls)-1]
		}
	})
}

// askLocked finds or begins a look-up. Where its level has been announced the
// whole level is asked for and sent, else the wave watches for silence.
func (l *loader[K, A, V]) askLocked(ctx context.Context, a ask[K, A]) *call[K, V] {
	l.wave.asked.Add(1)
	if c, ok := l.calls[a]; ok {
		return c
	}
	c := l.joinLocked(ctx, a)
	level := slices.IndexFunc(l.levels, func(keys []K) bool { return slices.Contains(keys, a.key) })
	if level < 0 {
		l.wave.watchLocked()
		return c
	}
	for _, key := range l.levels[level] {
		if sibling := (ask[K, A]{key, a.args}); l.calls[sibling] == nil {
			l.joinLocked(ctx, sibling)
		}
	}
	l.sendLocked(a.args)
	return c
}

// joinLocked adds a look-up to the open batch of its arguments.
func (l *loader[K, A, V]) joinLocked(ctx context.Context, a ask[K, A]) *call[K, V] {
	b := l.open[a.args]
	if b == nil {
		b = &batch[K, V]{usage: store.UsageFrom(ctx), done: make(chan struct{})}
		l.open[a.args] = b
	}
	c := &call[K, V]{batch: b}
	l.calls[a] = c
	b.keys, b.calls = append(b.keys, a.key), append(b.calls, c)
	if len(b.keys) == maxBatch {
		l.sendLocked(a.args)
	}
	return c
}

// sendLocked sends the open batch of the arguments, if there is one.
func (l *loader[K, A, V]) sendLocked(args A) {
	b := l.open[args]
	if b == nil {
		return
	}
	delete(l.open, args)
	l.sent.Batches++
	l.sent.Keys += len(b.keys)
	go l.run(l.wave.ctx, args, b)
}

func (l *loader[K, A, V]) sendAllLocked() {
	for args := range l.open {
		l.sendLocked(args)
	}
}

func (l *loader[K, A, V]) clearLocked() {
	clear(l.calls)
	l.levels = nil
}

func (l *loader[K, A, V]) sentLocked() Count { return l.sent }

// run answers a batch. Whatever happens to fetch, nobody waits for ever.
func (l *loader[K, A, V]) run(ctx context.Context, args A, b *batch[K, V]) {
	defer close(b.done)
	b.err = fmt.Errorf("the batch of %d keys ended without an answer", len(b.keys)) // it called Goexit
	defer func() {
		if p := recover(); p != nil {
			b.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	var found map[K]V
	if b.usage != nil {
		ctx = store.WithUsage(ctx, b.usage)
	}
	if found, b.err = l.fetch(ctx, args, b.keys); b.err != nil {
		return
	}
	for i, key := range b.keys {
		b.calls[i].value, b.calls[i].found = found[key]
	}
}
