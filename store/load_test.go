package store_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/demo"
	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

var loadNoon = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)

// tinyCompany has one thing of each kind at least.
func tinyCompany(entries ...timesheet.CompanyEntry) timesheet.Company {
	return timesheet.Company{
		Name: " Acme ", TimeZone: "Europe/Bucharest", WeekStart: time.Sunday, Currency: "RON",
		Users: []timesheet.CompanyUser{
			{Name: "Olga", Email: "Olga@Acme.example", Role: timesheet.RoleOwner},
			{Name: "Μιχάλης", Email: "m@acme.example", Role: timesheet.RoleManager},
			{Name: "Gone", Role: timesheet.RolePlaceholder},
			{Name: "Ana", Email: "ana@acme.example", Role: timesheet.RoleMember},
		},
		Clients: []string{"Straße", "Globex"},
		Projects: []timesheet.CompanyProject{
			{Name: "Site", Client: 1, Billable: true, Members: []int{3, 2, 3}, Lead: 1},
			{Name: "Internal", Client: -1, Lead: -1, Members: []int{3}},
		},
		Tasks: []timesheet.CompanyTask{{Project: 1, Name: "Mail"}, {Project: 0, Name: "Design"}},
		Tags:  []string{"urgent", "café"},
		Rates: []timesheet.CompanyRate{
			{Kind: timesheet.RateBill, User: -1, Project: -1, Minor: 60_00},
			{Kind: timesheet.RateBill, User: 3, Project: -1, Minor: 80_00},
			{Kind: timesheet.RateBill, User: -1, Project: 0, Minor: 100_00},
			{Kind: timesheet.RateCost, User: 3, Project: -1, Minor: 35_00},
		},
		Entries: slices.Values(entries),
	}
}

var (
	lateEntry = timesheet.CompanyEntry{
		User: 3, Project: 0, Task: 1, Tags: []int{1, 0}, Start: time.Date(2026, time.March, 3, 22, 30, 0, 0, time.UTC),
		Seconds: 5400, Description: "Call", Billable: true,
	}
	bareEntry = timesheet.CompanyEntry{User: 2, Project: -1, Task: -1, Start: loadNoon.Add(700 * time.Millisecond), Seconds: 60}
)

const readLoaded = `SELECT string_agg(concat_ws(' | ', m.name, coalesce(c.name, '-'), coalesce(p.name, '-'), coalesce(k.name, '-'),
  (SELECT string_agg(g.name, '+' ORDER BY array_position(e.tag_ids, g.id)) FROM tag g WHERE g.id = ANY (e.tag_ids)), e.description,
  to_char(e.started_at, 'YYYY-MM-DD HH24:MI:SS.MS'), e.day, e.secs, e.billable, e.rate_minor, e.cost_minor, e.amount_x3600, e.currency), E'\n' ORDER BY e.id)
FROM time_entry e
JOIN membership m ON m.user_id = e.user_id
LEFT JOIN project p ON p.id = e.project_id
LEFT JOIN client c ON c.id = p.client_id
LEFT JOIN task k ON k.id = e.task_id`

func TestLoadCompany(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	told := 0
	owner, users, err := s.LoadCompany(t.Context(), tinyCompany(lateEntry, bareEntry), func(n int) { told = n })
	if err != nil {
		t.Fatal(err)
	}
	if told != 2 {
		t.Errorf("progress told of %d entries, want 2", told)
	}
	w := timesheet.Workspace{ID: owner.Workspace.ID, Name: "Acme", TimeZone: "Europe/Bucharest", WeekStart: time.Sunday, Currency: "RON", OverlapPolicy: timesheet.OverlapAllow, Version: 1}
	want := timesheet.Viewer{Workspace: w, User: users[0].ID, Role: timesheet.RoleOwner, Scope: timesheet.ScopeWrite}
	if diff := cmp.Diff(want, owner); diff != "" {
		t.Errorf("the owner (-want +got):\n%s", diff)
	}
	stored, err := s.UsersByID(t.Context(), owner, idsOf(users))
	if err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, u := range users {
		if diff := cmp.Diff(stored[u.ID], u); diff != "" {
			t.Errorf("%s is not as stored (-stored +returned):\n%s", u.Name, diff)
		}
		roles = append(roles, u.Name+" "+string(u.Role))
	}
	if got, want := strings.Join(roles, ", "), "Olga OWNER, Μιχάλης MANAGER, Gone PLACEHOLDER, Ana MEMBER"; got != want {
		t.Errorf("people %s, want %s", got, want)
	}
	entries := `Ana | Globex | Site | Design | café+urgent | Call | 2026-03-03 22:30:00.000 | 2026-03-04 | 5400 | t | 10000 | 3500 | 54000000 | RON
Gone | - | - | - |  | 2026-03-04 12:00:00.000 | 2026-03-04 | 60 | f | 6000 | 0 | 0 | RON`
	if diff := cmp.Diff(entries, ask[string](t, conn, readLoaded)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	members := ask[string](t, conn, `SELECT string_agg(concat(p.name, ' ', m.name, CASE WHEN lead THEN ' leads' END), ', ' ORDER BY p.id, m.user_id)
FROM project_member pm JOIN project p ON p.id = pm.project_id JOIN membership m ON m.user_id = pm.user_id`)
	if want := "Site Μιχάλης leads, Site Gone, Site Ana, Internal Ana"; members != want {
		t.Errorf("project members %s, want %s", members, want)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM account a JOIN membership m ON m.account_id = a.id AND m.email_key = a.email_key`); n != 3 {
		t.Errorf("%d members have an account, want all 3 but the placeholder", n)
	}
	if keys := ask[string](t, conn, `SELECT string_agg(name_key, ' ' ORDER BY id) FROM client`); keys != "strasse globex" {
		t.Errorf("clients are found as %q, want folded names", keys)
	}
}

func idsOf(users []timesheet.User) []timesheet.UserID {
	ids := make([]timesheet.UserID, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// References of loaded rows that the database has not checked itself.
var dangling = []string{
	`SELECT count(*) FROM time_entry e LEFT JOIN membership m USING (workspace_id, user_id) WHERE m.user_id IS NULL`,
	`SELECT count(*) FROM time_entry e LEFT JOIN project p ON p.workspace_id = e.workspace_id AND p.id = e.project_id WHERE p.id IS NULL AND e.project_id IS NOT NULL`,
	`SELECT count(*) FROM time_entry e LEFT JOIN task k ON k.workspace_id = e.workspace_id AND k.project_id = e.project_id AND k.id = e.task_id WHERE k.id IS NULL AND e.task_id IS NOT NULL`,
	`SELECT count(*) FROM time_entry e, unnest(tag_ids) tag_id LEFT JOIN tag g ON g.id = tag_id WHERE g.workspace_id IS DISTINCT FROM e.workspace_id`,
	`SELECT count(*) FROM project p LEFT JOIN client c ON c.workspace_id = p.workspace_id AND c.id = p.client_id WHERE c.id IS NULL AND p.client_id IS NOT NULL`,
	`SELECT count(*) FROM project_member pm LEFT JOIN membership m USING (workspace_id, user_id) WHERE m.user_id IS NULL`,
	`SELECT count(*) FROM project_member pm LEFT JOIN project p ON p.workspace_id = pm.workspace_id AND p.id = pm.project_id WHERE p.id IS NULL`,
	`SELECT count(*) FROM task k LEFT JOIN project p ON p.workspace_id = k.workspace_id AND p.id = k.project_id WHERE p.id IS NULL`,
	`SELECT count(*) FROM membership m LEFT JOIN account a ON a.id = m.account_id WHERE a.id IS NULL AND (m.role <> 'PLACEHOLDER' OR m.account_id IS NOT NULL)`,
	`SELECT count(*) FROM membership m LEFT JOIN workspace w USING (workspace_id) WHERE w.workspace_id IS NULL`,
	`SELECT count(*) FROM (SELECT started_at, lag(started_at) OVER (PARTITION BY workspace_id ORDER BY id) AS before FROM time_entry) e WHERE started_at < before`,
	`SELECT count(*) FROM time_entry e WHERE get_byte(uuid_send(id), 6) >> 4 <> 7 OR get_byte(uuid_send(id), 8) >> 6 <> 2`,
	`SELECT count(*) FROM time_entry e JOIN workspace w USING (workspace_id), rate_on(e.workspace_id, e.user_id, e.project_id, e.task_id, e.day) r
	WHERE (e.rate_minor, e.cost_minor, e.currency) IS DISTINCT FROM (r.bill_minor, r.cost_minor, r.bill_currency) OR e.rate_minor = 0 OR e.cost_minor = 0`,
	`SELECT count(*) FROM time_entry e JOIN workspace w USING (workspace_id) WHERE day <> (started_at AT TIME ZONE w.time_zone)::date`,
}

// Companies of thousands of entries arrive whole, and reports need not look at
// their rows. A role that may not skip the checks of references loads the same.
func TestLoadedCompaniesAreSound(t *testing.T) {
	for name, role := range map[string]string{"superuser": "", "plain role": "headroom_test_plain"} {
		t.Run(name, func(t *testing.T) {
			dsn := storetest.New(t)
			conn := connectTo(t, dsn)
			s := openStore(t, asRole(t, conn, dsn, role))
			want := 0
			for c := range demo.Companies(demo.Config{Entries: 23_000, Tenants: 4, Seed: 1, Until: loadNoon}) {
				owner, _, err := s.LoadCompany(t.Context(), c, func(n int) { want = n })
				if err != nil {
					t.Fatal(err)
				}
				if n := ask[int](t, conn, `SELECT count(*) FROM time_entry WHERE workspace_id = $1`, owner.Workspace.ID); n != want {
					t.Errorf("%s has %d entries, progress told of %d", c.Name, n, want)
				}
			}
			if n := ask[int](t, conn, `SELECT count(*) FROM time_entry`); n != 23_000 {
				t.Errorf("%d entries, want 23000", n)
			}
			for _, sql := range dangling {
				if n := ask[int](t, conn, sql); n != 0 {
					t.Errorf("%d wrong rows by %s", n, sql)
				}
			}
			if role == "" && !ask[bool](t, conn, `SELECT bool_and(relallvisible = relpages AND reltuples > 0) FROM pg_class WHERE relname IN ('time_entry', 'membership', 'project', 'task', 'tag', 'client')`) {
				t.Error("the tables are not vacuumed and analyzed")
			}
		})
	}
}

// asRole is dsn for sessions that act as a role with an application's rights,
// made where it is missing; for no role it is dsn itself.
func asRole(t *testing.T, conn *pgx.Conn, dsn, role string) string {
	t.Helper()
	if role == "" {
		return dsn
	}
	mustExec(t, conn, `DO $$ BEGIN CREATE ROLE `+role+`; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
	mustExec(t, conn, `GRANT ALL ON ALL TABLES IN SCHEMA public TO `+role)
	mustExec(t, conn, `GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO `+role)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, sql := range []string{`DROP OWNED BY ` + role, `DROP ROLE ` + role} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("options", "-c role="+role)
	address.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return address.String()
}

func TestSecondLoadIsRefused(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	if _, _, err := s.LoadCompany(t.Context(), tinyCompany(lateEntry), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.LoadCompany(t.Context(), tinyCompany(lateEntry), nil)
	wantCode(t, err, timesheet.CodeNameTaken)
	if n := ask[int](t, conn, `SELECT count(*) FROM workspace`); n != 1 {
		t.Errorf("%d workspaces, want 1", n)
	}
}

func TestEnsureTokens(t *testing.T) {
	dsn := storetest.New(t)
	s, conn := openStore(t, dsn), connectTo(t, dsn)
	owner, users, err := s.LoadCompany(t.Context(), tinyCompany(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ensure := func() (people string, ids []timesheet.TokenID) {
		holders, err := s.EnsureTokens(t.Context(), owner, "seed")
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range holders {
			people += fmt.Sprintf("%s %s %s %s\n", h.User.Name, *h.User.Email, h.User.Role, h.Token.Scope)
			ids = append(ids, h.Token.ID)
			if v, err := s.Viewer(t.Context(), owner.Workspace.ID, h.User.ID, h.Token.ID); err != nil || v.Role != h.User.Role {
				t.Errorf("%s's token gives %v, %v", h.User.Name, v.Role, err)
			}
		}
		return people, ids
	}
	people, ids := ensure()
	want := "Olga Olga@Acme.example OWNER WRITE\nΜιχάλης m@acme.example MANAGER WRITE\nAna ana@acme.example MEMBER WRITE\n"
	if people != want {
		t.Errorf("got\n%swant\n%s", people, want)
	}
	if again, same := ensure(); again != want || !slices.Equal(same, ids) {
		t.Errorf("again: tokens %v, want %v", same, ids)
	}
	ch := store.Change{Action: "test"}
	if _, _, err := s.RevokeToken(t.Context(), owner, ids[0], ch); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.RemoveMember(t.Context(), owner, users[3].ID, ch); err != nil {
		t.Fatal(err)
	}
	people, fresh := ensure()
	if want := "Olga Olga@Acme.example OWNER WRITE\nΜιχάλης m@acme.example MANAGER WRITE\n"; people != want {
		t.Errorf("with one token revoked and one person removed, got\n%swant\n%s", people, want)
	}
	if fresh[0] == ids[0] || fresh[1] != ids[1] {
		t.Errorf("tokens %v after %v, want another first and the same second", fresh, ids)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM audit WHERE action = 'ensureTokens'`); n != 3 {
		t.Errorf("%d audit rows, want one for each of 3 calls", n)
	}
}

func BenchmarkLoadCompany(b *testing.B) {
	s := storetest.Open(b)
	const entries = 100_000
	seed := uint64(0)
	for b.Loop() {
		seed++
		for c := range demo.Companies(demo.Config{Entries: entries, Tenants: 1, Seed: seed, Until: loadNoon}) {
			if _, _, err := s.CopyCompany(b.Context(), c, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)*entries/b.Elapsed().Seconds(), "entries/s")
}
