package server

import (
	"syscall"
	"testing"

	"headroom/store/storetest"
	"headroom/timesheet"
)

// smallDisk is a disk of a megabyte, which only root can make.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A file that does not fit fails its export and nothing else.
func TestExportThatDoesNotFit(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testing.T, *Config)
		want   timesheet.ExportFailure
	}{
		"the workspace's quota": {func(_ *testing.T, c *Config) { c.Exports.Quota = 100_000 }, timesheet.ExportOverQuota},
		"the folder's limit":    {func(_ *testing.T, c *Config) { c.Exports.Folder.limit = 100_000 }, timesheet.ExportOverQuota},
		"the disk": {func(t *testing.T, c *Config) {
			folder, err := OpenExportFolder(smallDisk(t), []byte("a secret of the tests"), 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			c.Exports.Folder = folder
		}, timesheet.ExportDiskFull},
	} {
		t.Run(name, func(t *testing.T) {
			r := exportRig(t, storetest.Open(t), func(c *Config) { test.change(t, c) })
			_, token := r.load(8000)
			r.work()
			x := r.ended(token, r.export(token, "").id)
			if x.status != "FAILED" || x.failure != string(test.want) || x.url != "" {
				t.Errorf("the export is %+v, want %s", x, test.want)
			}
			if left := filesIn(t, r.server.exports.Folder); len(left) > 0 {
				t.Errorf("the files %v are left", left)
			}
			small := r.ended(token, r.export(token, "groupBy: [YEAR]").id)
			if small.status != "READY" {
				t.Errorf("after it, a small export is %+v", small)
			}
		})
	}
}
