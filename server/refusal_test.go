package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// click is an operation as an app sends it, with the headers of one.
func click(token string) []byte {
	const body = `{"operationName":"Day","query":"query Day($date: Date) { myDay(date: $date) { day totals { seconds } entries { id description project { id name } } } }","variables":{"date":"2026-03-02"}}`
	return fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: headroom.example\r\nUser-Agent: app/4.2\r\nAccept: application/graphql-response+json, application/json;q=0.9\r\n"+
		"Accept-Encoding: gzip\r\nApollographql-Client-Name: app\r\nApollographql-Client-Version: 4.2\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
}

// BenchmarkRefusal is what a refused request costs the processor over HTTP on
// loopback, that of the sender and the kernel included, beside a bare handler of
// net/http that reads the same body and sends as many bytes.
func BenchmarkRefusal(b *testing.B) {
	r := newRig(b, func(c *Config) { c.Cores, c.Log = 1, slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	r.ask(`query Day($date: Date) { myDay(date: $date) { day totals { seconds } entries { id description project { id name } } } }`, map[string]any{"date": "2026-03-02"})
	r.server.static.Drain()
	request := click(r.token)
	answer := refusedAnswer(b, r, request)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		_, _ = io.Copy(io.Discard, hr.Body)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write(answer)
	}))
	defer bare.Close()
	for name, url := range map[string]string{"bare handler": bare.URL, "refused": r.http.URL} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			began := cpu(b)
			sendTo(b, url[len("http://"):], request, 16, b.N)
			b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
		})
	}
	b.Run("handler alone", func(b *testing.B) {
		handler := r.server.Handler()
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			hr, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
			if err != nil {
				b.Fatal(err)
			}
			if handler.ServeHTTP(w, hr); w.Code != http.StatusServiceUnavailable {
				b.Fatal(w.Code, w.Body)
			}
		}
	})
}

// refusedAnswer is the body with which a request is refused.
func refusedAnswer(b *testing.B, r *rig, request []byte) []byte {
	hr, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	if r.server.Handler().ServeHTTP(w, hr); w.Code != http.StatusServiceUnavailable {
		b.Fatal(w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// sendTo sends a request n times over some connections and reads the answers.
func sendTo(b *testing.B, addr string, request []byte, connections, n int) {
	var sending sync.WaitGroup
	for i := range connections {
		sending.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for range (n + i) / connections {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := skipAnswer(answers); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
}

// skipAnswer reads an answer with as little work as can be.
func skipAnswer(r *bufio.Reader) error {
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
		if len(line) == 2 {
			_, err := r.Discard(length)
			return err
		}
	}
}
