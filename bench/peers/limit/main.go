// Command limit is a peer: what a team could write instead of any GraphQL
// server. Each operation is one statement by hand whose JSON the database
// builds; its bytes are passed on. It has no authentication, no limits and no
// log.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	dsn := flag.String("database", "", "connection string")
	addr := flag.String("addr", "", "address to listen on")
	flag.Parse()
	db, err := pgxpool.New(context.Background(), *dsn)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	for name, sql := range statements {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) { answer(w, r, db, sql) })
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(l, mux))
}

// answer runs the statement with who asks as its first parameter, followed by
// those that the body lists.
func answer(w http.ResponseWriter, r *http.Request, db *pgxpool.Pool, sql string) {
	user, err := strconv.ParseInt(r.Header.Get("X-User"), 10, 64)
	if err != nil {
		http.Error(w, "no user", http.StatusUnauthorized)
		return
	}
	var args []any
	if err := json.NewDecoder(r.Body).Decode(&args); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var body []byte
	if err := db.QueryRow(r.Context(), sql, append([]any{user}, args...)...).Scan(&body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // who left is not told
}
