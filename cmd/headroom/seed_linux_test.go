package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// PostgreSQL does not survive a disk without room for its log; what the person
// reads is what to do about it.
func TestSeedOnAFullDisk(t *testing.T) {
	disk := dataDir(t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=120m,mode=755"); err != nil {
		t.Skipf("needs a disk of its own to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("something is still open on the disk: %v", err)
		}
	})
	tokens := filepath.Join(t.TempDir(), "tokens.csv")
	r := runs(t, "seed", "--data-dir", filepath.Join(disk, "data"), "--entries", "200000", "--tenants", "2", "--tokens", tokens)
	line := strings.TrimSpace(r.stderr)
	if r.code == 0 || r.out != "" || !strings.HasPrefix(line, "headroom: ") || !strings.Contains(line, "is full: free some space") || strings.Contains(line, "\n") {
		t.Errorf("exit %d, %q, %q; want one line about the full disk", r.code, r.out, r.stderr)
	}
	if _, err := os.Stat(tokens); err == nil {
		t.Error("a file of tokens is left")
	}
}
