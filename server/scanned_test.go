package server

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"testing"
)

// Operators see how much the database has gone through, as soon as its backends tell.
func TestScannedRowsAreTold(t *testing.T) {
	r := newRig(t, nil)
	series := regexp.MustCompile(`(?m)^headroom_database_scanned_rows_total (\S+)$`)
	scanned := func() float64 {
		status, body := r.admin(http.MethodGet, "/metrics")
		m := series.FindSubmatch(body)
		if status != http.StatusOK || m == nil {
			t.Fatalf("status %d, and no such metric in\n%.400s", status, body)
		}
		n, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for before := scanned(); scanned() < before+100; {
		if ctx.Err() != nil {
			t.Fatalf("nothing was scanned beside %v", before)
		}
		r.ask(`{ myDay { entries { id } } projects(first: 5) { nodes { id } } }`, nil)
	}
}
