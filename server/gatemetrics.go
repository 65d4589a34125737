package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"headroom/limits"
)

// gateMetrics are what operators see of the gate beside what metrics has had from
// the start. Tenants, operations and clients are no labels: /debug/limits and
// headroom top name them.
type gateMetrics struct {
	refusedWait *prometheus.HistogramVec
	estimate    *prometheus.HistogramVec
	budget      *prometheus.CounterVec
	work        *prometheus.CounterVec
	blocked     *prometheus.CounterVec
}

func newGateMetrics(s *Server, registry *prometheus.Registry) gateMetrics {
	m := gateMetrics{
		refusedWait: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_refused_queue_seconds", Help: "Time spent waiting for a seat by operations that the gate refused.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10)}, []string{"class"}),
		estimate:    prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "headroom_estimate_ratio", Help: "Time in the database over the forecast work; 1 is a forecast that was right, and a slow database raises it too.", Buckets: prometheus.ExponentialBuckets(1.0/32, 2, 11)}, []string{"class"}),
		budget:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_budget_points_total", Help: "Points of budgets: spent by operations that ran, refused for want of points, charged for refused documents and early retries."}, []string{"kind"}),
		work:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_work_seconds_total", Help: "Points that operations took, a thousand a second of database and server time."}, []string{"class"}),
		blocked:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "headroom_blocked_total", Help: "Requests that operators' orders refused, by what is blocked."}, []string{"kind"}),
	}
	for _, kind := range []string{"spent", "refused", "charged"} {
		m.budget.WithLabelValues(kind)
	}
	for kind := range subjectOf {
		m.blocked.WithLabelValues(kind)
	}
	registry.MustRegister(m.refusedWait, m.estimate, m.budget, m.work, m.blocked, gateCollector{s})
	return m
}

// ran notes an operation that had a seat.
func (m gateMetrics) ran(r *request) {
	class := r.className()
	m.work.WithLabelValues(class).Add(r.actual / 1000)
	m.budget.WithLabelValues("spent").Add(r.actual)
	if forecast := r.price.Work.Seconds(); forecast > 0 && r.op.Statements() > 0 {
		m.estimate.WithLabelValues(class).Observe(r.op.Busy().Seconds() / forecast)
	}
}

// gateCollector reads the gate and the lookout when metrics are scraped.
type gateCollector struct{ s *Server }

var (
	descRunning  = prometheus.NewDesc("headroom_gate_running_seconds", "Forecast work of the operations that run.", []string{"class"}, nil)
	descWaiting  = prometheus.NewDesc("headroom_gate_waiting_seconds", "Forecast work of the operations that wait.", []string{"class"}, nil)
	descPromised = prometheus.NewDesc("headroom_gate_promised_seconds", "Forecast work of refused operations that were told when to come back.", []string{"class"}, nil)
	descAbsorb   = prometheus.NewDesc("headroom_gate_absorb_seconds", "Forecast time until all that runs, waits and was promised is worked off.", []string{"class"}, nil)
	descSlots    = prometheus.NewDesc("headroom_report_slots", "Report slots of the whole database: taken by all servers, and how many there are.", []string{"state"}, nil)
	descDemotion = prometheus.NewDesc("headroom_demotion", "1 for the state that the report backends are in: yielding, refused, or none tried.", []string{"state"}, nil)
	descHeadroom = prometheus.NewDesc("headroom_ratio", "Work a second that the database's cores allow, over that of the busiest minute of this week and the last; absent until a minute has passed.", nil, nil)
	descLoad     = prometheus.NewDesc("headroom_load_seconds_total", "Time of the database's cores that was taken: points, and the server's own processor time where the database runs on its machine. What headroom_ratio is made of.", nil, nil)
	descRung     = prometheus.NewDesc("headroom_brownout_step", "Rung of the brownout ladder, 0 for none; each includes those below it.", nil, nil)
	descOrders   = prometheus.NewDesc("headroom_gate_orders", "Operators' orders in force on this server.", []string{"kind"}, nil)
	descCores    = prometheus.NewDesc("headroom_database_cores", "Cores of the database, as the server was told.", nil, nil)
)

// Describe implements prometheus.Collector; the set of series is not fixed.
func (gateCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c gateCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	snapshot := c.s.snapshot()
	for _, class := range snapshot.Classes {
		name := class.Class.String()
		gauge(descRunning, class.Running.Seconds(), name)
		gauge(descWaiting, class.Waiting.Seconds(), name)
		gauge(descPromised, class.Promised.Seconds(), name)
		gauge(descAbsorb, class.Absorb.Seconds(), name)
	}
	now := c.s.now()
	l := c.s.lookout
	l.mu.Lock()
	held := l.held
	l.mu.Unlock()
	if a := snapshot.Adaptive; a != nil {
		gauge(descRung, float64(a.Rung))
	}
	if held >= 0 {
		gauge(descSlots, float64(held), "taken")
	}
	gauge(descSlots, float64(snapshot.Classes[limits.Report].Seats), "all")
	state := c.s.demotionState()
	for _, each := range []string{demotionYielding, demotionRefused, demotionNone} {
		gauge(descDemotion, truth(each == state), each)
	}
	if ratio := c.s.headroom.ratio(c.s.cores, now); ratio > 0 {
		gauge(descHeadroom, ratio)
	}
	gauge(descCores, float64(c.s.cores))
	out <- prometheus.MustNewConstMetric(descLoad, prometheus.CounterValue, c.s.demand.load().Seconds())
	for kind, n := range c.s.orders.now.Load().count(now) {
		gauge(descOrders, float64(n), kind)
	}
}

// What became of the report backends' priority.
const (
	demotionYielding = "yielding"
	demotionRefused  = "refused"
	demotionNone     = "none"
)

func (s *Server) demotionState() string {
	switch d := s.store.Demotion(); {
	case d.Demoted():
		return demotionYielding
	case d.Refused > 0:
		return demotionRefused
	}
	return demotionNone
}

// refusedAfter notes how long somebody waited whom the gate refused.
func (m gateMetrics) refusedAfter(class limits.Class, waited time.Duration) {
	m.refusedWait.WithLabelValues(class.String()).Observe(waited.Seconds())
}
