package loadtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// client sends GraphQL operations to one server and counts what is in flight.
type client struct {
	target    *url.URL
	transport *http.Transport
	crowd     *http.Transport // of clients with connections of their own, by a host name for each
	slots     chan struct{}   // one for each attempt in flight; the capacity is the cap
}

// newClient prepares connections to a server on loopback, or, if own is not
// empty, on the host of that name. Nothing is dialled yet.
func newClient(target *url.URL, inFlight int, own string) *client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: -1} // four system calls less for each of thousands
	if own == "" {
		dialer.Control = refuseStrangers
	}
	return &client{
		target: target,
		slots:  make(chan struct{}, inFlight),
		transport: &http.Transport{
			DialContext:         dialer.DialContext,
			MaxIdleConnsPerHost: 1 << 16, // the slots are the bound
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		},
		crowd: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, target.Host)
			},
			TLSClientConfig: &tls.Config{ServerName: target.Hostname()},
			MaxConnsPerHost: 2, MaxIdleConnsPerHost: 2,
			ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10, // there are thousands
			DisableCompression: true,
		},
	}
}

// close ends the connections that nobody uses.
func (c *client) close() {
	c.transport.CloseIdleConnections()
	c.crowd.CloseIdleConnections()
}

var errNotLoopback = errors.New("not a loopback address")

// refuseStrangers is the last guard: whatever a name resolved to, no socket is
// connected beyond this machine.
func refuseStrangers(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("split %s: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("dial %s: %w", address, errNotLoopback)
	}
	return nil
}

// attempt is one request with its clock: what was measured and what came back.
type attempt struct {
	sent, end time.Time
	answer    answer
}

// maxBody is twice what the server may answer, so that a server that breaks
// its own bound is seen to.
const maxBody = 8 << 20

// send makes one attempt, at once: on the shared connections, or, if host is
// not empty, on those that belong to that name. ctx carries its deadline.
func (c *client) send(ctx context.Context, host, token string, body []byte) attempt {
	a := attempt{sent: time.Now()}
	request, transport := c.request(ctx, token, body), c.transport
	if host != "" {
		request.URL, transport = c.alias(host), c.crowd
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		a.end, a.answer.err = time.Now(), cause(ctx, err)
		return a
	}
	defer response.Body.Close()
	a.answer.status, a.answer.header = response.StatusCode, response.Header
	a.answer.body, err = whole(response)
	a.end = time.Now()
	switch {
	case err != nil && ctx.Err() != nil:
		a.answer.err = cause(ctx, err)
	case err != nil, len(a.answer.body) > maxBody:
		a.answer.err = errCutShort
	}
	return a
}

// whole reads an answer's body, into as much room as it says it takes.
func whole(response *http.Response) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(0, response.ContentLength), maxBody)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(response.Body, maxBody+1))
	return body.Bytes(), err
}

// alias is the target's address under another host name.
func (c *client) alias(host string) *url.URL {
	u := *c.target
	u.Host = host
	return &u
}

// cause prefers what ended the context to what the transport made of it.
func cause(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return err
}

func (c *client) request(ctx context.Context, token string, body []byte) *http.Request {
	header := http.Header{
		"Accept":                    {"application/graphql-response+json, application/json;q=0.9"},
		"Content-Type":              {"application/json"},
		"Apollographql-Client-Name": {"surge"},
		"User-Agent":                {"surge"},
	}
	if token != "" {
		header["Authorization"] = []string{"Bearer " + token}
	}
	request := &http.Request{
		Method: http.MethodPost, URL: c.target, Host: c.target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	return request.WithContext(ctx)
}

// get fetches one of the server's other pages whole.
func (c *client) get(ctx context.Context, page string) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("address %s: %w", page, err)
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return 0, nil, fmt.Errorf("get %s: %w", page, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return 0, nil, fmt.Errorf("read %s: %w", page, err)
	}
	return response.StatusCode, body, nil
}

// serverTime adds up the durations of a Server-Timing header (milliseconds):
// the share of the answer's time that the server accounts for, and how much of it
// was waiting in its queue, or because the client came before the time it was told.
func serverTime(header http.Header) (whole, queued time.Duration) {
	for _, line := range header.Values("Server-Timing") {
		for metric := range strings.SplitSeq(line, ",") {
			name, parameters, _ := strings.Cut(strings.TrimSpace(metric), ";")
			for parameter := range strings.SplitSeq(parameters, ";") {
				if value, ok := strings.CutPrefix(strings.TrimSpace(parameter), "dur="); ok {
					ms, _ := strconv.ParseFloat(value, 64) // no number counts as none
					took := time.Duration(ms * float64(time.Millisecond))
					whole += took
					if name == "queue" || name == "hold" {
						queued += took
					}
				}
			}
		}
	}
	return whole, queued
}

// pointsOf are the points that the server says an operation took, in hundredths; 0 if
// it does not.
func pointsOf(header http.Header) uint32 {
	points, _ := strconv.ParseFloat(header.Get("X-Cost-Actual"), 64) // no number counts as none
	return uint32(min(max(0, math.Round(100*points)), math.MaxUint32))
}
