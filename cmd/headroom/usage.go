package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strconv"
	"time"
)

// UsageCmd prints what tenants did by week.
type UsageCmd struct {
	Database
}

// Run writes one line for each week and tenant, as CSV.
func (c *UsageCmd) Run(env *environment) error {
	s, closeStore, err := c.openTold(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	defer closeStore()
	if err := s.FoldUsage(env.ctx); err != nil {
		return err
	}
	weeks, err := s.UsageWeeks(env.ctx)
	if err != nil {
		return err
	}
	w := csv.NewWriter(env.stdout)
	rows := [][]string{{"week", "workspace", "peak_minute", "entries"}}
	for _, u := range weeks {
		workspace := "all"
		if u.Workspace != 0 {
			workspace = strconv.FormatInt(int64(u.Workspace), 10)
		}
		rows = append(rows, []string{u.Week.Format(time.DateOnly), workspace, strconv.FormatInt(u.PeakMinute, 10), strconv.FormatInt(u.Entries, 10)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write the usage: %w", err)
	}
	return nil
}
