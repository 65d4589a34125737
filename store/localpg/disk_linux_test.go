package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// newDisk is a small disk, which must be unused at the end of the test.
func newDisk(t *testing.T, size string) string {
	t.Helper()
	disk := newBase(t)
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size="+size+",mode=755"); err != nil {
		t.Skipf("needs a disk of its own to fill: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("something is still open on the disk: %v", err)
		}
	})
	return disk
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]string{"while making data": "8m", "from the first byte": "4k"} {
		t.Run(name, func(t *testing.T) {
			disk := newDisk(t, size)
			base := filepath.Join(disk, "base")
			if size == "4k" {
				mustMkdir(t, base, 0o755)
				mustWrite(t, filepath.Join(disk, "filler"), strings.Repeat("x", 4096), 0o644)
			}
			wantRefusal(t, Config{Dir: base}, "the disk that holds "+base+" is full", "--data-dir")
		})
	}
}

func TestFullDiskOnLaterStart(t *testing.T) {
	t.Parallel()
	disk := newDisk(t, "80m")
	base := filepath.Join(disk, "base")
	server := mustStart(t, Config{Dir: base})
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for chunk := make([]byte, 4096); err == nil; {
		_, err = filler.Write(chunk)
	}
	wantRefusal(t, Config{Dir: base}, "the disk that holds "+base+" is full")
}
