package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// peer is a server on this machine, a process of its own.
type peer struct {
	name  string
	words words
	addr  string
	cmd   *exec.Cmd
	log   *os.File
}

// make is how a peer is built and started on an address and a database.
type recipe struct {
	name  string
	words words
	build func(ctx context.Context, dir string) error
	run   func(dir, dsn, addr string) *exec.Cmd
}

// recipes are all peers; the first two are what others are compared with.
var recipes = []recipe{
	{name: "headroom", words: ours, build: build("..", "./cmd/headroom", "headroom"), run: func(dir, dsn, addr string) *exec.Cmd {
		return exec.Command(filepath.Join(dir, "headroom"), "serve", "--database-url", dsn, "--addr", addr, "--admin-addr", "127.0.0.1:0",
			"--export-dir", filepath.Join(dir, "exports"), "--budget-user", "1000000000/1000000000", "--budget-workspace", "1000000000/1000000000")
	}},
	goPeer("LIMIT", statement, "limit"),
	goPeer("LIMIT on headroom's tables", ownTables, "limit"),
	goPeer("gqlgen", textbook, "gqlgen"),
	nodePeer("Mercurius", textbook, "mercurius.js"),
	nodePeer("Apollo", textbook, "apollo.js"),
	nodePeer("PostGraphile", postgraphile, "postgraphile.js"),
}

func goPeer(name string, w words, folder string) recipe {
	return recipe{name: name, words: w, build: build(".", "./peers/"+folder, folder), run: func(dir, dsn, addr string) *exec.Cmd {
		return exec.Command(filepath.Join(dir, folder), "--database", dsn, "--addr", addr)
	}}
}

// build compiles a command of a module.
func build(module, path, name string) func(context.Context, string) error {
	return func(ctx context.Context, dir string) error {
		out, err := exec.CommandContext(ctx, "go", "build", "-C", module, "-o", filepath.Join(dir, name), path).CombinedOutput()
		if err != nil {
			return fmt.Errorf("build %s: %w\n%s", path, err, out)
		}
		return nil
	}
}

// start builds and runs a peer and waits until it listens. Its output goes to
// a file.
func (r recipe) start(ctx context.Context, dir, dsn string) (*peer, error) {
	if err := r.build(ctx, dir); err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &peer{name: r.name, words: r.words, addr: addr, cmd: r.run(dir, dsn, addr)}
	if p.log, err = os.Create(filepath.Join(dir, r.name+".log")); err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", r.name, err)
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return p, conn.Close()
		}
	}
	return p, errors.Join(fmt.Errorf("%s does not listen: see %s", r.name, p.log.Name()), p.stop())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// stop ends the process. That a signal has ended it is no error.
func (p *peer) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = p.cmd.Wait()
	return p.log.Close()
}

// link is a connection to a peer that is kept. It is used by one goroutine.
type link struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func (p *peer) dial() (*link, error) {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		return nil, err
	}
	return &link{conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}, nil
}

// saysNo is how an answer begins that is none, whatever its status.
var saysNo = []byte(`{"errors":`)

// refusal is an answer that says no.
type refusal struct {
	said   string
	waited time.Duration // on purpose, by its Server-Timing: for a turn, or since its client came too early
}

func (r *refusal) Error() string { return "refused: " + r.said }

// waits are the parts of Server-Timing that a server spends on nothing.
var waits = regexp.MustCompile(`\b(?:queue|hold);dur=([0-9.]+)`)

func refusalOf(header http.Header, said string) *refusal {
	r := &refusal{said: said}
	for _, wait := range waits.FindAllStringSubmatch(header.Get("Server-Timing"), -1) {
		ms, _ := strconv.ParseFloat(wait[1], 64) // no number counts as none
		r.waited += time.Duration(ms * float64(time.Millisecond))
	}
	return r
}

// send sends a message as somebody and reads the answer into buf, which it
// returns.
func (l *link) send(m message, who person, w words, buf []byte) ([]byte, error) {
	l.out = append(l.out[:0], "POST "...)
	l.out = append(append(l.out, m.path...), " HTTP/1.1\r\nHost: peer\r\nContent-Type: application/json\r\nAccept: application/json\r\n"...)
	if w == ours {
		l.out = append(append(append(l.out, "Authorization: Bearer "...), who.token...), "\r\n"...)
	} else {
		l.out = append(strconv.AppendInt(append(l.out, "X-User: "...), who.key, 10), "\r\n"...)
	}
	l.out = append(strconv.AppendInt(append(l.out, "Content-Length: "...), int64(len(m.body)), 10), "\r\n\r\n"...)
	if _, err := l.conn.Write(append(l.out, m.body...)); err != nil {
		return buf, err
	}
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return buf, err
	}
	defer resp.Body.Close()
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := resp.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return buf, err
		}
	}
	if resp.StatusCode != http.StatusOK {
		return buf, refusalOf(resp.Header, fmt.Sprintf("status %d: %.300s", resp.StatusCode, buf))
	}
	if bytes.HasPrefix(buf, saysNo) {
		return buf, refusalOf(resp.Header, fmt.Sprintf("%.300s", buf))
	}
	return buf, nil
}
