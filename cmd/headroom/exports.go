package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"headroom/server"
	"headroom/store/localpg"
)

// exportSlots is how many exports a process runs at a time: half of the
// database's cores, since each keeps one of them busy.
func exportSlots(cores int) int { return max(1, cores/2) }

func (c *ServeFlags) checkExports() error {
	if _, err := parseBytes(c.ExportQuota); err != nil {
		return fmt.Errorf("--export-quota: %w", err)
	}
	if _, err := parseBytes(c.ExportWorkspace); err != nil {
		return fmt.Errorf("--export-quota-workspace: %w", err)
	}
	if c.ExportTTL < time.Minute || c.ExportTTL > 30*24*time.Hour {
		return errors.New("--export-ttl is between 1m and 720h")
	}
	return nil
}

// exports opens the folder of exports. Without a usable default folder there
// are none: a server that needs no disk goes on without one.
func (c *ServeFlags) exports(secret []byte, log *slog.Logger) (server.ExportConfig, error) {
	cfg := server.ExportConfig{Keep: c.ExportTTL, Slots: exportSlots(c.dbCores())}
	limit, err := parseBytes(c.ExportQuota)
	if err != nil {
		return cfg, err
	}
	if cfg.Quota, err = parseBytes(c.ExportWorkspace); err != nil {
		return cfg, err
	}
	dir, err := c.exportDir()
	if err == nil {
		cfg.Folder, err = server.OpenExportFolder(dir, secret, limit)
	}
	switch {
	case err == nil:
		return cfg, nil
	case c.ExportDir != "":
		return cfg, fmt.Errorf("--export-dir: %w", err)
	}
	log.Warn("there are no exports: give them a folder with --export-dir", "error", err)
	return server.ExportConfig{}, nil
}

func (c *ServeFlags) exportDir() (string, error) {
	if c.ExportDir != "" {
		return c.ExportDir, nil
	}
	dir := c.DataDir
	if dir == "" {
		var err error
		if dir, err = localpg.DefaultDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "exports"), nil
}

// sizes are the units of a number of bytes.
var sizes = []struct {
	unit  string
	bytes float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

// parseBytes reads a size such as 10GiB or 500MB.
func parseBytes(text string) (int64, error) {
	for _, s := range sizes {
		number, ok := strings.CutSuffix(text, s.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && n > 0 && n*s.bytes < math.MaxInt64 {
			return int64(n * s.bytes), nil
		}
	}
	return 0, fmt.Errorf("%q is no size: write it as 10GiB or 500MB", text)
}
