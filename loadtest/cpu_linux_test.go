package loadtest

import (
	"net"
	"os"
	"testing"
	"time"
)

func TestParseProcess(t *testing.T) {
	tests := []struct {
		name, line string
		want       process
		ok         bool
	}{
		{"plain", "42 (headroom) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 7 3 20 0 9 0 1234", process{42, 1, "headroom", 2100 * time.Millisecond}, true},
		{"brackets in the name", "43 (a) b (c)) R 42 42 42 0 -1 0 0 0 0 0 1 2 3 4 20 0", process{43, 42, "a) b (c)", 100 * time.Millisecond}, true},
		{"short", "42 (headroom) S 1 42", process{}, false},
		{"no name", "42 S 1", process{}, false},
		{"no number", "x (headroom) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 7 3 20 0", process{}, false},
		{"empty", "", process{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parseProcess(tt.line); got != tt.want || ok != tt.ok {
				t.Errorf("%+v, %t, want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestWatchFindsTheServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if w := newWatch(port); w.server != os.Getpid() {
		t.Errorf("port %s belongs to %d (%s), want %d", port, w.server, w.why, os.Getpid())
	}
	if got := newWatch(port).read(); !got.seen || got.total < got.client {
		t.Errorf("%+v, want a machine at least as busy as this process", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if w := newWatch(port); w.server != 0 || w.why == "" {
		t.Errorf("a closed port belongs to %d (%q)", w.server, w.why)
	}
}
