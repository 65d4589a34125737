package main

import (
	"context"
	"fmt"

	"bench/lab"
)

// fill makes the databases of all sizes, and that of the writes.
func fill(ctx context.Context, pg *lab.Postgres, sizes []float64) error {
	for _, size := range sizes {
		if _, _, err := lab.Seeded(ctx, pg, nameOf(size), lab.ShapeOf(size)); err != nil {
			return err
		}
	}
	_, _, err := lab.Seeded(ctx, pg, writesName, lab.ShapeOf(writesSize))
	return err
}

func nameOf(size float64) string { return fmt.Sprintf("bench_%g", size) }

// The database of the writes has entries of its own.
const (
	writesName = "bench_writes"
	writesSize = 0.1
)
