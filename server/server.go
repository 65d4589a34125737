package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"headroom/graph"
	"headroom/limits"
	"headroom/npmfetch"
	"headroom/resolvers"
	"headroom/store"
	"headroom/timesheet"
)

// Config makes a server. Store, Secret and Log are required.
type Config struct {
	Store      *store.Store
	Secret     []byte // keys tokens and claims; the same on every replica
	Log        *slog.Logger
	Mode       Mode                        // "": Enforce
	Measured   []Rule                      // counted and not enforced
	Gate       GateKind                    // "": Fixed; Adaptive needs Serve
	Another    limits.Gate                 // in place of ours, to compare with it; nil: none
	Cores      int                         // of the database; 0: 2
	Beside     bool                        // the database is on this machine, so that the server's own work takes its cores
	User       limits.Rate                 // budget of a person; zero: 2000/100
	Tenant     limits.Rate                 // budget of a workspace; zero: 10000/500
	Documents  DocumentMode                // "": APQ
	Statistics bool                        // prices follow what a workspace holds
	Demo       map[string]timesheet.Viewer // fixed tokens; only for a private database on loopback
	Inspect    bool                        // introspection for requests without a token
	Origins    []string                    // that browsers may call from; none by default
	Assets     npmfetch.Config             // the cache with the playground's files
	Now        func() time.Time            // nil: time.Now
	AdminToken []byte                      // that the operators' address asks for; none on loopback
	Nightly    time.Duration               // time of the day, UTC, at which sums are compared with entries; negative: never
	Exports    ExportConfig                // without a folder there are none
	Starter    string                      // the playground's token; only on loopback
}

// Default budgets, in points and points a second.
var (
	DefaultUser   = limits.Rate{Size: 2000, Restore: 100}
	DefaultTenant = limits.Rate{Size: 10000, Restore: 500}
)

// Server answers GraphQL over HTTP.
type Server struct {
	log             *slog.Logger
	store           *store.Store
	keys            Keys
	demo            map[string]credential
	inspect         bool
	origins         []string
	mode            modes
	caps            limits.Caps
	deadlines       map[limits.Class]time.Duration
	gate            limits.Gate
	static          *limits.Static
	adaptive        *limits.Adaptive // nil: the gate is another, or none
	configured      string           // the gate's mode without an order
	open            atomic.Bool      // the gate counts and refuses nobody
	userBudget      *limits.Budget
	workspaceBudget *limits.Budget
	documents       *documents
	persisted       *persisted
	statistics      *statistics // nil: prices are the schema's
	texts           texts       // that were looked for in them
	prices          priceList
	work            *limits.Learner
	clamped         map[string]struct{} // statements that have an alarm
	audit           *audit
	executable      graphql.ExecutableSchema
	exec            *executor.Executor
	health          *health
	metrics         *metrics
	parking         chan struct{}
	leave           chan struct{} // whose answer is held back gives its connection up
	ending          chan struct{} // closed: no answer is held back any more
	held            holding
	paced           pacer
	playground      playground
	adminToken      []byte
	nightly         time.Duration
	exports         *exporter
	cut             chan struct{} // closed: downloads end
	now             func() time.Time
	recorder        recorder
	demand          demand
	lookout         *lookout
	refusalLog      refusalLog
	orders          *orders
	headroom        headroomLeft
	cores           int // of the database
}

// New checks the schema's prices and returns a server that is ready to serve.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	s := &Server{
		log: c.Log, store: c.Store, keys: NewKeys(c.Secret), inspect: c.Inspect, origins: c.Origins, mode: modes{c.Mode, c.Measured},
		caps: accepting(limits.DefaultCaps), deadlines: deadlines(), parking: make(chan struct{}, parked), leave: make(chan struct{}), held: newHolding(), now: c.Now,
		demo: map[string]credential{}, health: &health{ping: c.Store.Ping, changed: c.Store.SetAway, log: c.Log},
		lookout: newLookout(), orders: newOrders(), cores: c.Cores, adminToken: c.AdminToken, nightly: c.Nightly,
		exports: newExporter(c.Exports, c.Store, c.Log), cut: make(chan struct{}), ending: make(chan struct{}),
		playground: playground{cache: c.Assets, token: c.Starter},
		work:       limits.NewLearner(), clamped: map[string]struct{}{}, audit: newAudit(),
	}
	if s.mode.of(RuleBudgets) == Enforce { // more than a whole budget is never there
		s.caps.Points = min(s.caps.Points, c.User.Size, c.Tenant.Size)
	}
	if c.Beside {
		s.demand.own = processorTime
	}
	s.prices.list.Store(ratesOf(BuiltinPrices()))
	for text, v := range c.Demo {
		s.demo[text] = credential{workspace: v.Workspace.ID, user: v.User, scope: timesheet.ScopeWrite}
	}
	if c.Statistics {
		s.statistics = newStatistics(c.Store, c.Now, c.Log)
		c.Store.HearImports(s.statistics.forget)
	}
	c.Store.HearOrders(s.orders.hear)
	if err := s.openGate(c); err != nil {
		return nil, err
	}
	root := resolvers.New(resolvers.Config{
		Store: c.Store, Now: c.Now,
		MintToken: s.keys.MintToken, MintClaim: s.keys.MintClaim, ReadClaim: s.keys.ReadClaim,
		Budget: s.budgetOf, Exports: s.exportsOf(c.Exports),
	})
	es := graph.NewExecutableSchema(graph.Config{Resolvers: root})
	if err := limits.CheckSchema(es.Schema()); err != nil {
		return nil, fmt.Errorf("price the schema: %w", err)
	}
	s.documents, s.persisted = newDocuments(es.Schema()), newPersisted(c.Documents)
	s.executable, s.exec = es, newExecutor(es, c.Log)
	s.metrics = newMetrics(s)
	s.exports.metrics = s.metrics
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Mode == "" {
		c.Mode = Enforce
	}
	if c.Documents == "" {
		c.Documents = APQ
	}
	if c.Cores == 0 {
		c.Cores = 2
	}
	if c.User == (limits.Rate{}) {
		c.User = DefaultUser
	}
	if c.Tenant == (limits.Rate{}) {
		c.Tenant = DefaultTenant
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func deadlines() map[limits.Class]time.Duration {
	d := map[limits.Class]time.Duration{}
	for class, service := range serviceClass {
		d[class] = store.Deadlines[service]
	}
	return d
}

func (s *Server) snapshot() limits.Snapshot {
	if s.adaptive != nil {
		return s.adaptive.Snapshot()
	}
	return s.static.Snapshot()
}

const pathGraphQL = "/graphql"

// Handler is the public address.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(pathGraphQL, s.graphql)
	mux.HandleFunc(pathCost, s.cost)
	mux.HandleFunc("GET /schema.graphql", s.schema)
	mux.HandleFunc("GET /exports/{id}", s.download)
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /playground", s.playground.page)
	mux.HandleFunc("GET /playground/{file}", func(w http.ResponseWriter, r *http.Request) {
		if !s.playground.file(w, r) {
			s.refuse(w, r, noPage())
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/playground", http.StatusSeeOther)
	})
	pages := s.pages(mux)
	return s.cors(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathGraphQL { // nearly all: it needs no look at the others
			s.graphql(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	}))
}

// AdminHandler is the operators' address.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.Handle("GET /metrics", s.metricsPage())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/limits", s.debugLimits)
	liveMux(mux)
	mux.HandleFunc("GET /debug/gate", atMost(statusWait, s.showGate))
	mux.HandleFunc("POST /debug/gate", atMost(orderWait, s.giveOrder))
	mux.HandleFunc("DELETE /debug/gate", atMost(orderWait, s.endOrder))
	mux.HandleFunc("GET /debug/statistics", s.statisticsFile)
	mux.HandleFunc("POST /debug/capture", s.startCapture)
	mux.HandleFunc("GET /debug/capture", s.captureStatus)
	mux.HandleFunc("DELETE /debug/capture", s.endCapture)
	// A page of another origin, open in an operator's browser, must not give orders.
	return http.NewCrossOriginProtection().Handler(s.operatorsOnly(s.pages(mux)))
}

// Serve answers on both listeners until ctx ends, then drains: readiness goes
// first, then admission, and running answers are finished within drain.
func (s *Server) Serve(ctx context.Context, public, admin net.Listener, drainDelay, drain time.Duration) error {
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	s.start(watching)
	defer s.lastUsage(ctx)
	defer s.startExports(ctx)()
	crew := newCrew(s.Handler())
	defer close(crew.end)
	servers := []*http.Server{
		{Handler: crew, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10},
		{Handler: s.AdminHandler(), ReadHeaderTimeout: 10 * time.Second},
	}
	failed := make(chan error, len(servers))
	rooms := []*capped{newCapped(public, s.connections(), s.leave), newCapped(admin, adminConnections, nil)}
	for i, room := range rooms {
		servers[i].ConnState, servers[i].ConnContext = room.track, withConnection
		go func() { failed <- servers[i].Serve(room) }()
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.log.Info("draining", "seconds", drain.Seconds())
	s.health.draining.Store(true)
	select {
	case <-time.After(drainDelay):
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	}
	s.static.Drain()
	close(s.ending)
	defer time.AfterFunc(drain/2, func() { close(s.cut) }).Stop()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Shutdown(ending))
	}
	s.saveCommon(ending)
	s.shareWork(ending)
	return errors.Join(errs...)
}

// start reads what a first answer needs, and begins what goes on beside answers until
// watching ends.
func (s *Server) start(watching context.Context) {
	go s.health.watch(watching)
	go s.tend(watching)
	go s.watchGate(watching)
	s.readOrders(watching)
	go s.watchOrders(watching)
	go s.tidy(watching)
	s.warmPools(watching)
	s.warm(watching)
	s.startWork(watching)
	go s.keepWork(watching)
	go s.runAudit(watching)
	go s.saveDocuments(watching)
	go s.keepUsage(watching)
	go s.foldRollups(watching)
	go s.foldOftenRead(watching)
	if s.nightly >= 0 {
		go s.checkRollups(watching, s.nightly)
	}
	if s.statistics != nil {
		s.startStatistics(watching)
		go s.statistics.run(watching)
	}
}

// jitter spreads clients that were told to come back: between d and 2d.
func jitter(d time.Duration) time.Duration { return d + rand.N(d) }
