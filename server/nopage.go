package server

import (
	"maps"
	"net/http"
	"time"
)

// pages answers with what mux has, and says as every other answer does, in JSON
// with a code, where it has nothing or not by this method.
func (s *Server) pages(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		told := silent{header: http.Header{}}
		refusal.ServeHTTP(&told, r)
		if told.header.Get("Location") != "" { // the path, cleaned
			refusal.ServeHTTP(w, r)
			return
		}
		f := noPage()
		if allow := told.header["Allow"]; allow != nil {
			f = refuse(codeMethod, "send "+told.header.Get("Allow")+" here")
			maps.Copy(w.Header(), http.Header{"Allow": allow})
		}
		s.refuse(w, r, f)
	})
}

func noPage() *fault {
	return refuse(codeNotFound, "there is nothing at this path: the API is at /graphql, its schema at /schema.graphql")
}

// refuse answers with a fault outside of /graphql.
func (s *Server) refuse(w http.ResponseWriter, hr *http.Request, f *fault) {
	s.write(w, &request{Request: hr, arrived: time.Now(), id: requestID(hr), media: mediaJSON}, nil, f)
}

// silent keeps what a handler says about its answer, and not the answer.
type silent struct {
	header http.Header
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) WriteHeader(int)             {}
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
