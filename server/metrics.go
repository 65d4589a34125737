package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"headroom/limits"
)

// metrics are what operators see; labels are bounded: classes, codes, pools.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	waited   *prometheus.HistogramVec
	cost     *prometheus.HistogramVec
	drift    prometheus.Counter
	refusals *prometheus.CounterVec

	// What operations that were let in cost, for comparing two versions.
	points, statements, rows *prometheus.CounterVec

	audited *prometheus.HistogramVec

	exports     *prometheus.CounterVec
	exportsOpen *prometheus.GaugeVec
	downloads   *prometheus.CounterVec
	downloaded  prometheus.Counter

	scanned scanned

	gateMetrics
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_requests_total", Help: "Answered requests by class and decision: run, or the code of the refusal."}, []string{"class", "decision"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_request_seconds", Help: "Time from arrival to the answer's end.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}, []string{"class"}),
		waited:   prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_queue_seconds", Help: "Time spent waiting for a seat.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10)}, []string{"class"}),
		cost:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_cost_points", Help: "Points of operations, estimated and actual.", Buckets: prometheus.ExponentialBuckets(0.25, 2, 14)}, []string{"kind"}),
		drift:    prometheus.NewCounter(prometheus.CounterOpts{Name: "headroom_rollup_drift_total", Help: "Sums of months, and days of entries, that a nightly check found wrong and repaired."}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_limit_total", Help: "Operations that broke a limit, by its code and mode; measured ones ran all the same."}, []string{"class", "code", "mode"}),

		exports:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_exports_total", Help: "Exports that this process ran: ready, failed, canceled, or requeued to begin anew."}, []string{"result"}),
		exportsOpen: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "headroom_exports_open", Help: "Exports of all workspaces, queued and running, a few seconds ago."}, []string{"state"}),
		downloads:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_export_downloads_total", Help: "Answers of /exports by HTTP status."}, []string{"status"}),
		downloaded:  prometheus.NewCounter(prometheus.CounterOpts{Name: "headroom_export_sent_bytes_total", Help: "Bytes of exports that were sent."}),
	}
	m.points = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_points_total", Help: "Points that operations were quoted."}, []string{"class"})
	m.statements = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_statements_total", Help: "Statements that operations have run."}, []string{"class"})
	m.rows = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_rows_total", Help: "Rows that operations have read or written."}, []string{"class"})
	m.audited = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_audit_rows_ratio", Help: "Rows that the planner expects of a sampled statement, by those that its price expects.", Buckets: []float64{1.0 / 16, 1.0 / 8, 1.0 / 4, 1.0 / 2, 1, 2, 4, 8, 16}}, []string{"statement"})
	m.registry.MustRegister(m.audited, m.requests, m.duration, m.waited, m.cost, m.drift, m.refusals, m.points, m.statements, m.rows, m.exports, m.exportsOpen, m.downloads, m.downloaded, stateCollector{s}, &m.scanned,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gateMetrics = newGateMetrics(s, m.registry)
	m.requests.WithLabelValues("none", codeInternal) // an alarm needs the 0 before the 1
	for class := range serviceClass {
		m.requests.WithLabelValues(class.String(), codeInternal)
	}
	return m
}

func (m *metrics) answered(r *request, decision string, took time.Duration) {
	class := r.className()
	m.requests.WithLabelValues(class, decision).Inc()
	m.duration.WithLabelValues(class).Observe(took.Seconds())
	if r.op == nil {
		return
	}
	m.waited.WithLabelValues(class).Observe(r.timings.queue.Seconds())
	m.cost.WithLabelValues("estimated").Observe(r.price.Expected)
	m.cost.WithLabelValues("actual").Observe(r.actual)
	m.points.WithLabelValues(class).Add(r.price.Expected)
	m.statements.WithLabelValues(class).Add(float64(r.op.Statements()))
	m.rows.WithLabelValues(class).Add(float64(r.op.Rows()))
	m.ran(r)
}

func (m *metrics) refused(class limits.Class, code string, mode Mode) {
	m.refusals.WithLabelValues(class.String(), code, string(mode)).Inc()
}

// stateCollector reads gate, pools and caches when metrics are scraped.
type stateCollector struct{ s *Server }

var (
	descSeats    = prometheus.NewDesc("headroom_gate_seats", "Seats of a class.", []string{"class"}, nil)
	descBusy     = prometheus.NewDesc("headroom_gate_busy", "Seats taken.", []string{"class"}, nil)
	descQueued   = prometheus.NewDesc("headroom_gate_queued", "Operations waiting for a seat.", []string{"class"}, nil)
	descAdmitted = prometheus.NewDesc("headroom_gate_admitted_total", "Operations admitted.", []string{"class"}, nil)
	descRefused  = prometheus.NewDesc("headroom_gate_refused_total", "Operations refused by the gate; in mode measure, that would have been.", []string{"class", "reason", "mode"}, nil)
	descServers  = prometheus.NewDesc("headroom_gate_servers", "Servers on the database, as the adaptive gate counts them.", nil, nil)
	descCrowded  = prometheus.NewDesc("headroom_gate_crowded", "1 while more interactive operations come than the database can do.", nil, nil)
	descKept     = prometheus.NewDesc("headroom_gate_kept_ratio", "Share of the clients that is served in a crowd.", nil, nil)
	descDemoted  = prometheus.NewDesc("headroom_report_backends_yield", "1 if report backends yield the processor to others.", nil, nil)
	descPool     = prometheus.NewDesc("headroom_pool_connections", "Connections of a pool.", []string{"pool", "state"}, nil)
	descOpened   = prometheus.NewDesc("headroom_pool_opened_total", "Connections opened.", []string{"pool"}, nil)
	descDocs     = prometheus.NewDesc("headroom_documents", "Documents in the cache.", nil, nil)
	descDocBytes = prometheus.NewDesc("headroom_documents_bytes", "Estimated bytes of the documents in the cache.", nil, nil)
	descExported = prometheus.NewDesc("headroom_export_bytes", "Bytes of the files in the folder of exports.", nil, nil)
	descStored   = prometheus.NewDesc("headroom_stored_documents", "Documents that clients send by their hash.", nil, nil)
	descStoredB  = prometheus.NewDesc("headroom_stored_documents_bytes", "Bytes of their text.", nil, nil)
	descCounted  = prometheus.NewDesc("headroom_statistics_workspaces", "Workspaces that prices follow, or that wait to be counted.", nil, nil)
	descCounts   = prometheus.NewDesc("headroom_statistics_bytes", "Estimated bytes of their counts.", nil, nil)
	descVersion  = prometheus.NewDesc("headroom_price_table_version", "Version of the price table in use; 0 is the program's own.", nil, nil)
	descSlowdown = prometheus.NewDesc("headroom_slowdown_ratio", "How many times longer than forecast operations take, under any load: the median of the last 63 (the slowdown).", nil, nil)
	descDrift    = prometheus.NewDesc("headroom_work_drift_ratio", "How many times slower all statements are while nothing else runs than when they were first known.", nil, nil)
	descSlope    = prometheus.NewDesc("headroom_work_milliseconds_per_point", "Milliseconds that a point of a statement takes while nothing else runs.", []string{"statement"}, nil)
	descClamped  = prometheus.NewDesc("headroom_work_clamped", "1 for a statement that takes a time off its price by more than a factor 3: a plan that reads other rows.", []string{"statement"}, nil)
	descUnfit    = prometheus.NewDesc("headroom_work_refused_total", "Measurements that were no positive numbers.", nil, nil)
	descDatabase = prometheus.NewDesc("headroom_database_up", "1 while the database answers.", nil, nil)
	descScanned  = prometheus.NewDesc("headroom_database_scanned_rows_total", "Rows and index entries that scans of the database have gone through, whoever asked.", nil, nil)
)

// Describe implements prometheus.Collector; the set of series is not fixed.
func (stateCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c stateCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	snapshot := c.s.snapshot()
	if a := snapshot.Adaptive; a != nil {
		gauge(descServers, float64(a.Processes))
		gauge(descCrowded, truth(a.Crowded))
		gauge(descKept, a.Kept)
	}
	gauge(descDemoted, truth(c.s.store.Demotion().Demoted()))
	for _, class := range snapshot.Classes {
		name := class.Class.String()
		gauge(descSeats, float64(class.Seats), name)
		gauge(descBusy, float64(class.Busy), name)
		gauge(descQueued, float64(class.Queued), name)
		counter(descAdmitted, float64(class.Admitted), name)
		for reason, n := range class.Refused {
			counter(descRefused, float64(n), name, reason.String(), string(Enforce))
		}
		for reason, n := range class.WouldRefuse {
			counter(descRefused, float64(n), name, reason.String(), string(Measure))
		}
	}
	c.pools(gauge, counter)
	entries, bytes := c.s.documents.held()
	gauge(descDocs, float64(entries))
	gauge(descDocBytes, float64(bytes))
	if folder := c.s.exports.Folder; folder != nil {
		gauge(descExported, float64(folder.held.Load()))
	}
	known, text := c.s.persisted.held()
	gauge(descStored, float64(known))
	gauge(descStoredB, float64(text))
	if c.s.statistics != nil {
		workspaces, held := c.s.statistics.held()
		gauge(descCounted, float64(workspaces))
		gauge(descCounts, float64(held))
	}
	gauge(descVersion, float64(c.s.prices.list.Load().table.Version))
	gauge(descSlowdown, c.s.work.Slowdown())
	learned := c.s.work.Snapshot()
	gauge(descDrift, learned.Drift)
	counter(descUnfit, float64(learned.Refused))
	for _, l := range learned.Statements {
		gauge(descSlope, l.Slope, l.Statement)
		gauge(descClamped, truth(l.Clamped), l.Statement)
	}
	gauge(descDatabase, truth(!c.s.health.away()))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (c stateCollector) pools(gauge, counter func(*prometheus.Desc, float64, ...string)) {
	for _, p := range c.s.store.Stats() {
		gauge(descPool, float64(p.Max), p.Class, "max")
		gauge(descPool, float64(p.Total), p.Class, "open")
		gauge(descPool, float64(p.Busy), p.Class, "busy")
		counter(descOpened, float64(p.Opened), p.Class)
	}
}

var _ prometheus.Collector = stateCollector{}
