package loadtest

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Counters are the server's own, read from its operators' address at one moment:
// name with labels, as in headroom_statements_total{class="report"}.
type Counters map[string]float64

// The counters that a record's work is made of; each but the first two by class.
const (
	counterCPU        = "process_cpu_seconds_total"
	counterScanned    = "headroom_database_scanned_rows_total"
	counterStatements = "headroom_statements_total"
	counterRows       = "headroom_rows_total"
	counterPoints     = "headroom_points_total"
)

// parseCounters reads the samples of the Prometheus text format that surge
// keeps: the product's own without the buckets of histograms, and those of the
// process.
func parseCounters(text string) Counters {
	c := Counters{}
	for line := range strings.Lines(text) {
		series, value, found := strings.Cut(strings.TrimSpace(line), " ")
		if at := strings.LastIndexByte(line, '}'); at > 0 { // a label's value may hold spaces
			series, value, found = line[:at+1], strings.TrimSpace(line[at+1:]), true
		}
		ours := strings.HasPrefix(series, "headroom_") || strings.HasPrefix(series, "process_")
		if !found || !ours || strings.Contains(series, "_bucket{") {
			continue
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			c[series] = n
		}
	}
	return c
}

// sum adds up the series of a counter: all of them, or, if class is not empty,
// those of one class.
func (c Counters) sum(name string, class Class) float64 {
	var sum float64
	for series, n := range c {
		base, labels, _ := strings.Cut(series, "{")
		if base == name && (class == "" || strings.Contains(labels, `class="`+string(class)+`"`)) {
			sum += n
		}
	}
	return sum
}

// Reading is the server's counters at a border between phases.
type Reading struct {
	Round    int      `json:"round"`
	At       Millis   `json:"at_ms"`  // since the round's start
	Border   string   `json:"border"` // "before warm", "after storm"
	Counters Counters `json:"counters"`
}

// Work is what the server did in a phase, by its own counters: of all
// operations, or of a class.
type Work struct {
	Round      int     `json:"round"`
	Phase      string  `json:"phase"`
	Class      Class   `json:"class"` // empty: all, with the process's CPU time and what the database scanned
	CPUSeconds float64 `json:"cpu_seconds,omitempty"`
	Scanned    float64 `json:"scanned,omitempty"` // rows and index entries; 0 if the server does not tell
	Statements float64 `json:"statements"`
	Rows       float64 `json:"rows"`
	Points     float64 `json:"points"`
}

// workBetween is the difference of two readings: the whole first, then the classes.
func workBetween(from, to Reading, phase string, classes []Class) []Work {
	delta := func(name string, class Class) float64 {
		return to.Counters.sum(name, class) - from.Counters.sum(name, class)
	}
	var list []Work
	for _, class := range append([]Class{""}, classes...) {
		w := Work{
			Round: from.Round, Phase: phase, Class: class,
			Statements: delta(counterStatements, class), Rows: delta(counterRows, class), Points: delta(counterPoints, class),
		}
		if class == "" {
			w.CPUSeconds, w.Scanned = delta(counterCPU, ""), max(0, delta(counterScanned, ""))
		}
		list = append(list, w)
	}
	return list
}

// readings reads the server's counters before the first phase and after each;
// it has fewer if ctx ends, and none if the server does not tell.
func (s *session) readings(ctx context.Context, round int, start time.Time, spans []span) []Reading {
	var list []Reading
	read := func(border string) bool {
		counters, ok := s.counters(ctx)
		if ok {
			list = append(list, Reading{Round: round, At: Millis(time.Since(start)), Border: border, Counters: counters})
		}
		return ok
	}
	if len(spans) == 0 || !read("before "+spans[0].Name) {
		return nil
	}
	for _, span := range spans {
		wait(ctx, start.Add(span.end))
		if !read("after " + span.Name) {
			break
		}
	}
	return list
}

// counters is one reading; false if the operators' address gives none.
func (s *session) counters(ctx context.Context) (Counters, bool) {
	within, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, body, err := s.client.get(within, s.Admin+"/metrics")
	if err != nil || status != http.StatusOK {
		return nil, false
	}
	return parseCounters(string(body)), true
}

// workOf turns readings into what was done in each phase.
func workOf(readings []Reading, spans []span) []Work {
	var list []Work
	for i := 1; i < len(readings); i++ {
		if readings[i].Round != readings[i-1].Round {
			continue
		}
		for _, span := range spans {
			if readings[i].Border == "after "+span.Name {
				list = append(list, workBetween(readings[i-1], readings[i], span.Name, classesOf(span))...)
			}
		}
	}
	return list
}

// classesOf are the classes that arrive in a phase.
func classesOf(s span) []Class {
	var list []Class
	for _, stream := range s.Streams {
		if !slices.Contains(list, stream.Class) {
			list = append(list, stream.Class)
		}
	}
	return list
}
