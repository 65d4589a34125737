package server

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"headroom/graph"
	"headroom/timesheet"
)

// captureVersion is the version of a capture's form, which docs/load-testing.md
// describes.
const captureVersion = 1

// Bounds of a capture.
const (
	captureQueue     = 4096   // answers that wait to be written; more are counted and left out
	captureDocuments = 10_000 // different documents
	retryWithin      = 2 * time.Minute
)

// captured is what is kept of an answered request until it is written.
type captured struct {
	doc      *document
	vars     map[string]any
	viewer   timesheet.Viewer
	class    string
	points   float64
	arrived  time.Time
	took     time.Duration
	status   int
	decision string
}

// captureRow is one request. With its method and URL it is a target that vegeta
// reads too; the document stands in the header.
type captureRow struct {
	Method    string         `json:"method"`
	URL       string         `json:"url"`
	At        int64          `json:"t"` // microseconds since the capture began
	Operation string         `json:"op"`
	User      string         `json:"u,omitempty"`
	Workspace string         `json:"w,omitempty"`
	Role      string         `json:"r,omitempty"`
	Variables map[string]any `json:"vars"`
	Class     string         `json:"cls"`
	Points    float64        `json:"pts"`
	Status    int            `json:"st"`
	Outcome   string         `json:"out"`
	Took      int64          `json:"lat"` // microseconds
	Attempt   int            `json:"n"`
}

// captureHeader is the first line: everything that rows share.
type captureHeader struct {
	Version   int                          `json:"headroom_capture"`
	Began     time.Time                    `json:"began"`  // shifted like all dates
	Schema    string                       `json:"schema"` // SHA-256 of the SDL
	Rows      int64                        `json:"rows"`
	Dropped   int64                        `json:"dropped"`
	Documents map[string]*capturedDocument `json:"ops"`
}

// captureStatus is what an operator sees of a capture.
type captureStatus struct {
	Recording bool      `json:"recording"`
	Began     time.Time `json:"began"`
	Until     time.Time `json:"until"`
	Rows      int64     `json:"rows"`
	Dropped   int64     `json:"dropped"`
	Bytes     int64     `json:"bytes"`
	MaxBytes  int64     `json:"maxBytes"`
}

// capture records requests for a while. Requests only put a pointer into a
// queue; redaction and writing are done by one goroutine.
type capture struct {
	log      *slog.Logger
	redactor *redactor
	began    time.Time
	until    time.Time
	maxBytes int64
	queue    chan captured
	quit     chan struct{} // closed to end it
	ended    chan struct{} // closed once the last row is written
	once     sync.Once

	rows, dropped, bytes atomic.Int64

	// The writer's own until ended is closed.
	file      *os.File
	documents map[string]*capturedDocument // by the text as sent; nil if it cannot be rewritten
	refused   map[string]refusedOnce
	err       error
}

// refusedOnce is the last refusal of a request, to know its retry by.
type refusedOnce struct {
	at      time.Time
	attempt int
}

// newCapture makes a capture that lasts so long. Its file has no name: it is
// gone when the process ends.
func newCapture(r redactor, log *slog.Logger, now time.Time, length time.Duration, maxBytes int64) (*capture, error) {
	var random [34]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("make the key of a capture: %w", err)
	}
	r.key, r.weeks = random[:32], 52+int(random[32])%208
	file, err := os.CreateTemp("", "headroom-capture-*")
	if err != nil {
		return nil, fmt.Errorf("make the file of a capture: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, fmt.Errorf("hide the file of a capture: %w", err)
	}
	return &capture{
		log: log, redactor: &r, began: now, until: now.Add(length), maxBytes: maxBytes,
		queue: make(chan captured, captureQueue), quit: make(chan struct{}), ended: make(chan struct{}),
		file: file, documents: map[string]*capturedDocument{}, refused: map[string]refusedOnce{},
	}, nil
}

// offer takes a request if there is room. It never waits.
func (c *capture) offer(r captured) {
	select {
	case c.queue <- r:
	default:
		c.dropped.Add(1)
	}
}

// stop ends the recording; it may be called again.
func (c *capture) stop() { c.once.Do(func() { close(c.quit) }) }

func (c *capture) status() captureStatus {
	recording := true
	select {
	case <-c.ended:
		recording = false
	default:
	}
	return captureStatus{
		Recording: recording, Began: c.began, Until: c.until, Rows: c.rows.Load(), Dropped: c.dropped.Load(),
		Bytes: c.bytes.Load(), MaxBytes: c.maxBytes,
	}
}

// record writes rows until the time is up, the size reached, or stop called.
func (c *capture) record(ctx context.Context) {
	defer close(c.ended)
	buffered := bufio.NewWriterSize(&counting{c.file, &c.bytes}, 64<<10)
	zipped := gzip.NewWriter(buffered)
	timer := time.NewTimer(time.Until(c.until))
	defer timer.Stop()
	for c.err == nil && c.bytes.Load() < c.maxBytes {
		select {
		case r := <-c.queue:
			c.write(ctx, zipped, r)
			continue
		case <-timer.C:
		case <-c.quit:
		}
		for len(c.queue) > 0 { // what came before the end
			c.write(ctx, zipped, <-c.queue)
		}
		break
	}
	for _, finish := range []func() error{zipped.Close, buffered.Flush} {
		if err := finish(); err != nil && c.err == nil {
			c.err = err
		}
	}
	if c.err != nil {
		c.log.Error("write the capture", "error", c.err)
	}
}

// write redacts one request. What cannot be redacted is left out: a bug here
// must neither leak nor end the server.
func (c *capture) write(ctx context.Context, w io.Writer, r captured) {
	defer func() {
		if p := recover(); p != nil {
			c.dropped.Add(1)
			c.log.Error("panic in the capture", "panic", fmt.Sprint(p))
		}
	}()
	doc := c.document(ctx, r)
	if doc == nil {
		c.dropped.Add(1)
		return
	}
	row := captureRow{
		Method: "POST", URL: "/graphql", At: max(0, r.arrived.Sub(c.began).Microseconds()), Operation: doc.id,
		Variables: c.redactor.variables(doc, r.vars), Class: r.class, Points: round(r.points),
		Status: r.status, Outcome: r.decision, Took: r.took.Microseconds(),
	}
	if r.viewer.User != 0 {
		ws := strconv.FormatInt(int64(r.viewer.Workspace.ID), 10)
		row.Workspace = c.redactor.token("workspace " + ws)
		row.User = c.redactor.token("user " + ws + "/" + strconv.FormatInt(int64(r.viewer.User), 10))
		row.Role = strings.ToLower(string(r.viewer.Role))
	}
	row.Attempt = c.attempt(doc, row, r)
	if c.err = json.NewEncoder(w).Encode(row); c.err == nil {
		c.rows.Add(1)
	}
}

// document is the rewritten form of a request's document, made once.
func (c *capture) document(ctx context.Context, r captured) *capturedDocument {
	if known, found := c.documents[r.doc.key]; found {
		return known
	}
	if len(c.documents) >= captureDocuments {
		return nil
	}
	doc, err := c.redactor.rewrite(ctx, r.doc)
	if err != nil {
		c.log.Warn("a document is left out of the capture", "error", err)
	} else {
		doc.Class = r.class
	}
	c.documents[r.doc.key] = doc
	return doc
}

// attempt tells a retry: the same person asks the same again, soon after a
// refusal. Idempotency keys do not count, since some clients mint a new one.
func (c *capture) attempt(doc *capturedDocument, row captureRow, r captured) int {
	row.At, row.Took, row.Status, row.Outcome, row.Points, row.Attempt = 0, 0, 0, "", 0, 0
	row.Variables = withoutKeys(row.Variables, doc.keys)
	same, err := json.Marshal(row)
	if err != nil {
		return 1
	}
	key, n := string(c.redactor.hash(string(same))), 1
	if last, known := c.refused[key]; known && r.arrived.Sub(last.at) < retryWithin {
		n = last.attempt + 1
	}
	delete(c.refused, key)
	if r.decision != "run" {
		if len(c.refused) >= captureQueue {
			for old, last := range c.refused {
				if r.arrived.Sub(last.at) > retryWithin {
					delete(c.refused, old)
				}
			}
		}
		if len(c.refused) < captureQueue {
			c.refused[key] = refusedOnce{r.arrived, n}
		}
	}
	return n
}

// keyField is the input field of idempotency keys.
const keyField = "idempotencyKey"

// withoutKeys leaves idempotency keys out: the fields of that name, and the
// variables that stand for one.
func withoutKeys(vars map[string]any, keys map[string]bool) map[string]any {
	out := map[string]any{}
	for name, value := range vars {
		if inner, ok := value.(map[string]any); ok {
			value = withoutKeys(inner, nil)
		}
		if name != keyField && !keys[name] {
			out[name] = value
		}
	}
	return out
}

// header is written when the last row is known, and stands first all the same.
func (c *capture) header() captureHeader {
	h := captureHeader{
		Version: captureVersion, Began: c.began.AddDate(0, 0, 7*c.redactor.weeks).UTC().Truncate(time.Second), Schema: schemaHash(),
		Rows: c.rows.Load(), Dropped: c.dropped.Load(), Documents: map[string]*capturedDocument{},
	}
	for _, doc := range c.documents {
		if doc != nil {
			h.Documents[doc.id] = doc
		}
	}
	return h
}

// schemaHash names the schema that documents were written for.
func schemaHash() string {
	sum := sha256.Sum256([]byte(graph.SDL()))
	return hex.EncodeToString(sum[:])
}

// send writes the whole capture: the header and the rows as two members of one
// gzip file, which every reader joins.
func (c *capture) send(w io.Writer) error {
	if c.err != nil {
		return c.err
	}
	zipped := gzip.NewWriter(w)
	if err := json.NewEncoder(zipped).Encode(c.header()); err != nil {
		return err
	}
	if err := zipped.Close(); err != nil {
		return err
	}
	_, err := io.Copy(w, io.NewSectionReader(c.file, 0, c.bytes.Load()))
	return err
}

// counting counts the bytes that go into a file.
type counting struct {
	io.Writer
	n *atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}
