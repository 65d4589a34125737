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
	asked := func(p *process, token, client, wants string) bool {
		_, body := ask(p, token, client, day)
		return strings.Contains(body, wants)
	}
	admin := func(p *process, args ...string) result { return runs(t, append(args, "--admin-url", p.admin)...) }

	top := admin(here, "top", "--once")
	lines := strings.Split(top.out, "\n")
	named := regexp.MustCompile(`^most asked for: Globex \(\d+\) · Year#[0-9a-f]{8} · mobile@3\.1\.0: \d+ % of the points of the last minute, \d+ ran, \d+ refused$`)
	if top.code != 0 || len(lines) < 3 || !named.MatchString(lines[1]) {
		t.Fatalf("top: exit %d\n%s%s", top.code, top.out, top.stderr)
	}
	if byRefused := admin(here, "top", "--once", "--json", "--by", "refused"); !strings.Contains(byRefused.out, `"askers":[{"workspaceId":`) {
		t.Errorf("top --json: %s %s", byRefused.out, byRefused.stderr)
	}
	label := regexp.MustCompile(`Year#[0-9a-f]{8}`).FindString(lines[1])

	both := runs(t, "top", "--once", "--admin-url", here.admin+","+there.admin+",http://127.0.0.1:1")
	if lines := strings.Split(both.out, "\n"); both.code != 0 || len(lines) < 3 || !named.MatchString(lines[1]) || !strings.Contains(both.out, "\nSERVER ") || !strings.Contains(both.out, there.admin) || !regexp.MustCompile(`(?m)^http://127\.0\.0\.1:1 +cannot reach`).MatchString(both.out) {
		t.Errorf("top of both: exit %d\n%s%s", both.code, both.out, both.stderr)
	}
	for want, args := range map[string][]string{
		`no operation "Yaer" was seen here of late: did you mean "Year"?`: {"gate", "block", "--operation", "Yaer", "--reason", "a storm"},
		`--reason`: {"gate", "block", "--operation", "Year"},
		`mode "statc" is not adaptive, static or open: did you mean "static"?`:                                                                  {"gate", "mode", "statc", "--reason", "a storm"},
		`rung "readonly" is none of no_background, kept_reports, no_extras, refuse_reports, read_only, only_control: did you mean "read_only"?`: {"gate", "brownout", "readonly", "--reason", "a storm"},
		`"report" is no CLASS=SEATS, such as report=2`:                                                                                          {"gate", "set", "report", "--reason", "a storm"},
		`class "reports" is none of control, interactive, background`:                                                                           {"gate", "set", "reports=2", "--reason", "a storm"},
		`no server runs the request "b1946ac9"`:                                                                                                 {"gate", "kill", "b1946ac9", "--reason", "a storm"},
		`there is no token 7654321`:                                                                                                             {"gate", "block", "--token", "7654321", "--reason", "a storm"},
		`missing flags: --reason=TEXT; see headroom gate kill --help`:                                                                           {"gate", "kill", "b1946ac9"},
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
	if after := strings.Split(admin(here, "top", "--once").out, "\n"); len(after) < 3 || !strings.HasSuffix(after[1], ", blocked now") || !strings.HasPrefix(after[2], "! operation "+label+" is blocked for ") {
		t.Errorf("top after the block: %q, want that the culprit is blocked", after)
	}
	if r := admin(there, "gate", "status"); !strings.Contains(r.out, "! operation "+label+" is blocked for ") || !strings.Contains(r.out, "a storm of reports (") || !strings.Contains(r.out, "1 refused here") {
		t.Errorf("the status on the other server: %s%s", r.out, r.stderr)
	}
	if r := admin(there, "gate", "unblock", "--operation", label, "--reason", "the app is mended"); r.code != 0 || r.out != "ended: operation "+label+"\n" {
		t.Errorf("unblock: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	for tries := 0; ; tries++ { // a server learns within a second what another was told
		r := admin(here, "gate", "status")
		if strings.Contains(r.out, "no orders are in force") && strings.Contains(r.out, "the app is mended") {
			break
		}
		if tries > 100 {
			t.Fatalf("the status at the end: %s%s", r.out, r.stderr)
		}
	}
	for _, order := range []struct {
		args []string
		says string // the first server, that the order is given
		acts func() bool
	}{
		{[]string{"gate", "block", "--client", "mobile", "--for", "1s"}, "client mobile is blocked for 1s", func() bool { return asked(there, storm, "mobile@3.1.0", `"reason":"blocked"`) }},
		{[]string{"gate", "brownout", "read_only", "--for", "1s"}, "brownout: read_only at least for 1s", func() bool { return there.gauge("headroom_brownout_step") >= 5 }},
		{[]string{"gate", "set", "interactive=3", "--for", "1s"}, "seats of interactive: 3 for 1s", func() bool { return there.gauge(`headroom_gate_seats{class="interactive"}`) == 3 }},
		{[]string{"gate", "set", "report=3", "--for", "1s"}, "report slots: 3 for 1s", func() bool { return there.gauge(`headroom_gate_seats{class="report"}`) == 3 }},
		{[]string{"gate", "mode", "static", "--for", "1s"}, "the gate's mode is static for 1s", func() bool {
			return strings.Contains(admin(there, "gate", "status").out, "mode static (configured adaptive)")
		}},
	} {
		if r := admin(here, append(order.args, "--reason", "a storm")...); r.code != 0 || r.out != order.says+", on all servers within a second\n" {
			t.Errorf("%v: exit %d, %s%s", order.args, r.code, r.out, r.stderr)
		}
		waitUntil(t, strings.Join(order.args, " ")+" acts on the other server", order.acts)
		waitUntil(t, strings.Join(order.args, " ")+" ends by itself", func() bool { return !order.acts() })
	}
	if r := admin(here, "gate", "set", "report=auto", "--reason", "over"); r.code != 1 || !strings.Contains(r.stderr, "no order about slots is in force") {
		t.Errorf("the end of what is over: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if r := runs(t, "gate", "status", "--admin-url", "http://127.0.0.1:1,"+here.admin); !strings.Contains(r.out, "no orders are in force") {
		t.Errorf("the first of two servers is away: %s%s", r.out, r.stderr)
	}
	if status, body := ask(there, calm, "desk@2", day); status != http.StatusOK {
		t.Errorf("the other server answers %d %s", status, body)
	}
	for _, first := range []string{here.admin, here.url, "http://127.0.0.1:1"} { // nobody asked it by that name, is no operators' address, is away
		addresses := first + "," + there.admin
		if r := runs(t, "gate", "block", "--client", "desk@2", "--for", "1m", "--reason", "it floods", "--admin-url", addresses); r.code != 0 || r.out != "client desk@2 is blocked for 1m0s, on all servers within a second\n" {
			t.Errorf("an order to %s: exit %d, %s%s", addresses, r.code, r.out, r.stderr)
		}
	}
	if r := runs(t, "gate", "unblock", "--client", "desk@2", "--reason", "over", "--admin-url", here.url+","+there.admin); r.code != 0 {
		t.Errorf("its end: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	if r := runs(t, "gate", "mode", "statc", "--reason", "a storm", "--admin-url", here.admin+",http://127.0.0.1:1,"+there.admin); r.code != 1 || strings.Count(r.stderr, "did you mean") != 1 || strings.Contains(r.stderr, "cannot reach") {
		t.Errorf("a typing error to all: exit %d, %s", r.code, r.stderr)
	}
	for _, p := range []*process{here, there} {
		for _, line := range []string{`"an operator's order is in force"`, `"an operator's order has ended"`} {
			if !strings.Contains(p.log.String(), line) {
				t.Errorf("the log lacks %s", line)
			}
		}
	}
	if r := runs(t, "top", "--once", "--admin-url", "http://127.0.0.1:1"); r.code != 1 || !strings.Contains(r.stderr, "cannot reach the operators' address http://127.0.0.1:1 (--admin-url)") {
		t.Errorf("nobody there: exit %d, %s", r.code, r.stderr)
	}
	if r := runs(t, "gate", "status", "--admin-url", here.url); r.code != 1 || !strings.Contains(r.stderr, "is no operators' address") {
		t.Errorf("the public address: exit %d, %s", r.code, r.stderr)
	}
}

// An order is what its command line says, whatever the environment holds for others.
func TestOrdersAreNotReadFromTheEnvironment(t *testing.T) {
	for _, args := range [][]string{
		{"gate", "block", "--operation", "Year"},
		{"gate", "block", "--reason", "a storm"},
	} {
		cmd := command(t, append(args, "--admin-url", "http://127.0.0.1:1")...)
		cmd.Env = append(cmd.Env, "HEADROOM_TOKEN=7", "HEADROOM_CLIENT=web", "HEADROOM_REASON=whatever", "HEADROOM_FOR=9h")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "headroom: missing flags") || !strings.Contains(string(out), "see headroom gate block --help") {
			t.Errorf("%v: %v, %s", args, err, out)
		}
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
