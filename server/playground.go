package server

import (
	"context"
	"embed"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"headroom/npmfetch"
)

//go:embed playground
var playgroundFiles embed.FS

var playgroundPage = template.Must(template.ParseFS(playgroundFiles, "playground/page.html"))

// asset is one file of the editor: where it is in which package, and what a
// browser checks when it has to come from a CDN.
type asset struct {
	name, path, integrity string
	pkg                   npmfetch.Package
}

var (
	graphiql = npmfetch.Package{Name: "graphiql", Version: "4.1.2", SHA512: "rNlzQIAzm6i2KBXmVQWBgLvt0TloxFVB2d18bukvdsvjEuFDHsKx5IVOomL1W1o5WW+tE54+ioHb2AEKzO2cUg=="}
	react    = npmfetch.Package{Name: "react", Version: "18.3.1", SHA512: "wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ=="}
	reactDOM = npmfetch.Package{Name: "react-dom", Version: "18.3.1", SHA512: "5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw=="}
)

// assets are the editor's files, in the order in which the page needs them.
var assets = []asset{
	{"graphiql.min.css", "graphiql.min.css", "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr", graphiql},
	{"react.js", "umd/react.production.min.js", "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z", react},
	{"react-dom.js", "umd/react-dom.production.min.js", "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1", reactDOM},
	{"graphiql.min.js", "graphiql.min.js", "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B", graphiql},
}

// cdn serves npm packages by name and version, for a server that could not
// fetch the files beforehand.
const cdn = "https://cdn.jsdelivr.net/npm/"

// FetchPlayground brings the editor's files into the cache, 1.6 MB, so that
// the playground works without a network.
func FetchPlayground(ctx context.Context, cfg npmfetch.Config) error {
	for _, p := range []npmfetch.Package{graphiql, react, reactDOM} {
		if _, err := npmfetch.Fetch(ctx, cfg, p); err != nil {
			return err
		}
	}
	return nil
}

// ownFiles are the page's own, which the program carries.
var ownFiles = []string{"start.js", "cost.js", "edit.js", "start.css"}

// playground is GraphiQL with a starter query for each main job.
type playground struct {
	cache npmfetch.Config
	token string // already set in the headers; "" leaves a placeholder
}

// PlaygroundCached tells whether all of the editor's files are in the cache.
func PlaygroundCached(cfg npmfetch.Config) bool {
	p := playground{cache: cfg}
	for _, a := range assets {
		if _, ok := p.find(a); !ok {
			return false
		}
	}
	return true
}

func (p playground) find(a asset) (path string, ok bool) {
	dir, ok := npmfetch.Cached(p.cache, a.pkg)
	if !ok {
		return "", false
	}
	path = filepath.Join(dir, filepath.FromSlash(a.path))
	_, err := os.Stat(path)
	return path, err == nil
}

// source is where the page loads a file from.
type source struct{ URL, Integrity string }

func (p playground) sources() (style source, scripts []source, origin string) {
	offline := PlaygroundCached(p.cache)
	if !offline {
		origin = "https://cdn.jsdelivr.net"
	}
	for i, a := range assets {
		s := source{URL: "/playground/" + a.name, Integrity: a.integrity}
		if !offline {
			s.URL = cdn + a.pkg.Name + "@" + a.pkg.Version + "/" + a.path
		}
		if i == 0 {
			style = s
			continue
		}
		scripts = append(scripts, s)
	}
	return style, scripts, origin
}

func (p playground) page(w http.ResponseWriter, _ *http.Request) {
	style, scripts, origin := p.sources()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// The editor sets styles from scripts; scripts themselves are ours or pinned.
	h.Set("Content-Security-Policy", "default-src 'self'; script-src 'self' "+origin+"; style-src 'self' 'unsafe-inline' "+origin+"; img-src 'self' data:; font-src 'self' data: "+origin+"; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'")
	_ = playgroundPage.Execute(w, map[string]any{"Style": style, "Scripts": scripts, "Token": p.token}) // the client left
}

// file answers with one of the page's files; false where there is none of the
// name.
func (p playground) file(w http.ResponseWriter, r *http.Request) bool {
	name := r.PathValue("file")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if slices.Contains(ownFiles, name) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, playgroundFiles, "playground/"+name)
		return true
	}
	for _, a := range assets {
		if path, ok := p.find(a); ok && a.name == name {
			w.Header().Set("Cache-Control", "public, max-age=86400")
			http.ServeFile(w, r, path)
			return true
		}
	}
	return false
}
