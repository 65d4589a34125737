package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"headroom/demo"
	"headroom/limits"
	"headroom/npmfetch"
	"headroom/server"
	"headroom/store"
	"headroom/store/localpg"
	"headroom/timesheet"
)

// ServeFlags are the configuration of the server.
type ServeFlags struct {
	Database

	Addr            string        `default:"127.0.0.1:8080" help:"Address of the API."`
	AdminAddr       string        `default:"127.0.0.1:8081" help:"Address for operators: metrics, health, profiles."`
	AdminTokenFile  string        `help:"File with the bearer token of the operators' address; needed where that is not loopback." placeholder:"FILE"`
	SecretFile      string        `help:"File with the key of tokens (default: made once and kept in the database)." placeholder:"FILE"`
	Limits          string        `default:"on" enum:"on,measure,off" help:"on refuses, measure counts what would be refused, off has no admission, no budgets and one shared pool."`
	Measure         []string      `enum:"caps,budgets,gate" help:"Rules that are counted and not enforced: caps of one operation, budgets, gate." placeholder:"RULE"`
	Documents       string        `default:"apq" enum:"off,apq,trusted-only" help:"Which documents are run: off those sent in full, apq also by their hash once they were sent with it, trusted-only those of the manifests."`
	Manifest        []string      `help:"Manifest of a client's documents, of Apollo, Relay or graphql-codegen; may be given several times." placeholder:"FILE"`
	Gate            string        `default:"adaptive" enum:"static,adaptive" help:"static has the same seats at all times, adaptive shares those of the database with other servers and follows the crowd."`
	NoDemote        bool          `help:"Leave the priority of report backends as it is, also where the database runs on this machine."`
	DBCores         int           `name:"db-cores" help:"Cores of the database (default: this machine's where it runs here, else 2)." placeholder:"N"`
	BudgetUser      string        `default:"2000/100" help:"Points of a person, and how many a second restores."`
	BudgetWorkspace string        `default:"10000/500" help:"Points of a workspace, and how many a second restores."`
	DemoEntries     int           `default:"2000" help:"Entries of the demo company." placeholder:"N"`
	NoDemo          bool          `help:"Neither demo data nor demo tokens on the private PostgreSQL."`
	Introspection   string        `default:"auto" enum:"auto,on,members" help:"Who may read the schema by introspection: on everybody, members with a token; auto is on for the demo."`
	CORSOrigin      []string      `name:"cors-origin" help:"Origin that browsers may call from; may be given several times." placeholder:"URL"`
	DrainDelay      time.Duration `default:"0s" help:"How long readiness is withdrawn before admission stops."`
	Drain           time.Duration `default:"20s" help:"How long running answers may take at shutdown."`
	RollupCheck     string        `default:"03:00" help:"When sums of months are compared with their entries each night, HH:MM in UTC, or off."`
	ExportDir       string        `help:"Folder of exports (default: exports in the data folder)." placeholder:"DIR"`
	ExportQuota     string        `default:"10GiB" help:"Bytes that all exports in the folder may have." placeholder:"SIZE"`
	ExportWorkspace string        `name:"export-quota-workspace" default:"1GiB" help:"Bytes that the exports of one workspace may have." placeholder:"SIZE"`
	ExportTTL       time.Duration `name:"export-ttl" default:"24h0m0s" help:"How long exports and their links last."`
	LogLevel        slog.Level    `default:"info" help:"debug, info, warn or error; requests are logged at info."`
}

// ServeCmd serves the API.
type ServeCmd struct {
	ServeFlags `embed:""`
}

// demoName is the demo's workspace.
const demoName = "Demo"

// check refuses a configuration before anything is started.
func (c *ServeFlags) check() error {
	if err := checkBudget("--budget-user", c.BudgetUser); err != nil {
		return err
	}
	if err := checkBudget("--budget-workspace", c.BudgetWorkspace); err != nil {
		return err
	}
	if _, err := c.nightly(); err != nil {
		return err
	}
	if len(c.Measure) > 0 && c.Limits != string(server.Enforce) {
		return fmt.Errorf("--measure names what is not enforced under --limits on; --limits %s enforces nothing of it", c.Limits)
	}
	if c.Documents == string(server.TrustedOnly) && len(c.Manifest) == 0 {
		return errors.New("--documents trusted-only runs the documents of manifests: give --manifest")
	}
	if c.Documents == string(server.DocumentsOff) && len(c.Manifest) > 0 {
		return errors.New("--documents off knows no ids: leave --manifest out")
	}
	if c.DemoEntries < 0 {
		return errors.New("--demo-entries is not negative")
	}
	if c.Drain < 0 || c.DrainDelay < 0 {
		return errors.New("--drain and --drain-delay are not negative")
	}
	if err := c.checkExports(); err != nil {
		return err
	}
	for _, origin := range c.CORSOrigin {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Path != "" {
			return fmt.Errorf("--cors-origin %s is no origin: write it as https://app.example", origin)
		}
	}
	if c.DBCores < 0 || c.DBCores > 1024 {
		return errors.New("--db-cores is between 1 and 1024")
	}
	if c.demo() && !isLoopback(hostOf(c.Addr)) {
		return fmt.Errorf("the demo's fixed tokens would be valid for everybody who reaches %s: listen on 127.0.0.1, or give --database-url, or --no-demo", c.Addr)
	}
	if !isLoopback(hostOf(c.AdminAddr)) && c.AdminTokenFile == "" {
		return fmt.Errorf("the operators' address %s is not loopback: protect it with --admin-token-file", c.AdminAddr)
	}
	return nil
}

// leastBudget is the size below which a budget is none: no operation may cost more than
// all of it, and a mutation costs 2 points and what it returns.
const leastBudget = 10

func checkBudget(flag, text string) error {
	rate, err := limits.ParseRate(text)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if rate.Size < leastBudget {
		return fmt.Errorf("%s %s is too small to write anything: give at least %d points, as %d/%g", flag, text, leastBudget, leastBudget, rate.Restore)
	}
	return nil
}

func (c *ServeFlags) demo() bool { return c.DatabaseURL == "" && !c.NoDemo }

// nightly is the time of the day of the rollup's check; negative: never.
func (c *ServeFlags) nightly() (time.Duration, error) {
	if c.RollupCheck == "off" {
		return -1, nil
	}
	at, err := time.Parse("15:04", c.RollupCheck)
	if err != nil {
		return 0, fmt.Errorf("--rollup-check %s is no time of the day: write it as 03:00, or off", c.RollupCheck)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Run starts everything in order, serves until the context ends, and stops in
// the reverse order: readiness, admission, answers, pools, PostgreSQL.
func (c *ServeCmd) Run(env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	log := logger(os.Stderr, c.LogLevel)
	boundGarbage()
	log.Info("starting", "changed", strings.Join(changed(env.flags.Selected().Flags), " "))
	public, admin, err := c.listen()
	if err != nil {
		return err
	}
	defer public.Close()
	defer admin.Close()
	dsn, stop, err := c.start(env.ctx, log)
	if err != nil {
		return err
	}
	defer stop()
	s, err := store.Open(env.ctx, store.Config{DSN: dsn, Log: log, Pools: poolsFor(c.dbCores()), Demote: !c.NoDemote, Shared: c.Limits == string(server.Off)})
	if err != nil {
		return store.Explain(err)
	}
	defer s.Close()
	if err := s.ResumeZoneChanges(env.ctx); err != nil {
		return store.Explain(err)
	}
	srv, err := c.server(env.ctx, s, log)
	if err != nil {
		return err
	}
	c.greet(env, public.Addr().String(), admin.Addr().String())
	return srv.Serve(env.ctx, public, admin, c.DrainDelay, c.Drain)
}

func (c *ServeFlags) dbCores() int {
	if c.DBCores > 0 {
		return c.DBCores
	}
	return c.cores()
}

// listen takes the addresses before anything else: a port in use must not
// cost a start of PostgreSQL.
func (c *ServeFlags) listen() (public, admin net.Listener, err error) {
	if public, err = net.Listen("tcp", c.Addr); err != nil {
		return nil, nil, fmt.Errorf("listen on %s: %w; choose another address with --addr", c.Addr, err)
	}
	if admin, err = net.Listen("tcp", c.AdminAddr); err != nil {
		public.Close()
		return nil, nil, fmt.Errorf("listen on %s: %w; choose another address with --admin-addr", c.AdminAddr, err)
	}
	return public, admin, nil
}

// start runs the private PostgreSQL, where one is wanted, and migrates it. A
// database of the operator's is never migrated by serve: replicas that start
// in a storm would queue for the lock.
func (c *ServeFlags) start(ctx context.Context, log *slog.Logger) (dsn string, stop func(), err error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, func() {}, nil
	}
	pg, err := localpg.Start(ctx, c.local(log))
	if err != nil {
		return "", nil, err
	}
	keeper := keep(ctx, pg, c.local(log), log)
	if err := store.Migrate(ctx, pg.DSN(), log); err != nil {
		keeper()
		return "", nil, err
	}
	return pg.DSN(), keeper, nil
}

// keep starts the private PostgreSQL again if it ends by itself, until stop is
// called.
func keep(ctx context.Context, pg *localpg.Server, cfg localpg.Config, log *slog.Logger) (stop func()) {
	ctx = context.WithoutCancel(ctx)
	ending, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ending:
				if err := pg.Stop(ctx); err != nil {
					log.Warn("stop the private PostgreSQL", "error", err)
				}
				return
			case <-pg.Done():
			}
			log.Error("the private PostgreSQL has ended; starting it again", "error", pg.Err())
			again, err := localpg.Start(ctx, cfg)
			if err != nil {
				log.Error("start the private PostgreSQL", "error", err)
				select {
				case <-ending:
					return
				case <-time.After(time.Second):
				}
				continue
			}
			pg = again
		}
	}()
	return func() { close(ending); <-ended }
}

func (c *ServeFlags) server(ctx context.Context, s *store.Store, log *slog.Logger) (*server.Server, error) {
	cfg := server.Config{
		Store: s, Log: log, Mode: server.Mode(c.Limits), Gate: server.GateKind(c.Gate), Cores: c.dbCores(), Beside: c.beside(), Origins: c.CORSOrigin, Statistics: true, Documents: server.DocumentMode(c.Documents),
		Inspect: c.Introspection == "on" || c.Introspection == "auto" && c.demo(),
	}
	for _, rule := range c.Measure {
		cfg.Measured = append(cfg.Measured, server.Rule(rule))
	}
	var err error
	if cfg.Nightly, err = c.nightly(); err != nil {
		return nil, err
	}
	if cfg.User, err = limits.ParseRate(c.BudgetUser); err != nil {
		return nil, err
	}
	if cfg.Tenant, err = limits.ParseRate(c.BudgetWorkspace); err != nil {
		return nil, err
	}
	if cfg.Secret, err = c.secret(ctx, s); err != nil {
		return nil, err
	}
	if cfg.Exports, err = c.exports(cfg.Secret, log); err != nil {
		return nil, err
	}
	if c.AdminTokenFile != "" {
		if cfg.AdminToken, err = readSecret(c.AdminTokenFile); err != nil {
			return nil, err
		}
	}
	if c.demo() {
		if cfg.Demo, err = openDemo(ctx, s, c.DemoEntries, log); err != nil {
			return nil, err
		}
		cfg.Starter = demoOwner
		fetchEditor(ctx, c.NoFetch, log)
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, err
	}
	return srv, c.trust(ctx, srv)
}

// trust reads the manifests.
func (c *ServeFlags) trust(ctx context.Context, srv *server.Server) error {
	found, err := server.ReadManifests(c.Manifest)
	if err != nil {
		return fmt.Errorf("--manifest: %w", err)
	}
	for _, d := range found {
		if err := srv.Trust(ctx, []server.Trusted{d.Trusted}); err != nil {
			return fmt.Errorf("--manifest %s: %w", d.File, err)
		}
	}
	return nil
}

func (c *ServeFlags) secret(ctx context.Context, s *store.Store) ([]byte, error) {
	if c.SecretFile != "" {
		return readSecret(c.SecretFile)
	}
	return s.Secret(ctx)
}

// fetchEditor brings the playground's files in the background, once; until
// they are there its page loads them from a CDN.
func fetchEditor(ctx context.Context, never bool, log *slog.Logger) {
	if never || server.PlaygroundCached(npmfetch.Config{}) {
		return
	}
	go func() {
		if err := server.FetchPlayground(ctx, npmfetch.Config{}); err != nil {
			log.Info("the playground loads its editor from a CDN; `headroom fetch` brings it onto this machine", "error", err)
		}
	}()
}

// The demo's fixed tokens.
const (
	demoOwner   = "demo-owner"
	demoManager = "demo-manager"
	demoMember  = "demo-member"
)

// openDemo makes the small company where it is not there yet and returns who
// the fixed tokens stand for: its people are known by their addresses, whatever
// has become of names since.
func openDemo(ctx context.Context, s *store.Store, entries int, log *slog.Logger) (map[string]timesheet.Viewer, error) {
	company := demo.Small(demo.SmallConfig{Name: demoName, Entries: entries, Until: time.Now()})
	ws, found, err := s.FindMembership(ctx, company.Users[0].Email)
	if err != nil {
		return nil, err
	}
	var owner timesheet.Viewer
	if found {
		owner, err = s.OwnerViewer(ctx, ws)
	} else {
		log.Info("making the demo company", "entries", entries)
		owner, _, err = s.LoadCompany(ctx, company, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("open the demo: %w", err)
	}
	tokens := map[string]timesheet.Viewer{}
	for text, role := range map[string]timesheet.Role{demoOwner: timesheet.RoleOwner, demoManager: timesheet.RoleManager, demoMember: timesheet.RoleMember} {
		i := slices.IndexFunc(company.Users, func(u timesheet.CompanyUser) bool { return u.Role == role })
		u, err := s.MemberByEmail(ctx, owner, company.Users[i].Email)
		if err != nil {
			log.Warn("somebody has left the demo company", "token", text, "error", err)
			continue
		}
		tokens[text] = timesheet.Viewer{Workspace: owner.Workspace, User: u.ID, Role: u.Role}
	}
	return tokens, nil
}

// greet tells a person where to go.
func (c *ServeFlags) greet(env *environment, public, admin string) {
	fmt.Fprintf(env.stdout, "headroom answers at http://%s/graphql (operators: http://%s)\n", public, admin)
	if !c.demo() {
		return
	}
	fmt.Fprintf(env.stdout, `playground: http://%[1]s/playground
demo tokens: %[2]s, %[3]s, %[4]s
try: curl -s http://%[1]s/graphql -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"query":"{ myDay { day totals { seconds } entries { description project { name } } } }"}'
`, public, demoOwner, demoManager, demoMember)
}
