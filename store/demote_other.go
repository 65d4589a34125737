//go:build !linux

package store

import (
	"context"
	"errors"
)

// demote makes a PostgreSQL backend of this machine yield the processor.
func demote(context.Context, int, string) error {
	return errors.New("only Linux can make single backends yield")
}
