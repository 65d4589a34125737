package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"headroom/proof"
	"headroom/store/storetest"
)

// slowReader asks for a file and takes the first byte of it.
func slowReader(t *testing.T, addr, url string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", url, addr); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// Readers that take one byte hold no connection of the database, and do not
// keep the server from ending: they are cut off before the drain ends.
func TestSlowReaders(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	_, token := r.load(20_000) // more than sockets buffer
	r.work()
	x := r.ended(token, r.export(token, "").id)
	public, admin := listen(t), listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.server.Serve(ctx, public, admin, 0, time.Second) }()
	for range 20 {
		slowReader(t, public.Addr().String(), x.url)
	}
	for _, p := range r.store.Stats() {
		if p.Busy > 0 && p.Class != "background" { // in which the server looks for work
			t.Errorf("%d connections of %s are held by slow readers", p.Busy, p.Class)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// A server that ends gives what it is writing back to the queue.
func TestExportIsGivenBack(t *testing.T) {
	r := exportRig(t, storetest.Open(t), nil)
	_, token := r.load(5000)
	x := r.export(token, "")
	e := r.server.exports
	run, err := r.store.StartExport(t.Context(), e.Folder.name)
	if err != nil || run == nil {
		t.Fatal(run, err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errors.New("the server ends"))
	e.write(ctx, run)
	if got := r.exportNow(token, x.id); got.status != "QUEUED" {
		t.Errorf("the export is %s, want QUEUED", got.status)
	}
	if left := filesIn(t, e.Folder); len(left) > 0 {
		t.Errorf("the files %v are left", left)
	}
	r.work()
	if got := r.ended(token, x.id); got.status != "READY" || got.rows != 5000 {
		t.Errorf("begun anew it is %+v", got)
	}
}

// An export of a million entries is written within 32 MiB of memory: it holds
// a batch, and never the file.
func TestExportMemoryIsBounded(t *testing.T) {
	n := proof.Size(t, 1_000_000, 20_000)
	r := exportRig(t, storetest.Open(t), func(c *Config) { c.Exports.Folder.limit, c.Exports.Quota = 8<<30, 8<<30 })
	_, token := r.load(n)
	x := r.export(token, "")
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	watching, stop := context.WithCancel(t.Context())
	most := make(chan uint64, 1)
	go func() {
		var top uint64
		for watching.Err() == nil {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			top = max(top, now.HeapAlloc)
			select {
			case <-watching.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
		most <- top
	}()
	r.server.exports.work(t.Context())
	stop()
	grown := int64(<-most) - int64(before.HeapAlloc)
	if got := r.exportNow(token, x.id); got.status != "READY" || int(got.rows) != n {
		t.Errorf("the export is %+v, want %d rows", got, n)
	}
	proof.Result(t, "an export of %d entries: the heap grew by %d KiB", n, grown>>10)
	if grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB, want at most 32", grown>>20)
	}
}
