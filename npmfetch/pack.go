package npmfetch

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pack lets the npm client download p's tarball into dir and returns its path.
// It runs inside dir, so that no project's settings near the caller apply.
func pack(ctx context.Context, dir string, p Package) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("the npm client is not on PATH: install Node.js with npm, or work without what it would fetch")
	}
	// npm's default retries take 70 s to admit that there is no network.
	cmd := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--loglevel=error",
		"--no-update-notifier", "--fetch-retries=1",
		"--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000", p.spec())
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("npm pack: %w: %s", err, npmReason(stderr.String()))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack left %d tarballs, want 1", len(found))
	}
	return found[0], nil
}

// npmReason turns npm's several lines into one, without its pointer to a log
// file and without warnings about the person's settings.
func npmReason(stderr string) string {
	var kept []string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		text, isError := strings.CutPrefix(line, "npm error ")
		if isError && !strings.HasPrefix(text, "A complete log") {
			kept = append(kept, text)
		}
	}
	if len(kept) == 0 {
		return "it gave no reason"
	}
	return strings.Join(kept, "; ")
}

// verify compares the file's SHA-512 with the pinned one.
func verify(tarball, want string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, file); err != nil {
		return err
	}
	got := base64.StdEncoding.EncodeToString(hash.Sum(nil))
	if got != want {
		return fmt.Errorf("its content is not the one pinned in this program, so it was thrown away: got sha512-%s, want sha512-%s", got, want)
	}
	return nil
}
