package localpg

import (
	"path/filepath"
	"runtime"
)

// maxConnections leaves room for the pools of several commands at once.
const maxConnections = "100"

// settings are the server's options, given on its command line at every start:
// a data folder never keeps what an older program wanted.
func settings(bin Binaries, sockets string, ephemeral bool) []string {
	values := [][2]string{
		{"listen_addresses", ""},
		{"port", port},
		{"unix_socket_directories", sockets},
		{"unix_socket_permissions", "0700"},
		{"cluster_name", "headroom"},
		{"max_connections", maxConnections},
		{"timezone", "UTC"},
		{"log_timezone", "UTC"},
		{"logging_collector", "off"},
		{"log_line_prefix", "%m [%p] %q%a "},
		// In the data folder, not in /dev/shm: containers make that small, and a
		// killed server would leave its share there for good.
		{"dynamic_shared_memory_type", "mmap"},
		// Compiling a plan costs more than any of our statements.
		{"jit", "off"},
	}
	// The backend of a client that died notices within a second. Version 14
	// can do so on Linux only.
	if runtime.GOOS == "linux" || bin.Major >= 15 {
		values = append(values, [2]string{"client_connection_check_interval", "1s"})
	}
	if ephemeral {
		values = append(values, ephemeralSettings...)
	} else if bin.has("pg_stat_statements") {
		values = append(values, [2]string{"shared_preload_libraries", "pg_stat_statements"})
	}
	var args []string
	for _, value := range values {
		args = append(args, "-c", value[0]+"="+value[1])
	}
	return args
}

// ephemeralSettings: no promise to disk, little written, room for as many pools
// as tests open at once, and no background work that makes a test's plans or a
// template's connections depend on time. Of a setting named twice the last
// value counts.
var ephemeralSettings = [][2]string{
	{"fsync", "off"},
	{"synchronous_commit", "off"},
	{"full_page_writes", "off"},
	{"wal_level", "minimal"},
	{"max_wal_senders", "0"},
	{"max_wal_size", "256MB"},
	{"autovacuum", "off"},
	{"max_connections", "300"},
}

// has reports whether an extension's library came with the binaries: they keep
// it in lib or in lib/postgresql, beside bin.
func (b Binaries) has(library string) bool {
	for _, dir := range []string{"lib", "lib/postgresql"} {
		found, err := filepath.Glob(filepath.Join(b.Dir, "..", dir, library+".*"))
		if err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}
