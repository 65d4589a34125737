package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"

	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
)

// seedToken is the name of the tokens that seed makes.
const seedToken = "seed"

func (c *SeedCmd) writeTokens(ctx context.Context, s *store.Store, owners []timesheet.Viewer, tokens *tokensFile) error {
	if tokens == nil {
		return nil
	}
	secret, err := (&ServeFlags{SecretFile: c.SecretFile}).secret(ctx, s)
	if err != nil {
		return err
	}
	keys := server.NewKeys(secret)
	var lines [][]string
	for _, owner := range owners {
		holders, err := s.EnsureTokens(ctx, owner, seedToken)
		if err != nil {
			return err
		}
		for _, h := range holders {
			lines = append(lines, []string{owner.Workspace.Name, *h.User.Email, string(h.User.Role), keys.MintToken(owner.Workspace.ID, h.Token)})
		}
	}
	return tokens.write(lines)
}

// tokensFile is where the tokens go, for nobody but its owner to read.
type tokensFile struct {
	file  *os.File
	fresh bool // made by us
	done  bool
}

// openTokens opens the file without changing what is in it, so that one that
// cannot be written is found before anything else; nil for no path.
func openTokens(path string) (*tokensFile, error) {
	if path == "" {
		return nil, nil
	}
	_, missing := os.Lstat(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--tokens: %w", err)
	}
	return &tokensFile{file: file, fresh: errors.Is(missing, os.ErrNotExist)}, nil
}

func (t *tokensFile) write(lines [][]string) error {
	if info, err := t.file.Stat(); err != nil {
		return err
	} else if info.Mode().IsRegular() {
		if err := errors.Join(t.file.Chmod(0o600), t.file.Truncate(0)); err != nil {
			return err
		}
	}
	err := errors.Join(csv.NewWriter(t.file).WriteAll(lines), t.file.Close())
	t.done = err == nil
	return err
}

// close takes a file of ours away that has not become what it should.
func (t *tokensFile) close() {
	if t == nil {
		return
	}
	t.file.Close() // again, where all went well
	if t.fresh && !t.done {
		os.Remove(t.file.Name())
	}
}
