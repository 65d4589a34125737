// Command gqlgen is a peer: a time tracker as gqlgen's documentation teaches to
// write one, with generated models, a resolver for each reference and
// dataloaders. It has no authentication, no limits and no log.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:generate go tool gqlgen generate

func main() {
	dsn := flag.String("database", "", "connection string")
	addr := flag.String("addr", "", "address to listen on")
	flag.Parse()
	db, err := pgxpool.New(context.Background(), *dsn)
	if err != nil {
		log.Fatal(err)
	}
	srv := handler.New(NewExecutableSchema(Config{Resolvers: &root{db}}))
	srv.AddTransport(transport.POST{})
	srv.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, middleware(db, srv)))
}

type userKey struct{}

// middleware trusts a header, and gives each request its loaders.
func middleware(db *pgxpool.Pool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := strconv.ParseInt(r.Header.Get("X-User"), 10, 64)
		if err != nil {
			http.Error(w, "no user", http.StatusUnauthorized)
			return
		}
		ctx := context.WithValue(r.Context(), userKey{}, user)
		ctx = context.WithValue(ctx, loadersKey{}, newLoaders(db))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func userOf(ctx context.Context) int64 { return ctx.Value(userKey{}).(int64) }
