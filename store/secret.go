package store

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const storeSecret = `/* storeSecret */
INSERT INTO secret (key)
VALUES ($1)
ON CONFLICT ON CONSTRAINT secret_pk DO NOTHING`

const readSecret = `/* readSecret */
SELECT key
FROM secret`

// Secret is the server's key of 32 bytes, from which the keys of tokens and
// signed links are derived. It is made by whoever asks first and kept in the
// database, so that all replicas have the same.
func (s *Store) Secret(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails
	if _, err := s.exec(ctx, storeSecret, fresh); err != nil {
		return nil, fmt.Errorf("make the secret: %w", err)
	}
	key, _, err := one(ctx, s, pgx.RowTo[[]byte], readSecret)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	return key, nil
}
