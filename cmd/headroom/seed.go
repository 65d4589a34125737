package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"headroom/demo"
	"headroom/store"
	"headroom/timesheet"
)

// SeedCmd fills a database with made-up companies.
type SeedCmd struct {
	Database
	Entries    int    `default:"300000" help:"Time entries of all companies together."`
	Tenants    int    `default:"20" help:"Companies, each a workspace of its own; the first is by far the largest."`
	Seed       uint64 `default:"1" help:"Others make other companies; the same are not made twice."`
	Tokens     string `help:"File for a token of every person, as lines of workspace,user,role,token; for the private PostgreSQL only." placeholder:"FILE"`
	SecretFile string `help:"File with the key of tokens, as serve has it." placeholder:"FILE"`
}

// Run loads company after company, each entirely or not at all.
func (c *SeedCmd) Run(env *environment) error {
	if err := c.check(); err != nil {
		return err
	}
	tokens, err := openTokens(c.Tokens)
	if err != nil {
		return err
	}
	defer tokens.close()
	s, closeStore, err := c.openStore(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	err = c.run(env.ctx, s, tokens, env.stdout, env.stderr)
	closeStore()
	return c.whyEnded(env.ctx, err)
}

// whyEnded asks a private PostgreSQL that was lost to start again: where it
// cannot, as on a full disk, it says why, which the lost connection did not.
func (d Database) whyEnded(ctx context.Context, err error) error {
	if err == nil || d.DatabaseURL != "" || ctx.Err() != nil || !store.IsUnavailable(err) {
		return err
	}
	_, stop, again := d.open(ctx, slog.New(slog.DiscardHandler))
	if again != nil {
		return fmt.Errorf("the database was lost, and nothing is left half done: %w", again)
	}
	stop()
	return err
}

// maxSeed bounds what a mistyped number makes: it is some 300 GB.
const maxSeed = 1_000_000_000

// check finds what is wrong before anything is written.
func (c *SeedCmd) check() error {
	switch {
	case c.Tenants < 1:
		return fmt.Errorf("--tenants %d: at least one company is made", c.Tenants)
	case c.Entries < c.Tenants:
		return fmt.Errorf("--entries %d is fewer than one for each of %d companies: raise it or lower --tenants", c.Entries, c.Tenants)
	case c.Entries > maxSeed:
		return fmt.Errorf("--entries %d is more than %d", c.Entries, maxSeed)
	case c.Tokens != "" && c.DatabaseURL != "":
		return errors.New("--tokens is for the private PostgreSQL only: a file with a token of everybody has no place beside your own database; make single tokens with headroom token create")
	}
	return nil
}

func (c *SeedCmd) run(ctx context.Context, s *store.Store, tokens *tokensFile, stdout, stderr io.Writer) error {
	p := newSeedProgress(stderr, c.Tenants)
	owners, err := c.load(ctx, s, p)
	if err != nil {
		return err
	}
	if p.there > 0 {
		fmt.Fprintf(stderr, "%d of %d companies of seed %d are there already and stay as they are; another --seed makes others\n", p.there, c.Tenants, c.Seed)
	}
	if err := c.writeTokens(ctx, s, owners, tokens); err != nil {
		return fmt.Errorf("the companies are there, but not the tokens, which running it again writes: %w", err)
	}
	fmt.Fprintln(stdout, p)
	return nil
}

// load makes the companies that are not there yet and returns the owners of
// all.
func (c *SeedCmd) load(ctx context.Context, s *store.Store, p *seedProgress) (owners []timesheet.Viewer, err error) {
	known, err := namedWorkspaces(ctx, s)
	if err != nil {
		return nil, err
	}
	for company := range demo.Companies(demo.Config{Entries: c.Entries, Tenants: c.Tenants, Seed: c.Seed, Until: p.began}) {
		owner, ok, err := sameCompany(ctx, s, known[company.Name], company)
		if err == nil && !ok {
			var users []timesheet.User
			owner, users, err = s.CopyCompany(ctx, company, p.tell)
			p.people += len(users)
		}
		if err != nil {
			return nil, c.ended(ctx, len(owners), err)
		}
		owners = append(owners, owner)
		p.complete(ok)
	}
	if p.made > 0 {
		s.Vacuum(ctx)
	}
	return owners, nil
}

// ended says what is left of a seeding that did not come to its end.
func (c *SeedCmd) ended(ctx context.Context, complete int, err error) error {
	left := fmt.Sprintf("%d of %d companies are complete and nothing of the others is there; running it again makes them", complete, c.Tenants)
	if ctx.Err() != nil {
		return errors.New(left) // main says that it was interrupted
	}
	return fmt.Errorf("%w; %s", err, left)
}

func namedWorkspaces(ctx context.Context, s *store.Store) (map[string][]timesheet.Workspace, error) {
	all, err := s.FindWorkspaces(ctx, "")
	known := make(map[string][]timesheet.Workspace, len(all))
	for _, w := range all {
		known[w.Name] = append(known[w.Name], w)
	}
	return known, err
}

// sameCompany finds a company among the workspaces of its name, by the address
// of its owner.
func sameCompany(ctx context.Context, s *store.Store, named []timesheet.Workspace, c timesheet.Company) (timesheet.Viewer, bool, error) {
	for _, w := range named {
		owner, err := s.OwnerViewer(ctx, w.ID)
		if err == nil {
			_, err = s.MemberByEmail(ctx, owner, c.Users[0].Email)
		}
		if err == nil {
			return owner, true, nil
		}
		if broken, ok := timesheet.AsError(err); !ok || broken.Code != timesheet.CodeNotFound {
			return timesheet.Viewer{}, false, err
		}
	}
	return timesheet.Viewer{}, false, nil
}

// seedProgress counts what has been loaded and tells of it now and then.
type seedProgress struct {
	out     io.Writer
	every   time.Duration
	tenants int
	began   time.Time
	told    time.Time

	made, there, people int // companies, and people of those made
	loaded, current     int // entries of complete companies, and of the current one
}

func newSeedProgress(out io.Writer, tenants int) *seedProgress {
	now := time.Now()
	p := &seedProgress{out: out, every: 10 * time.Second, tenants: tenants, began: now, told: now}
	if file, ok := out.(*os.File); ok && isTerminal(file) {
		p.every = time.Second
	}
	return p
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *seedProgress) tell(entries int) {
	p.current = entries
	now := time.Now()
	if now.Sub(p.told) < p.every {
		return
	}
	p.told = now
	all := p.loaded + p.current
	fmt.Fprintf(p.out, "%d entries, company %d of %d, %.0f entries/s\n", all, p.made+p.there+1, p.tenants, float64(all)/now.Sub(p.began).Seconds())
}

// complete counts a company, made or already there.
func (p *seedProgress) complete(there bool) {
	if there {
		p.there++
		return
	}
	p.made++
	p.loaded, p.current = p.loaded+p.current, 0
}

// String is the line a seeding ends with.
func (p *seedProgress) String() string {
	return fmt.Sprintf("%d entries, %d workspaces, %d people in %.1f s", p.loaded, p.made, p.people, time.Since(p.began).Seconds())
}
