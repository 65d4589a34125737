package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"headroom/demo"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
)

// SeedCmd fills a database with made-up companies.
type SeedCmd struct {
	Database
	Entries    int    `default:"300000" help:"Time entries of all companies together."`
	Tenants    int    `default:"20" help:"Companies, each a workspace of its own; the first is by far the largest."`
	Seed       uint64 `default:"1" help:"Others make other companies; the same are not made twice."`
	Tokens     string `help:"File for a token of every person, as lines of workspace,user,role,token; for the private PostgreSQL only." placeholder:"FILE" type:"path"`
	SecretFile string `help:"File with the key of tokens, as serve has it." placeholder:"FILE" type:"path"`
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
	defer closeStore()
	return c.run(env.ctx, s, tokens, env.stdout, env.stderr)
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
	if ctx.Err() != nil {
		err = errors.New("interrupted") // not as it is: main keeps silent about what was cancelled
	}
	return fmt.Errorf("%d of %d companies are complete, nothing of the others is there, running it again makes these: %w", complete, c.Tenants, err)
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

// seedToken is the name of the tokens that seed makes.
const seedToken = "seed"

func (c *SeedCmd) writeTokens(ctx context.Context, s *store.Store, owners []timesheet.Viewer, tokens *tokensFile) error {
	if tokens == nil {
		return nil
	}
	secret, err := (&ServeFlags{SecretFile: c.SecretFile}).secret(ctx, s)
	if err != nil {
		return err
	}
	keys := server.NewKeys(secret)
	var lines [][]string
	for _, owner := range owners {
		holders, err := s.EnsureTokens(ctx, owner, seedToken)
		if err != nil {
			return err
		}
		for _, h := range holders {
			lines = append(lines, []string{owner.Workspace.Name, *h.User.Email, string(h.User.Role), keys.MintToken(owner.Workspace.ID, h.Token)})
		}
	}
	return tokens.write(lines)
}

// tokensFile is where the tokens go, for nobody but its owner to read.
type tokensFile struct {
	file  *os.File
	fresh bool // made by us
	done  bool
}

// openTokens opens the file without changing what is in it, so that one that
// cannot be written is found before anything else; nil for no path.
func openTokens(path string) (*tokensFile, error) {
	if path == "" {
		return nil, nil
	}
	_, missing := os.Lstat(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--tokens: %w", err)
	}
	return &tokensFile{file: file, fresh: errors.Is(missing, os.ErrNotExist)}, nil
}

func (t *tokensFile) write(lines [][]string) error {
	if info, err := t.file.Stat(); err != nil {
		return err
	} else if info.Mode().IsRegular() {
		if err := errors.Join(t.file.Chmod(0o600), t.file.Truncate(0)); err != nil {
			return err
		}
	}
	t.done = true
	return csv.NewWriter(t.file).WriteAll(lines)
}

// close takes an empty file of ours away.
func (t *tokensFile) close() {
	if t == nil {
		return
	}
	t.file.Close()
	if t.fresh && !t.done {
		os.Remove(t.file.Name())
	}
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
