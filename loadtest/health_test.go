package loadtest

import (
	"context"
	"math"
	"testing"
	"time"
)

func TestServersSide(t *testing.T) {
	const s = time.Second
	tree := []process{
		{1, 0, "init", s},
		{10, 1, "headroom", 2 * s},
		{11, 10, "postgres", 4 * s},
		{12, 11, "postgres", 8 * s},
		{20, 1, "compiler", 16 * s},
		{30, 1, "surge", 32 * s},
		{31, 30, "other", 64 * s},
	}
	elsewhere := []process{{10, 1, "headroom", 2 * s}, {50, 1, "postgres", 4 * s}, {51, 50, "postgres", 8 * s}, {20, 1, "compiler", 16 * s}}
	own := []process{{30, 1, "loadtest.test", 2 * s}, {31, 30, "child", 4 * s}}
	tests := []struct {
		name        string
		all         []process
		server, own int
		want        time.Duration
	}{
		{"with its own database", tree, 10, 30, 14 * s},
		{"with a database started elsewhere", elsewhere, 10, 30, 14 * s},
		{"inside the generator", own, 30, 30, 4 * s},
		{"started by the generator", []process{{30, 1, "surge", s}, {31, 30, "headroom", 2 * s}}, 31, 30, 2 * s},
		{"gone", tree[:1], 10, 30, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := serversSide(tt.all, tt.server, tt.own); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestBetween(t *testing.T) {
	const s = time.Second
	t0 := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	from := reading{at: t0, client: s, server: 10 * s, total: 100 * s, seen: true}
	to := reading{at: t0.Add(10 * s), client: 2 * s, server: 18 * s, total: 114 * s, seen: true}
	if got, want := between(from, to, 2), (Usage{Client: 0.05, Server: 0.4, Strangers: 0.25, Seen: true}); math.Abs(got.Strangers-want.Strangers) > 1e-9 || got.Client != want.Client || got.Server != want.Server || !got.Seen {
		t.Errorf("%+v, want %+v", got, want)
	}
	to.total = 100 * s // ticks are coarse
	if got := between(from, to, 2); got.Strangers != 0 {
		t.Errorf("strangers %g, want none rather than less", got.Strangers)
	}
	to.seen = false
	if got := between(from, to, 2); got.Seen || got.Strangers != 0 || got.Client != 0.05 {
		t.Errorf("%+v, want our own share alone", got)
	}
	if got := between(from, from, 2); got != (Usage{}) {
		t.Errorf("no time: %+v", got)
	}
}

func TestWatchPhasesHeedsCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spans := []span{{Phase{Name: "a"}, 0, time.Hour}, {Phase{Name: "b"}, time.Hour, 2 * time.Hour}}
	if got := (watch{}).phases(ctx, time.Now(), spans); len(got) != 1 {
		t.Errorf("%d phases measured after a cancel, want the one that was cut short", len(got))
	}
}

func TestQuietReturnsWhereNothingIsSeen(t *testing.T) {
	(watch{}).quiet(t.Context(), time.Hour, t.Logf) // an hour's wait would outlast the test
}
