package main

import (
	"strings"
	"testing"

	"headroom/store/storetest"
)

// A price table is published with a reason, by at most a fifth, and shown by whom.
func TestPrices(t *testing.T) {
	dsn := storetest.New(t)
	step := func(code int, out, stderr string, args ...string) {
		t.Helper()
		r := runs(t, append([]string{"prices"}, append(args, "--database-url", dsn)...)...)
		if r.code != code || !strings.Contains(r.out, out) || !strings.Contains(r.stderr, stderr) {
			t.Errorf("%v: exit %d, %q, %q; want %d, %q, %q", args, r.code, r.out, r.stderr, code, out, stderr)
		}
	}
	signed := func(set ...string) []string {
		args := []string{"publish", "--author", "Ann", "--reason", "a slower disk"}
		for _, s := range set {
			args = append(args, "--set", s)
		}
		return args
	}
	step(0, "version 0, this program's own", "", "show")
	step(0, "version 0 fits what was learned", "", "diff")
	step(1, "", "give --author and --reason", "publish", "--set", "row.table=0.0006", "--author", "Ann")
	step(1, "", "there is nothing to publish", signed()...)
	step(1, "", "row.table: from 0.00054 to 0.0007 is a change of +29.7 %; at most 20 % can be published at a time, to 0.000648", signed("row.table=0.0007")...)
	step(1, "", "row.table: from 0.00054 to 0.0006481 is a change of +20.1 %", signed("row.table=0.0006481")...)
	step(1, "", "row.table: from 0.00054 to 0.0004 is a change of -26.0 %; at most 20 % can be published at a time, to 0.000432", signed("row.table=0.0004")...)
	step(1, "", "rows: there is no such price", signed("rows=1")...)
	step(1, "", "row.table: NaN is no positive number", signed("row.table=NaN")...)
	step(0, "+20.0 %", "", signed("row.index=0.000276")...) // a fifth exactly
	step(0, "+11.1 %", "", signed("row.table=0.0006")...)
	step(0, "by Ann: a slower disk", "", "show")
	step(0, "VERSION 3", "", signed("row.table=0.0007")...)
}
