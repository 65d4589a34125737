package store_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/store/storetest"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ name, dsn, want string }{
		{"none", "postgres://u@h:5432/db?sslmode=disable", "postgres://u@h:5432/db?sslmode=disable"},
		{"before the host", "postgres://u:TOPSECRET@h/db", "postgres://u:xxxxx@h/db"},
		{"in the query", "postgres://h/db?user=u&password=TOPSECRET", "postgres://h/db?user=u&password=xxxxx"},
		{"of the key", "postgres://h/db?sslpassword=TOPSECRET&user=u", "postgres://h/db?sslpassword=xxxxx&user=u"},
		{"under an escaped name", "postgres://h/db?%70assword=TOPSECRET", "postgres://h/db?%70assword=xxxxx"},
		{"with a semicolon", "postgres://h/db?password=TOP;SECRET", "postgres://h/db?password=xxxxx"},
		{"with a hash", "postgres://h/db?password=a#TOPSECRET", "(set)"},
		{"with a slash", "postgres://u:1/TOPSECRET@h/db", "(set)"},
		{"keywords", "host=h user=u password=TOPSECRET", "(set)"},
		{"no URL", "postgres:TOPSECRET", "(set)"},
	} {
		if got := store.Redact(c.dsn); got != c.want {
			t.Errorf("%s: Redact(%q) = %q, want %q", c.name, c.dsn, got, c.want)
		}
	}
}

// What the server said wins over the attempt with TLS that came before it.
func TestExplainTellsWhatTheServerSaid(t *testing.T) {
	u, err := url.Parse(storetest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, user, database, want string }{
		{"unknown role", "nobody_here", u.Path, `: role "nobody_here" does not exist (SQLSTATE 28000)`},
		{"unknown database", "", "/nowhere", `: database "nowhere" does not exist (SQLSTATE 3D000)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			other, query := *u, u.Query()
			other.Path = c.database
			if query.Del("sslmode"); c.user != "" {
				query.Set("user", c.user)
				other.User = nil
			}
			other.RawQuery = query.Encode()
			_, err := pgx.Connect(t.Context(), other.String())
			if got := store.Explain(err); err == nil || !strings.HasSuffix(got.Error(), c.want+"; see that it runs, or correct --database-url") || strings.Contains(got.Error(), "\n") {
				t.Errorf("got %v, want one line that ends in %s", got, c.want)
			}
		})
	}
	if other := errors.New("other"); store.Explain(other) != other {
		t.Error("another error is not returned as it is")
	}
}
