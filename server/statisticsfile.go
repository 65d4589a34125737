package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// Statistics are what prices follow, of the largest workspaces: numbers without
// names or descriptions, for builds that have no database.
type Statistics struct {
	PriceTable struct {
		Version int                `json:"version"`
		Prices  map[string]float64 `json:"prices"`
	} `json:"priceTable"`
	Day        string          `json:"day"` // on which they were exported, UTC
	Workspaces []*store.Counts `json:"workspaces"`
	// Viewer asks. Nobody stands for the people of another database, owners and
	// members: then ids in variables are unknown, and filters by them narrow nothing.
	Viewer timesheet.Viewer `json:"-"`
}

// exportedWorkspaces is how many are exported: the largest by entries need not be
// the one with most people or projects.
const exportedWorkspaces = 5

// ExportStatistics counts the largest workspaces of a database.
func ExportStatistics(ctx context.Context, s *store.Store, now time.Time) (Statistics, error) {
	out := Statistics{Day: timesheet.DayOf(now, time.UTC).String()}
	table, err := PublishedPrices(ctx, s)
	if err != nil {
		return out, err
	}
	out.PriceTable.Version, out.PriceTable.Prices = table.Version, table.Prices
	largest, err := s.LargestWorkspaces(ctx, exportedWorkspaces)
	if err != nil {
		return out, err
	}
	for _, id := range largest {
		counts, _, err := s.SharedCounts(ctx, id, now.Add(-countsAge))
		if err != nil {
			return out, err
		}
		told := *counts
		told.Sample = nil // people's words
		out.Workspaces = append(out.Workspaces, &told)
	}
	return out, nil
}

// ReadStatistics reads what a server has exported. The error names what is wrong.
func ReadStatistics(r io.Reader, now time.Time) (out Statistics, err error) {
	if err := json.NewDecoder(r).Decode(&out); err != nil {
		return out, fmt.Errorf("these are no statistics of a server: %w", err)
	}
	day, err := timesheet.ParseDate(out.Day)
	if err != nil {
		return out, fmt.Errorf("the day of the statistics: %w", err)
	}
	if today := timesheet.DayOf(now, time.UTC); toCome(day, today) {
		return out, fmt.Errorf("the statistics are of %s, and today is %s: one of two clocks is wrong", day, today)
	}
	if len(out.Workspaces) == 0 {
		return out, errors.New("the statistics hold no workspace")
	}
	for i, c := range out.Workspaces {
		if c == nil || min(c.Users, c.Clients, c.Projects, c.Tasks, c.Tags) < 0 {
			return out, fmt.Errorf("workspace %d of the statistics has negative counts", i)
		}
		if toCome(c.AsOf, day) {
			return out, fmt.Errorf("workspace %d of the statistics was counted on %s, after their day, %s", i, c.AsOf, day)
		}
	}
	return out, nil
}

// estimators price as a server does, one for each workspace and each way to see it:
// all of it, or one's own time alone.
func (s *Statistics) estimators() (out []*estimator) {
	today, _ := timesheet.ParseDate(s.Day) // ReadStatistics has read it
	rates := ratesOf(completed(limits.PriceTable{Version: s.PriceTable.Version, Prices: s.PriceTable.Prices}))
	viewers := []timesheet.Viewer{s.Viewer}
	if s.Viewer.User == 0 {
		viewers = []timesheet.Viewer{{Role: timesheet.RoleOwner}, {Role: timesheet.RoleMember}}
	}
	for _, c := range s.Workspaces {
		for _, viewer := range viewers {
			out = append(out, &estimator{texts: &texts{}, rates: rates, counts: c, viewer: viewer, today: within(today, c), anyIDs: viewer.User == 0})
		}
	}
	return out
}

// statisticsFile is GET /debug/statistics.
func (s *Server) statisticsFile(w http.ResponseWriter, r *http.Request) {
	found, err := ExportStatistics(r.Context(), s.store, s.now())
	if err != nil {
		s.log.Warn("export statistics", "error", err)
		plain(w, http.StatusServiceUnavailable, "the statistics cannot be read now")
		return
	}
	s.showJSON(w, http.StatusOK, found)
}
