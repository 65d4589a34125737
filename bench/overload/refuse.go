package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"headroom/limits"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// refusals is what refusing costs the processor of a server.
type refusals struct {
	Bare, Ours []float64 // us a request that is answered with 503, of each round
	Click      float64   // us of the server's for each click that is answered
	Herd       *herd
}

const rounds = 5

// refuse measures a bare handler and ours in turns, and then the herds.
func (b *bed) refuse(ctx context.Context, o options) (*refusals, error) {
	out := &refusals{}
	body, err := json.Marshal(click.body(rand.New(rand.NewPCG(1, 1))))
	if err != nil {
		return nil, err
	}
	for range rounds {
		for _, kind := range []string{"bare", "refusing"} {
			us, err := b.costOf(ctx, kind, requestOf(b.tokens[0], body), o.block/10)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
			if kind == "bare" {
				out.Bare = append(out.Bare, us)
			} else {
				out.Ours = append(out.Ours, us)
			}
		}
	}
	if out.Click, err = b.costOfClick(ctx, o.block/4); err != nil {
		return nil, err
	}
	tokens, err := b.crowd(ctx, herdSize)
	if err != nil {
		return nil, err
	}
	out.Herd, err = b.herd(ctx, tokens, body)
	return out, err
}

// requestOf is a click as an app sends it.
func requestOf(token string, body []byte) []byte {
	return fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: bench\r\nAccept: application/graphql-response+json, application/json;q=0.9\r\nApollographql-Client-Name: app\r\n"+
		"Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
}

// costOf has 16 connections ask a server that refuses, and returns its processor
// time for each, in us.
func (b *bed) costOf(ctx context.Context, kind string, request []byte, during time.Duration) (float64, error) {
	servers, err := b.start(ctx, kind, 1)
	if err != nil {
		return 0, err
	}
	defer stopAll(servers)
	s := servers[0]
	if _, err := ask(s, request, 16, during/4, http.StatusServiceUnavailable); err != nil { // it warms up
		return 0, err
	}
	began, err := s.cpu()
	if err != nil {
		return 0, err
	}
	n, err := ask(s, request, 16, during, http.StatusServiceUnavailable)
	if err != nil {
		return 0, err
	}
	ended, err := s.cpu()
	return float64((ended - began).Microseconds()) / float64(n), err
}

// costOfClick is the server's processor time for a click that is answered.
func (b *bed) costOfClick(ctx context.Context, during time.Duration) (float64, error) {
	servers, err := b.start(ctx, "adaptive", 1)
	if err != nil {
		return 0, err
	}
	defer stopAll(servers)
	l := newLoad(servers, b.tokens)
	if err := l.warm(ctx, click, 1); err != nil {
		return 0, err
	}
	began, err := servers[0].cpu()
	if err != nil {
		return 0, err
	}
	rate, err := l.closed(ctx, click, 4, during)
	if err != nil {
		return 0, err
	}
	ended, err := servers[0].cpu()
	return float64((ended - began).Microseconds()) / (rate * during.Seconds()), err
}

// ask has connections ask again and again for a while, and returns how often.
func ask(s *process, request []byte, connections int, during time.Duration, want int) (int, error) {
	var n atomic.Int64
	var failed atomic.Value
	var asking sync.WaitGroup
	end := time.Now().Add(during)
	for range connections {
		asking.Go(func() {
			c, err := dial(s)
			if err != nil {
				failed.Store(err)
				return
			}
			defer c.Close()
			for time.Now().Before(end) {
				status, err := c.ask(request)
				if err == nil && status != want {
					err = fmt.Errorf("the status is %d, want %d", status, want)
				}
				if err != nil {
					failed.Store(err)
					return
				}
				n.Add(1)
			}
		})
	}
	asking.Wait()
	err, _ := failed.Load().(error)
	return int(n.Load()), err
}

// connection asks with as little work as can be: the load shares the servers' core.
type connection struct {
	net.Conn
	answers *bufio.Reader
}

func dial(s *process) (*connection, error) {
	addr := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/graphql")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReaderSize(conn, 2048)}, nil
}

func (c *connection) ask(request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	length := 0
	for {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 ")); ok {
			status, _ = strconv.Atoi(string(rest[:3]))
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
		if len(line) == 2 {
			_, err := c.answers.Discard(length)
			return status, err
		}
	}
}

// cpu is the processor time that a server has used.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read /proc: %w %w", err1, err2)
	}
	return time.Duration(user+system) * time.Second / 100, nil
}

// serveRefusing is a server of ours whose gate refuses everybody, and which logs
// each request as the product does.
func serveRefusing(ctx context.Context, dsn string) error {
	closed, err := limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(1)})
	if err != nil {
		return err
	}
	closed.Drain()
	return serveAnother(ctx, dsn, closed, true)
}

// serveBare answers every request as ours refuses one, and does nothing else.
func serveBare(ctx context.Context) error {
	debug.SetGCPercent(collectAt)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer := bytes.Repeat([]byte("x"), refusalBytes)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(answer)
	})}
	fmt.Printf("answers at http://%s/graphql\n", l.Addr())
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(l); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// refusalBytes is about how long the body of a refusal is.
const refusalBytes = 400

// writeRefusal adds what refusing costs to the page.
func (r *result) writeRefusal(b *strings.Builder) {
	x := r.Refusal
	b.WriteString("\n## What a refusal costs\n\n")
	r.tellMachine(b)
	bare, ours := quantile(x.Bare, 0.5), quantile(x.Ours, 0.5)
	fmt.Fprintf(b, `Processor time of the server, of the kernel's work for it too, for a click that it
refuses: 16 connections ask again and again, and each refusal is logged, counted and
noted for operators. *Bare* is a handler of net/http that reads the same body and
answers 503 with as many bytes, and nothing else. Medians of %d turns each.

| | us a request | of each turn |
|---|---|---|
| bare | %.1f | %s |
| headroom | %.1f | %s |

A refusal costs %.1f times the bare handler, %.1f us are ours. M11 allows 50 us: %s.

## Clients that ask again at once

%d clients on as many connections ask for a click, and again as soon as they are
refused. The database can do %.0f clicks a second, which take %.3f of a core of the
server.

| | requests a second | clicks answered a second | cores of the server | without the clicks |
|---|---|---|---|---|
`, len(x.Bare), bare, each(x.Bare), ours, each(x.Ours), ours/bare, ours-bare, verdict(ours <= 50), herdSize, r.Peak, r.Peak*x.Click/1e6)
	h := x.Herd
	for i, when := range []string{"first", "then, while the server learns that they stay, for", "then for"} {
		fmt.Fprintf(b, "| %s %s | %.0f | %.0f | %.3f | %.3f |\n", when, herdFor[i], h.Asked[i], h.Answered[i], h.Cores[i], h.refusing(i, x.Click))
	}
	ours = h.refusing(2, x.Click)
	fmt.Fprintf(b, "\nThey may cost a tenth of a core; once they are held back they cost %.3f: %s.\n", ours, verdict(ours <= 0.1))
}

func each(values []float64) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprintf("%.1f", v))
	}
	return strings.Join(out, ", ")
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}
