package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// idle is how many connections are held open that have asked once.
const idle = 5000

// footprint is what a peer takes before it does anything.
type footprint struct {
	Peer    string  `json:"peer"`
	Ready   float64 `json:"ready"`   // ms from its start until it is ready
	First   float64 `json:"first"`   // ms from then to its first answer
	Idle    float64 `json:"idle"`    // MB once it has answered
	Worked  float64 `json:"worked"`  // MB after some seconds of work at 8 connections
	PerConn float64 `json:"perConn"` // kB of each idle connection
	Binary  float64 `json:"binary"`  // MB; 0: it is no binary
}

// measureFootprints starts each peer anew, when nothing else runs.
func (b *bench) measureFootprints(ctx context.Context, wanted []recipe) error {
	for _, r := range wanted {
		if r.words == ownTables { // it is LIMIT again
			continue
		}
		f, err := b.footprint(ctx, r)
		if err != nil {
			return fmt.Errorf("footprint of %s: %w", r.name, err)
		}
		b.footprints = append(b.footprints, f)
		if err := b.publishFootprints(); err != nil {
			return err
		}
	}
	var err error
	if b.built, err = buildFromNothing(ctx, b.dir); err != nil {
		return err
	}
	return b.publishFootprints()
}

func (b *bench) footprint(ctx context.Context, r recipe) (f footprint, err error) {
	f.Peer = r.name
	if err := r.build(ctx, b.dir); err != nil {
		return f, err
	}
	if info, err := os.Stat(r.run(b.dir, "", "").Path); err == nil && filepath.Dir(r.run(b.dir, "", "").Path) == b.dir {
		f.Binary = float64(info.Size()) / 1e6
	}
	began := time.Now()
	p, err := r.start(ctx, b.dir, b.data.dsn)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.ready(ctx); err != nil {
		return f, err
	}
	f.Ready = millis(time.Since(began))
	began = time.Now()
	l, err := p.dial()
	if err != nil {
		return f, err
	}
	defer l.conn.Close()
	who, viewer := b.data.people[0], start(p.words, &b.data, person{}, 0)[0]
	if _, err := l.send(viewer, who, p.words, nil); err != nil {
		return f, err
	}
	f.First = millis(time.Since(began))
	time.Sleep(time.Second)
	f.Idle = resident(p.cmd.Process.Pid)
	op := operations[0]
	work := runner{op: op, peer: p, data: &b.data, count: &b.count, messages: op.ask(p.words, &b.data, person{}, 0)}
	if _, err := work.closed(ctx, 8, 3*time.Second); err != nil {
		return f, err
	}
	f.Worked = resident(p.cmd.Process.Pid)
	f.PerConn, err = p.perConnection(viewer, who)
	return f, err
}

// ready waits until headroom says so; the others are ready when they listen.
func (p *peer) ready(ctx context.Context) error {
	for p.words == ours {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		if resp.Body.Close(); resp.StatusCode == http.StatusOK {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// perConnection is what each of many connections takes in kB that have asked
// once.
func (p *peer) perConnection(m message, who person) (float64, error) {
	before := resident(p.cmd.Process.Pid)
	for range idle {
		l, err := p.dial()
		if err != nil {
			return 0, err
		}
		defer l.conn.Close()
		if _, err := l.send(m, who, p.words, nil); err != nil {
			return 0, err
		}
	}
	time.Sleep(2 * time.Second)
	return (resident(p.cmd.Process.Pid) - before) * 1024 / idle, nil
}

// buildFromNothing is how long the compiler takes for headroom with an empty
// cache.
func buildFromNothing(ctx context.Context, dir string) (time.Duration, error) {
	cache := filepath.Join(dir, "cache")
	cmd := exec.CommandContext(ctx, "go", "build", "-C", "..", "-o", filepath.Join(dir, "headroom-anew"), "./cmd/headroom")
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build headroom anew: %w\n%s", err, out)
	}
	return time.Since(began), os.RemoveAll(cache)
}
