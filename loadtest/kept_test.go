package loadtest

import (
	"reflect"
	"testing"
	"time"
)

// What is kept of a row is the row, but for its times, which are rounded up.
func TestRowsAreKept(t *testing.T) {
	r := row{
		sent: 3*time.Hour/2 + 1, end: 2*time.Hour + 2*time.Minute + 18*time.Second, served: 1, queued: 2, bytes: 3, told: 6, status: 503,
		outcome: Shed, op: 4, kind: 2, attempts: 5, remark: foreign,
	}
	k := packed(r)
	got := k.row()
	if got.sent-r.sent != instant-1 || got.end != r.end {
		t.Errorf("sent %v and ended %v, want %v rounded up, and %v", got.sent, got.end, r.sent, r.end)
	}
	if got.sent = r.sent; got != r {
		t.Errorf("%+v is kept as %+v", r, got)
	}
	if rows, kepts := reflect.TypeFor[row]().NumField(), reflect.TypeFor[kept]().NumField(); rows != kepts {
		t.Errorf("%d of a row's %d fields are kept", kepts, rows)
	}
}
