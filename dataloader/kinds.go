package dataloader

import "context"

// Loader looks things up by key.
type Loader[K comparable, V any] struct{ loader *loader[K, struct{}, V] }

func things[K comparable, V any](s *Set, name string, read func(context.Context, []K) (map[K]V, error)) Loader[K, V] {
	return Loader[K, V]{newLoader(&s.wave, name, func(ctx context.Context, _ struct{}, keys []K) (map[K]V, error) {
		return read(ctx, keys)
	})}
}

// Load returns the thing of a key; found is false where there is none that the
// viewer may see. It waits for the batch, but no longer than ctx.
func (l Loader[K, V]) Load(ctx context.Context, key K) (value V, found bool, err error) {
	return l.loader.load(ctx, key, struct{}{})
}

// LoadMany returns the things that were found of keys, in their order.
func (l Loader[K, V]) LoadMany(ctx context.Context, keys []K) ([]V, error) {
	return l.loader.loadMany(ctx, keys, struct{}{})
}

// prime makes things known by their keys.
func (l Loader[K, V]) prime(key func(V) K, values ...V) {
	l.loader.prime(len(values), struct{}{}, func(add func(K, V, bool)) {
		for _, value := range values {
			add(key(value), value, true)
		}
	})
}

// Expect announces keys that stand side by side in the answer and may be
// looked up: the first of them to be asked for fetches all.
func (l Loader[K, V]) Expect(keys []K) { l.loader.expect(keys) }

// Children looks up what belongs to a parent. Look-ups with equal arguments
// share a batch.
type Children[P, A comparable, V any] struct{ loader *loader[P, A, V] }

func children[P, A comparable, V any](s *Set, name string, read func(context.Context, A, []P) (map[P]V, error)) Children[P, A, V] {
	return Children[P, A, V]{newLoader(&s.wave, name, read)}
}

// Load returns what belongs to a parent. It waits for the batch, but no longer
// than ctx.
func (c Children[P, A, V]) Load(ctx context.Context, parent P, args A) (value V, found bool, err error) {
	return c.loader.load(ctx, parent, args)
}

func (c Children[P, A, V]) prime(args A, values map[P]V) {
	c.loader.prime(len(values), args, func(add func(P, V, bool)) {
		for parent, value := range values {
			add(parent, value, true)
		}
	})
}

func (c Children[P, A, V]) expect(parents []P) { c.loader.expect(parents) }
