package main

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"headroom/store/storetest"
)

// From the alarm to the culprit and to an end of it: two servers, a client that
// asks for a year again and again, and an operator with a terminal.
func TestGateFromTheAlarmToTheBlock(t *testing.T) {
	dsn := storetest.New(t)
	token := func(workspace string) string {
		r := runs(t, "token", "create", "--database-url", dsn, "--workspace", workspace, "--email", strings.ToLower(workspace)+"@acme.example")
		if r.code != 0 {
			t.Fatal(r.stderr)
		}
		return strings.TrimSpace(r.out)
	}
	storm, calm := token("Globex"), token("Acme")
	here, there := serve(t, "--database-url", dsn, "--db-cores", "1", "--gate", "adaptive"), serve(t, "--database-url", dsn, "--db-cores", "1", "--gate", "adaptive")
	ask := func(p *process, token, client, query string) (int, string) {
		t.Helper()
		status, body, err := postAs(p.url, token, client, query)
		if err != nil {
			t.Fatal(err)
		}
		return status, body
	}
	const year = `query Year { timesheetReport(input: {period: {from: "2020-01-01", to: "2026-12-31"}, groupBy: [PROJECT, USER]}) { rows { label } } }`
	const day = `query Day { myDay { day } }`
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() { ask(here, storm, "mobile@3.1.0", year) })
	}
	wg.Wait()
	for range 5 {
		if status, body := ask(here, calm, "web@7", day); status != http.StatusOK {
			t.Errorf("the others are answered %d %s", status, body)
		}
	}
	admin := func(p *process, args ...string) result { return runs(t, append(args, "--admin-url", p.admin)...) }

	top := admin(here, "top", "--once")
	lines := strings.Split(top.out, "\n")
	named := regexp.MustCompile(`^most asked for: Globex \(\d+\) · Year#[0-9a-f]{8} · mobile@3\.1\.0: \d+ % of the points of the last minute, \d+ ran, \d+ refused$`)
	if top.code != 0 || len(lines) < 3 || !named.MatchString(lines[1]) {
		t.Fatalf("top: exit %d\n%s%s", top.code, top.out, top.stderr)
	}
	if byRefused := admin(here, "top", "--once", "--json", "--by", "refused"); !strings.Contains(byRefused.out, `"culprit":{"workspaceId":`) {
		t.Errorf("top --json: %s %s", byRefused.out, byRefused.stderr)
	}
	label := regexp.MustCompile(`Year#[0-9a-f]{8}`).FindString(lines[1])

	for want, args := range map[string][]string{
		`no operation "Yaer" was seen here of late: did you mean "Year"?`: {"gate", "block", "--operation", "Yaer", "--reason", "a storm"},
		`--reason`: {"gate", "block", "--operation", "Year"},
		`mode "statc" is not adaptive, static or open: did you mean "static"?`: {"gate", "mode", "statc", "--reason", "a storm"},
		`did you mean "block"`:   {"gate", "blok", "--operation", "Year", "--reason", "a storm"},
		`can't be used together`: {"gate", "block", "--operation", "Year", "--client", "web", "--reason", "a storm"},
		`--tenant`:               {"gate", "block", "--reason", "a storm"},
	} {
		if r := admin(here, args...); r.code != 1 || !strings.Contains(r.stderr, want) || strings.Count(strings.TrimSpace(r.stderr), "\n") > 0 {
			t.Errorf("%v: exit %d, %s, want one line with %s", args, r.code, r.stderr, want)
		}
	}
	if r := admin(here, "gate", "status"); !strings.Contains(r.out, "mode adaptive (configured adaptive), report slots 1\nno orders are in force") {
		t.Errorf("the status before: %s%s", r.out, r.stderr)
	}

	r := admin(here, "gate", "block", "--operation", label, "--for", "10m", "--reason", "a storm of reports")
	if want := "operation " + label + " is blocked for 10m0s, on all servers within a second\n"; r.code != 0 || r.out != want {
		t.Fatalf("block: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	for _, p := range []*process{here, there} {
		for tries := 0; ; tries++ {
			status, body := ask(p, storm, "mobile@3.1.0", year)
			if status == http.StatusServiceUnavailable && strings.Contains(body, `"reason":"blocked"`) {
				break
			}
			if tries > 1000 {
				t.Fatalf("the block does not act: %d %s", status, body)
			}
		}
		if status, body := ask(p, calm, "web@7", day); status != http.StatusOK {
			t.Errorf("the others are answered %d %s", status, body)
		}
	}
	if r := admin(there, "gate", "status"); !strings.Contains(r.out, "! operation "+label+" is blocked for ") || !strings.Contains(r.out, "a storm of reports (") || !strings.Contains(r.out, "1 refused here") {
		t.Errorf("the status on the other server: %s%s", r.out, r.stderr)
	}
	if r := admin(there, "gate", "unblock", "--operation", label, "--reason", "the app is mended"); r.code != 0 || r.out != "ended: operation "+label+"\n" {
		t.Errorf("unblock: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if r := admin(here, "gate", "status"); !strings.Contains(r.out, "no orders are in force") || !strings.Contains(r.out, "the app is mended") {
		t.Errorf("the status at the end: %s%s", r.out, r.stderr)
	}
	if r := runs(t, "top", "--once", "--admin-url", "http://127.0.0.1:1"); r.code != 1 || !strings.Contains(r.stderr, "cannot reach the operators' address http://127.0.0.1:1 (--admin-url)") {
		t.Errorf("nobody there: exit %d, %s", r.code, r.stderr)
	}
	if r := runs(t, "gate", "status", "--admin-url", here.url); r.code != 1 || !strings.Contains(r.stderr, "is no operators' address") {
		t.Errorf("the public address: exit %d, %s", r.code, r.stderr)
	}
}

// What clients call themselves cannot steer a terminal.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{"Zoë's app": "Zoë's app", "a\x1b[2Jb": "a?[2Jb", "a\u202eb\n": "a?b?"} {
		if got := printable(text); got != want {
			t.Errorf("printable(%q) = %q, want %q", text, got, want)
		}
	}
	if got := cut("a long name that goes on", 10); got != "a long na…" {
		t.Errorf("cut: %q", got)
	}
}
