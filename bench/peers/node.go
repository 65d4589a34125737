package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// nodeFolder holds the servers in JavaScript; npm puts what they need into it,
// Node.js itself included, because PostGraphile needs version 22.
const nodeFolder = "peers/node"

// nodePeer is a server in JavaScript: one process, as their books start it.
func nodePeer(name string, w words, file string) recipe {
	return recipe{name: name, words: w, build: install, run: func(_, dsn, addr string) *exec.Cmd {
		host, port, _ := net.SplitHostPort(addr) // it is ours, and has both
		cmd := exec.Command(filepath.Join("node_modules", "node", "bin", "node"), file)
		cmd.Dir = nodeFolder
		cmd.Env = append(os.Environ(), "NODE_ENV=production", "DATABASE="+dsn, "HOST="+host, "PORT="+port)
		return cmd
	}}
}

// install lets npm bring what the lock file names, where it is not there yet.
func install(ctx context.Context, _ string) error {
	if _, err := os.Stat(filepath.Join(nodeFolder, "node_modules", "node", "bin", "node")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir = nodeFolder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", nodeFolder, err, out)
	}
	return nil
}
