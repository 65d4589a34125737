package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"headroom/store/storetest"
)

// smallDisk is a disk of its own, of 120 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	disk := storetest.Dir(t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=120m,mode=755"); err != nil {
		t.Skipf("needs a disk of its own to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("something is still open on the disk: %v", err)
		}
	})
	return disk
}

// wantFullDisk asks for one line, the last on stderr, about the full disk.
func wantFullDisk(t *testing.T, r result) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.stderr), "\n")
	if last := lines[len(lines)-1]; r.code == 0 || r.out != "" || !strings.HasPrefix(last, "headroom: ") || !strings.Contains(last, "is full: free some space") {
		t.Errorf("exit %d, %q, %q; want a line about the full disk", r.code, r.out, r.stderr)
	}
}

// PostgreSQL does not survive a disk without room for its log; what the person
// reads is what to do about it.
func TestSeedOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	tokens := filepath.Join(t.TempDir(), "tokens.csv")
	r := runs(t, "seed", "--data-dir", filepath.Join(disk, "data"), "--entries", "200000", "--tenants", "2", "--tokens", tokens)
	wantFullDisk(t, r)
	if _, err := os.Stat(tokens); err == nil {
		t.Error("a file of tokens is left")
	}
}

func TestImportOnAFullDatabaseDisk(t *testing.T) {
	disk := smallDisk(t)
	data := filepath.Join(disk, "data")
	if r := runs(t, "token", "create", "--data-dir", data, "--workspace", "Logs", "--email", "olga@example.com"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	var text strings.Builder
	text.WriteString("user,start,duration,description\n")
	for i := range 60_000 {
		fmt.Fprintf(&text, "Ana,2024-%02d-%02d %02d:%02d,0:30,%s\n", 1+i%12, 1+i/12%28, i/336%24, i/8064, strings.Repeat("d", 1000))
	}
	wantFullDisk(t, runs(t, "import", "--data-dir", data, writeFile(t, "many.csv", text.String())))
}
