package main

import (
	"strings"
	"syscall"
	"testing"

	"headroom/store/storetest"
)

// While the database hangs, operators see at once what is in force, and are told that it
// takes no orders and not that nobody is there.
func TestOrdersWhileTheDatabaseIsAway(t *testing.T) {
	dir := storetest.Dir(t)
	p := serve(t, "--data-dir", dir, "--demo-entries", "50", "--log-level", "error")
	gate := func(args ...string) result {
		return runs(t, append(append([]string{"gate"}, args...), "--admin-url", p.admin)...)
	}
	if r := gate("block", "--client", "mobile", "--unseen", "--reason", "it floods"); r.code != 0 {
		t.Fatalf("block: %s", r.stderr)
	}
	signalPostgres(t, dir, syscall.SIGSTOP)
	waitUntil(t, "the server knows that its database is away", func() bool { return p.gauge("headroom_database_up") == 0 })
	if r := gate("status"); r.code != 0 || !strings.Contains(r.out, "! client mobile is blocked for ") || !strings.Contains(r.out, "\nthe database does not answer: what was ordered before is not known\n") {
		t.Errorf("status: exit %d, %s%s", r.code, r.out, r.stderr)
	}
	for _, args := range [][]string{{"block", "--client", "web", "--unseen"}, {"unblock", "--client", "mobile"}, {"mode", "static"}} {
		if r := gate(append(args, "--reason", "a storm")...); r.code != 1 || r.stderr != "headroom: the database did not take the order, so other servers would not know of it: it does not answer\n" {
			t.Errorf("%v: exit %d, %s%s", args, r.code, r.out, r.stderr)
		}
	}
	if status, body, err := postAs(p.url, demoOwner, "mobile@1", "{ viewer { role } }"); err != nil || !strings.Contains(body, "UNAVAILABLE") {
		t.Errorf("a client is answered %d %s %v", status, body, err)
	}
	signalPostgres(t, dir, syscall.SIGCONT)
	waitUntil(t, "orders are taken again", func() bool { return gate("unblock", "--client", "mobile", "--reason", "over").code == 0 })
	if r := gate("status"); r.code != 0 || strings.Contains(r.out, "does not answer") || !strings.Contains(r.out, "it floods") {
		t.Errorf("status: exit %d, %s%s", r.code, r.out, r.stderr)
	}
}
