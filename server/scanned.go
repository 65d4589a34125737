package server

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scanned keeps how much the database has gone through, as it last said: the one
// metric that only the database knows.
type scanned struct{ rows atomic.Int64 } // 0: it never said

// scannedWait is how long a scrape waits for it: a busy database must not take the
// other metrics away.
const scannedWait = 250 * time.Millisecond

// Describe implements prometheus.Collector; there is no series before the database
// has said anything.
func (*scanned) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *scanned) Collect(out chan<- prometheus.Metric) {
	if n := c.rows.Load(); n > 0 {
		out <- prometheus.MustNewConstMetric(descScanned, prometheus.CounterValue, float64(n))
	}
}

// metricsPage is what operators scrape.
func (s *Server) metricsPage() http.Handler {
	page := promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.lookAtScans(r.Context())
		page.ServeHTTP(w, r)
	})
}

func (s *Server) lookAtScans(ctx context.Context) {
	if s.health.away() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, scannedWait)
	defer cancel()
	if n, err := s.store.Scanned(ctx); err == nil { // else it says what it said last
		s.metrics.scanned.rows.Store(int64(n))
	}
}

var _ prometheus.Collector = (*scanned)(nil)
