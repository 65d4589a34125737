package loadtest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadUsers(t *testing.T) {
	ann := &User{Workspace: "acme", Name: "ann", Role: "owner", Token: "hr_1"}
	bob := &User{Workspace: "acme", Name: "Bob, Jr", Role: "member", Token: "hr_2"}
	tests := []struct {
		name, text string
		want       []*User
		wrong      string
	}{
		{name: "plain", text: "acme,ann,owner,hr_1\n", want: []*User{ann}},
		{name: "with a header, comments and blanks", text: "workspace,user,role,token\n# people\n\nacme, ann, OWNER, hr_1\nacme,\"Bob, Jr\",member,hr_2\n", want: []*User{ann, bob}},
		{name: "Windows line ends", text: "acme,ann,owner,hr_1\r\n", want: []*User{ann}},
		{name: "empty", text: "", wrong: "no tokens"},
		{name: "header alone", text: "workspace,user,role,token\n", wrong: "no tokens"},
		{name: "too few fields", text: "hr_1\n", wrong: "workspace,user,role,token"},
		{name: "a token missing", text: "acme,ann,owner,hr_1\nacme,bob,member,\n", wrong: "line 2"},
		{name: "a quote left open", text: "\"acme,ann,owner,hr_1\n", wrong: "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readUsers(strings.NewReader(tt.text))
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Fatalf("error %v, want one about %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreUnexported(User{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConfigUsers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.csv")
	if err := os.WriteFile(file, []byte("acme,ann,owner,hr_1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		config Config
		want   string // the first token
		exit   Exit
	}{
		{"the demo's", Config{}, "demo-owner", ExitPass},
		{"one token", Config{Token: "hr_9"}, "hr_9", ExitPass},
		{"a file", Config{TokensFile: file}, "hr_1", ExitPass},
		{"both", Config{Token: "hr_9", TokensFile: file}, "", ExitUsage},
		{"no such file", Config{TokensFile: file + "x"}, "", ExitUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			users, err := tt.config.users()
			if tt.exit != ExitPass {
				var stop *Stop
				if !errors.As(err, &stop) || stop.Exit != tt.exit {
					t.Errorf("error %v, want exit %d", err, tt.exit)
				}
				return
			}
			if err != nil || users[0].Token != tt.want {
				t.Errorf("%v, %v, want the token %s first", users, err, tt.want)
			}
		})
	}
}

// A person never shows the token.
func TestUserString(t *testing.T) {
	for _, u := range []*User{{Workspace: "acme", Name: "ann", Token: "secret"}, {Token: "secret"}} {
		if strings.Contains(u.String(), "secret") {
			t.Errorf("%q shows the token", u)
		}
	}
}

func FuzzReadUsers(f *testing.F) {
	f.Add("acme,ann,owner,hr_1\n")
	f.Add("workspace,user,role,token\n\"a\",b,c,\n")
	f.Fuzz(func(t *testing.T, text string) {
		users, err := readUsers(strings.NewReader(text))
		if (len(users) == 0) == (err == nil) {
			t.Errorf("%d users and error %v", len(users), err)
		}
		for _, u := range users {
			if u.Token == "" {
				t.Errorf("%q: a person without a token", text)
			}
		}
	})
}
