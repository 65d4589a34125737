package main

import (
	"errors"
	"fmt"
	"os"

	"headroom/store"
	"headroom/timesheet"
)

// RollupsCmd looks after the sums of months that reports are answered from.
type RollupsCmd struct {
	Check   RollupsCheckCmd   `cmd:"" help:"Compare the sums of months with the entries; exit code 1 where they differ."`
	Rebuild RollupsRebuildCmd `cmd:"" help:"Bring the sums of months in order."`
}

// RollupsCheckCmd compares.
type RollupsCheckCmd struct {
	rollupsOf `embed:""`
}

// RollupsRebuildCmd repairs.
type RollupsRebuildCmd struct {
	rollupsOf `embed:""`
}

type rollupsOf struct {
	Database
	Workspace string `help:"Name of the workspace (default: all)." placeholder:"NAME"`
}

// Run prints a line for each workspace.
func (c *RollupsCheckCmd) Run(env *environment) error {
	return c.each(env, func(s *store.Store, w timesheet.Workspace) (store.RollupCheck, string, error) {
		found, err := s.CheckRollup(env.ctx, w)
		return found, "wrong", err
	}, "%d of %d workspaces have drifted: headroom rollups rebuild brings them in order")
}

// Run prints a line for each workspace.
func (c *RollupsRebuildCmd) Run(env *environment) error {
	return c.each(env, func(s *store.Store, w timesheet.Workspace) (store.RollupCheck, string, error) {
		found, err := s.RebuildRollup(env.ctx, w)
		return found, "repaired", err
	}, "")
}

// each runs do for the workspaces that are meant. Drift is an error where
// failure says how to put it.
func (c *rollupsOf) each(env *environment, do func(*store.Store, timesheet.Workspace) (store.RollupCheck, string, error), failure string) error {
	s, closeStore, err := c.openTold(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	defer closeStore()
	all, err := s.FindWorkspaces(env.ctx, c.Workspace)
	if err != nil {
		return err
	}
	switch {
	case len(all) == 0 && c.Workspace != "":
		return fmt.Errorf("there is no workspace named %q", c.Workspace)
	case len(all) == 0:
		return errors.New("this database holds no workspace, so nothing was compared: is --database-url the server's?")
	}
	drifted := 0
	for _, w := range all {
		found, word, err := do(s, w)
		if err != nil {
			return store.Explain(err)
		}
		if !found.Drifted() {
			fmt.Fprintf(env.stdout, "%s (%d): sums and entries agree\n", w.Name, w.ID)
			continue
		}
		drifted++
		fmt.Fprintf(env.stdout, "%s (%d): %s: %d sums, the days of %d entries\n", w.Name, w.ID, word, found.Rows, found.Days)
	}
	if drifted > 0 && failure != "" {
		return fmt.Errorf(failure, drifted, len(all))
	}
	return nil
}
