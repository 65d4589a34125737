package proof

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"headroom/store/localpg"
)

// record is one run of one proof. It is written when the run begins, and anew
// with each result and at the end.
type record struct {
	mu      sync.Mutex
	path    string
	before  string // the file as it was
	began   time.Time
	facts   string
	outcome string
	results []string
}

// begin adds a run to the test's file in folder, and makes the file where it is
// the first.
func begin(folder, pkg, test string) (*record, error) {
	r := &record{
		path:    filepath.Join(folder, strings.ReplaceAll(pkg, "/", "-")+"-"+test+".md"),
		began:   time.Now().UTC(),
		facts:   machine(),
		outcome: "did not end",
	}
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		text = fmt.Appendf(nil, "# %s: %s\n\n    HEADROOM_PROOF=full go test -count=1 -timeout 60m -run '^%s$' ./%s\n", pkg, test, test, pkg)
	} else if err != nil {
		return nil, err
	}
	r.before = string(text)
	return r, r.write()
}

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, line)
	_ = r.write() // the end says so if it cannot either
}

func (r *record) end(outcome string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome = fmt.Sprintf("%s after %s", outcome, time.Since(r.began).Round(100*time.Millisecond))
	return r.write()
}

func (r *record) write() error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n## %s, commit %s: %s\n\n%s\n", r.before, r.began.Format("2006-01-02 15:04:05 UTC"), head(), r.outcome, r.facts)
	for i, line := range r.results {
		if i == 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "- %s\n", strings.ReplaceAll(line, "\n", "\n  "))
	}
	if err := os.MkdirAll(filepath.Dir(r.path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(r.path, []byte(text.String()), 0o644)
}

// machine says on what the proof ran.
func machine() string {
	postgres := "no PostgreSQL found"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if bin, err := localpg.Find(ctx, localpg.Config{Dir: filepath.Join(os.TempDir(), "headroom-none"), NoFetch: true}); err == nil {
		postgres = "PostgreSQL " + bin.Version
	}
	if os.Getenv("HEADROOM_TEST_DATABASE_URL") != "" {
		postgres = "PostgreSQL of HEADROOM_TEST_DATABASE_URL"
	}
	return fmt.Sprintf("%d cores, %s/%s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), postgres)
}

// tree is the repository that the test was built from.
type tree struct {
	root    string
	pkg     string // the folder of the package under test, below root
	hash    string // empty outside git
	changed bool   // beside the records
}

func (t tree) String() string {
	switch {
	case t.hash == "":
		return "unknown"
	case t.changed:
		return t.hash[:7] + " with changes"
	}
	return t.hash[:7]
}

// head is read once, before a test changes anything.
var head = sync.OnceValue(func() tree {
	dir, err := os.Getwd() // where go test starts a package's tests
	if err != nil {
		dir = "."
	}
	t := tree{root: dir}
	for ; t.root != filepath.Dir(t.root); t.root = filepath.Dir(t.root) {
		if _, err := os.Stat(filepath.Join(t.root, "go.mod")); err == nil {
			break
		}
	}
	if pkg, err := filepath.Rel(t.root, dir); err == nil {
		t.pkg = filepath.ToSlash(pkg)
	}
	t.hash = git(t.root, "rev-parse", "HEAD")
	t.changed = git(t.root, "status", "--porcelain", "--", ".", ":!docs/proofs") != ""
	return t
})

// git answers with nothing where there is no git or no repository.
func git(dir string, args ...string) string {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
