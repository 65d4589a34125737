package resolvers

import (
	"context"

	"headroom/dataloader"
)

// load follows a reference: nil where there is none and where whoever asks may
// not see it. What was deleted is still read, so that history keeps its names.
func load[K comparable, V any](ctx context.Context, l dataloader.Loader[K, V], key *K) (*V, error) {
	if key == nil {
		return nil, nil
	}
	v, found, err := l.Load(ctx, *key)
	if err != nil || !found {
		return nil, err
	}
	return &v, nil
}
