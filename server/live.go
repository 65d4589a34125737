package server

import (
	"embed"
	"net/http"
)

// The live page draws /debug/limits. Its files hold nothing of the server, so they
// need no token: the page asks for it.
//
//go:embed live
var liveFiles embed.FS

// live answers with one of the page's files.
func live(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		http.ServeFileFS(w, r, liveFiles, "live/"+name)
	}
}

// liveMux serves the page at the root of the operators' address.
func liveMux(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", live("page.html"))
	mux.HandleFunc("GET /live/live.js", live("live.js"))
	mux.HandleFunc("GET /live/live.css", live("live.css"))
}

// openToAll are the paths of the operators' address that need no token.
func openToAll(path string) bool {
	switch path {
	case "/livez", "/readyz", "/", "/live/live.js", "/live/live.css":
		return true
	}
	return false
}
