package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"headroom/limits"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// client is a real server on this machine and somebody who uses it.
type client struct {
	url, token string
	stop       func() error
}

// serve starts a server on a database, with exports in a folder of its own.
func serve(ctx context.Context, dsn string, owner timesheet.Viewer) (*client, error) {
	dir, err := os.MkdirTemp("", "headroom-bench-exports")
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		return nil, err
	}
	secret := []byte("the benchmark's secret")
	folder, err := server.OpenExportFolder(dir, secret, 64<<30)
	if err != nil {
		return nil, err
	}
	plenty := limits.Rate{Size: 1e9, Restore: 1e9}
	srv, err := server.New(server.Config{
		Store: s, Secret: secret, Log: slog.New(slog.DiscardHandler), User: plenty, Tenant: plenty, Nightly: -1,
		Exports: server.ExportConfig{Folder: folder, Quota: 64 << 30},
	})
	if err != nil {
		return nil, err
	}
	in := store.NewToken{User: owner.User, Name: "bench", Scope: timesheet.ScopeWrite}
	token, _, err := s.CreateToken(ctx, owner, in, store.Change{Action: "createToken", Input: in})
	if err != nil {
		return nil, err
	}
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	life, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(life, public, admin, 0, 5*time.Second) }()
	return &client{
		url: "http://" + public.Addr().String(), token: server.NewKeys(secret).MintToken(owner.Workspace.ID, token),
		stop: func() error {
			end()
			err := <-ended
			s.Close()
			return errors.Join(err, os.RemoveAll(dir))
		},
	}, nil
}

// ask sends a document and reads the data of its answer.
func (c *client) ask(ctx context.Context, query string, into any) error {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Data   json.RawMessage
		Errors json.RawMessage
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Errors != nil {
		return fmt.Errorf("%s: status %d: %s %w", query, resp.StatusCode, text, err)
	}
	return json.Unmarshal(answer.Data, into)
}

type export struct {
	ID, Status, URL string
	Rows            float64
}

func (c *client) create(ctx context.Context) (export, error) {
	var a struct {
		ReportExportCreate struct{ ReportExport export }
	}
	err := c.ask(ctx, `mutation { reportExportCreate(input: {period: {from: "2020-01-01", to: "2030-12-31"}}) { reportExport { id status url rows } } }`, &a)
	return a.ReportExportCreate.ReportExport, err
}

func (c *client) look(ctx context.Context, id string) (export, error) {
	var a struct{ ReportExport export }
	err := c.ask(ctx, fmt.Sprintf(`{ reportExport(id: %q) { id status url rows } }`, id), &a)
	return a.ReportExport, err
}

// wait asks every few milliseconds until done, and returns when that was.
func (c *client) wait(ctx context.Context, id string, done func(export) bool) (x export, at time.Time, err error) {
	for {
		if x, err = c.look(ctx, id); err != nil || done(x) {
			return x, time.Now(), err
		}
		if x.Status == "FAILED" {
			return x, time.Now(), errors.New("the export has failed")
		}
		select {
		case <-ctx.Done():
			return x, time.Now(), ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// exportSize is the size, in millions, up to which exports are measured: their
// rate does not follow it.
const exportSize = 1

// measureExport measures one export after the other, people who work beside
// them, and downloads.
func (r *results) measureExport(ctx context.Context, dsn string, owner timesheet.Viewer, size float64) error {
	if size > exportSize {
		return nil
	}
	c, err := serve(ctx, dsn, owner)
	if err != nil {
		return err
	}
	for range 3 {
		if err = r.oneExport(ctx, c, size); err != nil {
			break
		}
	}
	return errors.Join(err, c.stop())
}

func (r *results) oneExport(ctx context.Context, c *client, size float64) error {
	quiet, err := c.work(ctx, func() bool { return false })
	if err != nil {
		return err
	}
	began := time.Now()
	x, err := c.create(ctx)
	if err != nil {
		return err
	}
	_, first, err := c.wait(ctx, x.ID, func(x export) bool { return x.Rows > 0 || x.Status == "READY" })
	if err != nil {
		return err
	}
	var beside []float64
	ready := false
	for !ready { // as long as it runs
		taken, err := c.work(ctx, func() bool {
			now, err := c.look(ctx, x.ID)
			ready = err != nil || now.Status == "READY"
			return ready
		})
		if err != nil {
			return err
		}
		beside = append(beside, taken...)
	}
	done, at, err := c.wait(ctx, x.ID, func(x export) bool { return x.Status == "READY" })
	if err != nil {
		return err
	}
	r.add("export, rows after a free slot", size, "ms", millis(first.Sub(began)))
	r.add("export, rows a second", size, "rows/s", done.Rows/at.Sub(began).Seconds())
	r.add("interactive p50 without an export", size, "ms", median(quiet))
	r.add("interactive p50 beside an export", size, "x", median(beside)/median(quiet))
	return r.download(ctx, c, done, size)
}

const workingFor = 400 * time.Millisecond

// work is somebody who looks at their day again and again for a while.
func (c *client) work(ctx context.Context, stop func() bool) (taken []float64, err error) {
	for end := time.Now().Add(workingFor); time.Now().Before(end); {
		began := time.Now()
		var a any
		if err := c.ask(ctx, `{ myDay(date: "2025-12-31") { day totals { seconds } entries { description project { name } } } }`, &a); err != nil {
			return taken, err
		}
		taken = append(taken, millis(time.Since(began)))
		if len(taken)%25 == 0 && stop() {
			break
		}
	}
	stop()
	return taken, nil
}

func median(values []float64) float64 { return sample{Values: slices.Clone(values)}.median() }

// download takes the time to a file's first byte and reads all of it.
func (r *results) download(ctx context.Context, c *client, x export, size float64) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+x.URL, nil)
	if err != nil {
		return err
	}
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("download: status %d", resp.StatusCode)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		return err
	}
	r.add("download, first byte", size, "ms", millis(time.Since(began)))
	n, err := io.Copy(io.Discard, resp.Body)
	r.add("download, MB a second", size, "MB/s", float64(n)/1e6/time.Since(began).Seconds())
	return err
}
