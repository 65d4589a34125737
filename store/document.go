package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// StoredDocument is a document that clients send by its hash.
type StoredDocument struct {
	Hash string // SHA-256 in hexadecimal
	Text string
	Uses int64 // since it was last saved
}

const (
	saveDocuments = `/* saveDocuments */
INSERT INTO document AS d (hash, body, uses)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS t (hash, body, uses)
ORDER BY t.hash
ON CONFLICT ON CONSTRAINT document_pk DO UPDATE SET uses = d.uses + excluded.uses, used_at = now()`

	readDocuments = `/* readDocuments */
SELECT d.hash, d.body, d.uses
FROM document d
ORDER BY d.uses DESC
LIMIT $1`

	forgetDocuments = `/* forgetDocuments */
DELETE FROM document
WHERE used_at < now() - interval '30 days'`
)

// SaveDocuments adds to the uses of documents, new ones too, and forgets those
// that nobody has sent for 30 days. Servers that save at once add up.
func (s *Store) SaveDocuments(ctx context.Context, documents []StoredDocument) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	var hashes, bodies []string
	var uses []int64
	for _, d := range documents {
		hashes, bodies, uses = append(hashes, d.Hash), append(bodies, d.Text), append(uses, d.Uses)
	}
	if _, err := s.exec(ctx, saveDocuments, hashes, bodies, uses); err != nil {
		return fmt.Errorf("save documents: %w", err)
	}
	if _, err := s.exec(ctx, forgetDocuments); err != nil {
		return fmt.Errorf("forget documents: %w", err)
	}
	return nil
}

// CommonDocuments are the most used documents, the commonest first.
func (s *Store) CommonDocuments(ctx context.Context, most int) ([]StoredDocument, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassBackground})
	found, err := list(ctx, s, func(row pgx.CollectableRow) (d StoredDocument, err error) {
		return d, row.Scan(&d.Hash, &d.Text, &d.Uses)
	}, readDocuments, most)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	return found, nil
}
