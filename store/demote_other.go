//go:build !linux

package store

import "errors"

// demote makes a PostgreSQL backend of this machine yield the processor.
func demote(int, string) error {
	return errors.New("only Linux can make single backends yield")
}
