package loadtest

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// capture is what a server was asked, as its operators' address hands it over.
type capture struct {
	Version   int                       `json:"headroom_capture"`
	Began     time.Time                 `json:"began"` // shifted like all its dates
	Schema    string                    `json:"schema"`
	Rows      int                       `json:"rows"`
	Dropped   int                       `json:"dropped"`
	Documents map[string]*capturedQuery `json:"ops"`

	rows []capturedCall
}

type capturedQuery struct {
	Name  string `json:"name"`
	Class Class  `json:"class"`
	Text  string `json:"doc"`
}

type capturedCall struct {
	At        int64          `json:"t"` // microseconds
	Operation string         `json:"op"`
	User      string         `json:"u"`
	Role      string         `json:"r"`
	Variables map[string]any `json:"vars"`
	Class     Class          `json:"cls"`
	Points    float64        `json:"pts"`
	Attempt   int            `json:"n"`
}

// captureForm is the version of the form that this program reads.
const captureForm = 1

// maxDisorder is how far rows may be out of order: they are written when they
// are answered, and nothing takes longer.
const maxDisorder = time.Minute

// unpacked is how a capture begins that somebody has unpacked to look at it.
const unpacked = `{"headroom_capture":`

// readCapture reads a capture, or a file of vegeta's JSON targets at the rate
// given, and puts its rows in order.
func readCapture(path string, rate float64) (*capture, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, stopf(ExitUsage, "open the capture: %w", err)
	}
	defer file.Close()
	buffered := bufio.NewReader(file)
	var lines io.Reader = buffered
	switch magic, _ := buffered.Peek(len(unpacked)); { // what is shorter is none of them
	case string(magic) == unpacked:
	case bytes.HasPrefix(magic, []byte("{")):
		return readTargets(buffered, path, rate)
	case !bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		return nil, stopf(ExitUsage, "%s is neither a capture, as DELETE /debug/capture gives it, nor vegeta's targets in JSON", path)
	default:
		if lines, err = gzip.NewReader(buffered); err != nil {
			return nil, stopf(ExitUsage, "%s is no capture: %w", path, err)
		}
	}
	c, err := decodeCapture(lines)
	if err != nil {
		return nil, stopf(ExitUsage, "%s: %w", path, err)
	}
	return c, nil
}

var errTruncated = errors.New("the capture is truncated: fetch it again")

func decodeCapture(r io.Reader) (*capture, error) {
	decoder := json.NewDecoder(r)
	decoder.UseNumber()
	c := &capture{}
	if err := decoder.Decode(c); err != nil {
		return nil, cutShort(err, "its first line is no header of a capture")
	}
	if c.Version != captureForm {
		return nil, fmt.Errorf("it has the form %d of a capture; this surge reads form %d", c.Version, captureForm)
	}
	latest := int64(0)
	for n := 1; ; n++ {
		var row capturedCall
		err := decoder.Decode(&row)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, cutShort(err, fmt.Sprintf("row %d is none", n))
		}
		if c.Documents[row.Operation] == nil {
			return nil, fmt.Errorf("row %d names the document %q, which the header lacks", n, row.Operation)
		}
		if row.At < 0 {
			return nil, fmt.Errorf("row %d has the time %d: a capture begins at 0", n, row.At)
		}
		if row.At < latest-maxDisorder.Microseconds() {
			return nil, fmt.Errorf("row %d is %v older than one before it: the capture is out of order", n, time.Duration(latest-row.At)*time.Microsecond)
		}
		latest = max(latest, row.At)
		c.rows = append(c.rows, row)
	}
	if len(c.rows) != c.Rows {
		return nil, fmt.Errorf("it has %d rows and its header says %d: %w", len(c.rows), c.Rows, errTruncated)
	}
	slices.SortStableFunc(c.rows, func(a, b capturedCall) int { return cmp.Compare(a.At, b.At) })
	return c, nil
}

// cutShort tells a file that ends too soon from one of another kind.
func cutShort(err error, otherwise string) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: %q cannot be a %s", otherwise, wrong.Field, wrong.Value)
	}
	return fmt.Errorf("%s: %w", otherwise, err)
}

// readTargets reads vegeta's JSON targets. They have no times, so they come at
// an even rate.
func readTargets(r io.Reader, path string, rate float64) (*capture, error) {
	if !(rate > 0 && rate <= maxRate) { // so that NaN is refused too
		return nil, stopf(ExitUsage, "%s holds no times: say with --rate how many a second to send, up to %d", path, maxRate)
	}
	c := &capture{Version: captureForm, Documents: map[string]*capturedQuery{}}
	next := vegeta.NewJSONTargeter(io.MultiReader(r, strings.NewReader("\n")), nil, nil) // it drops a last line without an end
	for n := 1; ; n++ {
		var target vegeta.Target
		err := next(&target)
		if errors.Is(err, vegeta.ErrNoTargets) {
			break
		}
		var body struct {
			Query     string         `json:"query"`
			Variables map[string]any `json:"variables"`
		}
		if err == nil {
			err = json.Unmarshal(target.Body, &body)
		}
		if err != nil || body.Query == "" {
			return nil, stopf(ExitUsage, "%s: target %d is no GraphQL request in JSON", path, n)
		}
		if c.Documents[body.Query] == nil {
			c.Documents[body.Query] = &capturedQuery{Text: body.Query, Class: ClassInteractive}
		}
		at := int64(float64(len(c.rows)) / rate * 1e6)
		c.rows = append(c.rows, capturedCall{At: at, Operation: body.Query, Variables: body.Variables, Class: ClassInteractive, Attempt: 1})
	}
	if len(c.rows) == 0 {
		return nil, stopf(ExitUsage, "%s holds no targets", path)
	}
	return c, nil
}
