package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"headroom/store/storetest"
)

// What is empty in the environment is not set, an enum and a number alike.
func TestEmptyVariablesAreUnset(t *testing.T) {
	want := runs(t, "config", "--data-dir", "set")
	cmd := command(t, "config", "--data-dir", "set")
	for line := range strings.Lines(want.out) {
		name, _, _ := strings.Cut(line, "=")
		cmd.Env = append(cmd.Env, name+"=")
	}
	out, err := cmd.Output()
	if err != nil || string(out) != want.out || strings.Count(want.out, "\n") < 10 {
		t.Errorf("with every variable empty: %v\n%s\nwant what is so without them:\n%s", err, out, want.out)
	}
	cmd = command(t, "config")
	cmd.Env = append(cmd.Env, "HEADROOM_DATABASE_URL=", "DATABASE_URL=postgres://db.example/headroom")
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), "HEADROOM_DATABASE_URL=postgres://db.example/headroom\n") {
		t.Errorf("an empty HEADROOM_DATABASE_URL hides DATABASE_URL: %v\n%s", err, out)
	}
}

func TestVersion(t *testing.T) {
	if r := runs(t, "--version"); r.code != 0 || !regexp.MustCompile(`^headroom \S+ go1\.\S+\n$`).MatchString(r.out) {
		t.Errorf("exit %d, %q, %s", r.code, r.out, r.stderr)
	}
}

func TestBadConfiguration(t *testing.T) {
	dsn := storetest.New(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	short := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(short, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, hint string
		args       []string
	}{
		{"an unknown flag", "--frob", []string{"serve", "--frob"}},
		{"an unknown command", "frob", []string{"frob"}},
		{"a demo token on a public address", "--database-url", []string{"serve", "--addr", "0.0.0.0:0"}},
		{"an operators' address for everybody", "--admin-token-file", []string{"serve", "--admin-addr", "0.0.0.0:0"}},
		{"a budget that is none", "--budget-user", []string{"serve", "--budget-user", "much"}},
		{"a negative budget", "--budget-workspace", []string{"serve", "--budget-workspace", "-1/5"}},
		{"a budget of nothing", "above 0", []string{"serve", "--budget-user", "0/0"}},
		{"a budget in which no mutation fits", "at least 10 points, as 10/1", []string{"serve", "--budget-user", "1/1"}},
		{"a workspace's budget in which none fits", "--budget-workspace 9.9/5 is too small", []string{"serve", "--budget-workspace", "9.9/5"}},
		{"a budget that is no number", "above 0", []string{"serve", "--budget-workspace", "NaN/1"}},
		{"fewer than no cores", "--db-cores is between 1 and 1024", []string{"serve", "--db-cores=-1"}},
		{"more cores than there are", "--db-cores is between 1 and 1024", []string{"serve", "--db-cores", "2000"}},
		{"a gate that is none", "--gate", []string{"serve", "--gate", "fast"}},
		{"a mode that is none", "--limits", []string{"serve", "--limits", "maybe"}},
		{"an operators' port in use", "--admin-addr", []string{"serve", "--database-url", dsn, "--addr", "127.0.0.1:0", "--admin-addr", taken.Addr().String()}},
		{"a database that is not there", "correct --database-url", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", "postgres://someone:hunter2@127.0.0.1:1/none"}},
		{"a URL that is none", "database URL", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", "postgres://%zz"}},
		{"pools that do not fit", "--db-cores", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", dsn, "--db-cores", "500"}},
		{"fewer cores than one", "--db-cores", []string{"serve", "--database-url", dsn, "--db-cores=-1"}},
		{"more cores than there are", "--db-cores", []string{"serve", "--database-url", dsn, "--db-cores", "5000"}},
		{"a secret that is too short", "16 characters", []string{"serve", "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--database-url", dsn, "--secret-file", short}},
		{"a zone that is none", "Europe/", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--timezone", "CEST"}},
		{"a token that expires in the past", "--expires", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--expires=-1h"}},
		{"fewer than no entries", "--demo-entries", []string{"serve", "--demo-entries=-5"}},
		{"an origin that is none", "--cors-origin", []string{"serve", "--cors-origin", "foo"}},
		{"a new workspace without an owner", "owner", []string{"token", "create", "--database-url", dsn, "--workspace", "W", "--email", "w@w.example", "--role", "member"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runs(t, test.args...)
			wantRefusal(t, r, test.hint)
			if strings.Contains(r.stderr, "hunter2") {
				t.Errorf("the password is printed: %s", r.stderr)
			}
		})
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	r := runs(t, "config", "--database-url", "postgres://me:hunter2@db.example/headroom", "--addr", "0.0.0.0:9000")
	if r.code != 0 || !strings.Contains(r.out, "HEADROOM_ADDR=0.0.0.0:9000") || !strings.Contains(r.out, "db.example") {
		t.Errorf("exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if strings.Contains(r.out, "hunter2") {
		t.Errorf("the password is printed: %s", r.out)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"import", "--help"}, {"seed", "--help"}, {"token", "create", "--help"}} {
		r := runs(t, args...)
		if r.code != 0 || !strings.Contains(r.out, "headroom "+strings.Join(args[:len(args)-1], " ")) {
			t.Errorf("headroom %s: exit %d, %s%s", strings.Join(args, " "), r.code, r.out, r.stderr)
		}
	}
}
