package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustMkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(dir, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

func mustWrite(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	mustMkdir(t, filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// wantRefusal starts a server that must not start, and checks that the error
// is one line with each of the words.
func wantRefusal(t *testing.T, cfg Config, words ...string) {
	t.Helper()
	cfg.NoFetch = true
	server, err := Start(t.Context(), cfg)
	if err == nil {
		server.Stop(t.Context())
		t.Fatalf("Start(%+v) worked, want an error with %q", cfg, words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q:\n%v", word, err)
		}
	}
	wantOneLine(t, err)
}

func TestUnfinishedDataIsMadeAnew(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	bin, err := Find(t.Context(), Config{Dir: base, NoFetch: true})
	if err != nil {
		t.Fatal(err)
	}
	data := dataDir(base, bin.Major)
	left := data + unfinished + "1"
	mustWrite(t, filepath.Join(left, "base", "1", "half"), "written", 0o600)
	mustMkdir(t, base, 0o755)
	server := mustStart(t, Config{Dir: base})
	execute(t, server.DSN(), "create table works ()")
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the unfinished folder is still there: %v", err)
	}
}

// TestKilledWhileMakingData kills the program inside initdb: the next start
// finds no data folder that looks finished.
func TestKilledWhileMakingData(t *testing.T) {
	t.Parallel()
	base := newBase(t)
	bin, err := Find(t.Context(), Config{Dir: base, NoFetch: true})
	if err != nil {
		t.Fatal(err)
	}
	data := dataDir(base, bin.Major)
	parent := launch(t, base, nil)
	eventually(t, startLimit, "initdb has begun", func() bool {
		found, err := filepath.Glob(filepath.Join(data+unfinished+"*", "PG_VERSION"))
		return err == nil && len(found) == 1
	})
	parent.kill(t)
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Fatalf("a data folder that was not finished is there: %v", err)
	}
	server := mustStart(t, Config{Dir: base})
	execute(t, server.DSN(), "create table works ()")
}

func TestDataOfAnotherMajorVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, major string
		words       []string
	}{
		{"that will do", "99", []string{"belongs to PostgreSQL 99,", "install version 99", "HEADROOM_PG_BIN", "--data-dir"}},
		{"too old", "13", []string{"belongs to PostgreSQL 13, older than 14: dump it with that version", "--data-dir"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := newBase(t)
			mustWrite(t, filepath.Join(base, "pg"+c.major, "data", "PG_VERSION"), c.major+"\n", 0o600)
			wantRefusal(t, Config{Dir: base}, c.words...)
			entries, err := os.ReadDir(base)
			if err != nil {
				t.Fatal(err)
			}
			for _, entry := range entries {
				if strings.HasPrefix(entry.Name(), "pg") && entry.Name() != "pg"+c.major {
					t.Errorf("the refused start made %s", entry.Name())
				}
			}
		})
	}
}

func TestFolderOfAnyName(t *testing.T) {
	t.Parallel()
	parent := newBase(t)
	mustMkdir(t, parent, 0o755)
	server := mustStart(t, Config{Dir: filepath.Join(parent, "a b+c%20&d=é")})
	execute(t, server.DSN(), "create table made ()")
}

func TestLongPathKeepsItsSocketElsewhere(t *testing.T) {
	t.Parallel()
	parent := newBase(t)
	mustMkdir(t, parent, 0o755)
	base := filepath.Join(parent, strings.Repeat("long", 25))
	first := launch(t, base, nil)
	execute(t, first.says(t), "create table made ()")
	if got := socketFolder(base); filepath.Dir(got) != shortTemp {
		t.Fatalf("socket folder = %q, want one in %s", got, shortTemp)
	}
	first.kill(t)
	server := mustStart(t, Config{Dir: base})
	execute(t, server.DSN(), "drop table made")
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(server.sockets); !os.IsNotExist(err) {
		t.Errorf("socket folder %s is left behind: %v", server.sockets, err)
	}
}

func TestSocketFolderOfSomebodyElse(t *testing.T) {
	t.Parallel()
	parent := newBase(t)
	mustMkdir(t, parent, 0o755)
	base := filepath.Join(parent, strings.Repeat("long", 25))
	sockets := socketFolder(base)
	if err := os.Symlink(parent, sockets); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(sockets)
	wantRefusal(t, Config{Dir: base}, sockets, "belongs to somebody else", "--data-dir")
}

func TestClosedParentIsNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs PostgreSQL itself, so no folder is closed to it")
	}
	closed := newBase(t)
	base := filepath.Join(closed, "below", "base")
	mustMkdir(t, filepath.Dir(base), 0o755)
	wantRefusal(t, Config{Dir: base}, "may not enter "+closed+":", "--data-dir")
}

// A folder that was closed, but for the exports of a server on another database, is
// opened; one with anything else in it is somebody's, and named.
func TestClosedBase(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs PostgreSQL itself, so no folder is closed to it")
	}
	parent := newBase(t)
	mustMkdir(t, parent, 0o755)
	ours, theirs := filepath.Join(parent, "ours"), filepath.Join(parent, "theirs")
	for _, base := range []string{ours, theirs} {
		mustMkdir(t, base, 0o700)
		mustMkdir(t, filepath.Join(base, "exports"), 0o700)
	}
	mustWrite(t, filepath.Join(theirs, "letters"), "", 0o600)
	mustMkdir(t, theirs, 0o700)
	wantRefusal(t, Config{Dir: theirs}, "may not enter "+theirs+":", "--data-dir")
	execute(t, mustStart(t, Config{Dir: ours}).DSN(), "create table made ()")
}

func TestClosedBinariesAreNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs PostgreSQL itself, so no folder is closed to it")
	}
	real, err := Find(t.Context(), Config{Dir: newBase(t), NoFetch: true})
	if err != nil {
		t.Fatal(err)
	}
	closed := newBase(t)
	for _, program := range []string{"initdb", "postgres"} {
		if err := os.Symlink(filepath.Join(real.Dir, program), filepath.Join(closed, program)); err != nil {
			t.Fatal(err)
		}
	}
	wantRefusal(t, Config{Dir: newBase(t), Bin: closed}, "may not run "+closed)
}

func TestFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	file := filepath.Join(newBase(t), "file")
	mustWrite(t, file, "", 0o644)
	wantRefusal(t, Config{Dir: file}, file+" is not a folder", "--data-dir")
	wantRefusal(t, Config{Dir: "/proc/headroom"}, "/proc/headroom")
}

func TestRestoredCopyIsGivenToItsUser(t *testing.T) {
	t.Parallel()
	first := mustStart(t, Config{Dir: newBase(t)})
	execute(t, first.DSN(), "create table kept as select 'still here' as value")
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	data := first.proc.cmd.Args[2]
	base := newBase(t)
	restored := dataDir(base, dataMajors(filepath.Dir(filepath.Dir(data)))[0])
	if err := os.CopyFS(restored, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	mustMkdir(t, restored, 0o700)
	mustMkdir(t, base, 0o755) // not empty, so not for makeBase to open
	second := mustStart(t, Config{Dir: base})
	if got := query(t, second.DSN(), "select value from kept")[0]; got != "still here" {
		t.Errorf("kept value = %q, want %q", got, "still here")
	}
}

func TestDefaultDir(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("XDG_STATE_HOME", "")
	want := "/home/me/.local/state/headroom"
	if os.Geteuid() == 0 {
		want = "/var/lib/headroom"
	}
	if got, err := DefaultDir(); got != want || err != nil {
		t.Errorf("DefaultDir() = %q, %v, want %q", got, err, want)
	}
	t.Setenv("XDG_STATE_HOME", "/state")
	if got, err := DefaultDir(); got != "/state/headroom" || err != nil {
		t.Errorf("DefaultDir() with XDG_STATE_HOME = %q, %v", got, err)
	}
}
