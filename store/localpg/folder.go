package localpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	superuser  = "headroom"
	port       = "5432"
	socketName = ".s.PGSQL." + port

	// maxSocketPath is the shortest limit of the systems we run on (macOS; it
	// is 107 on Linux), in bytes.
	maxSocketPath = 103
	// shortTemp holds the socket when the base folder's path is too long. Not
	// os.TempDir, which may be long or closed to others itself.
	shortTemp = "/tmp"
)

// exportsFolder is what servers on any database keep in the base folder.
const exportsFolder = "exports"

// makeBase makes the base folder with its parents. Another account must be
// able to pass through it: then it is made so, also when it exists but is empty or
// ours already, be it that it held nothing but the exports of a server on another
// database. Parents that exist are not ours to change.
func makeBase(base string, who account) error {
	perm := fs.FileMode(0o700)
	if who.other() {
		perm = 0o711
	}
	if err := mkdirAll(base, perm); err != nil {
		return err
	}
	if !who.other() || who.mayEnter(base) {
		return nil
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		return err
	}
	foreign := func(e fs.DirEntry) bool { return e.Name() != exportsFolder }
	if _, err := os.Stat(filepath.Join(base, "lock")); err != nil && slices.ContainsFunc(entries, foreign) {
		return nil
	}
	info, err := os.Stat(base)
	if err != nil {
		return err
	}
	return os.Chmod(base, info.Mode().Perm()|0o011)
}

// mkdirAll makes dir and its missing parents with perm, whatever the umask.
func mkdirAll(dir string, perm fs.FileMode) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a folder: choose another with --data-dir", dir)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := mkdirAll(filepath.Dir(dir), perm); err != nil {
		return err
	}
	if err := os.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(dir, perm)
}

// makePrivate makes dir, which nobody but the account may enter.
func makePrivate(dir string, who account) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := who.own(dir); err != nil {
		return err
	}
	return os.Chmod(dir, 0o700)
}

// socketFolder is where the socket of a base folder's server is, at every
// start: s in the base folder, or where that is too long for a socket, a folder
// with a short path named after it.
func socketFolder(base string) string {
	sockets := filepath.Join(base, "s")
	if len(sockets)+len("/"+socketName) <= maxSocketPath {
		return sockets
	}
	hash := sha256.Sum256([]byte(base))
	return filepath.Join(shortTemp, fmt.Sprintf("headroom-%x", hash[:8]))
}

// makeSockets makes the folder for the socket. In a folder that all may write
// to, somebody else may have been first: then theirs is not used.
func makeSockets(base string, who account) (string, error) {
	sockets := socketFolder(base)
	info, err := os.Lstat(sockets)
	if err == nil {
		owner := info.Sys().(*syscall.Stat_t).Uid
		if !info.IsDir() || owner != who.uid && owner != uint32(os.Geteuid()) {
			return "", fmt.Errorf("%s, meant for the socket, belongs to somebody else: remove it or choose another folder with --data-dir", sockets)
		}
	}
	return sockets, makePrivate(sockets, who)
}

// removeSockets removes a socket folder that lies outside the base folder.
func removeSockets(base string) {
	if sockets := socketFolder(base); filepath.Dir(sockets) != base {
		_ = os.RemoveAll(sockets)
	}
}

// dataDir is where the data of a major version lives.
func dataDir(base string, major int) string {
	return filepath.Join(base, "pg"+strconv.Itoa(major), "data")
}

// dataMajors returns the major versions that have data in base, as the data
// itself says.
func dataMajors(base string) []int {
	files, err := filepath.Glob(filepath.Join(base, "pg*", "data", "PG_VERSION"))
	if err != nil {
		return nil
	}
	var majors []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if major, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			majors = append(majors, major)
		}
	}
	return majors
}

// explain turns what the file system refuses into a line with a remedy.
func explain(err error, dir string) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Op == "fork/exec" {
		return err // about a program, not about dir
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk that holds %s is full: free some space or choose another folder with --data-dir", dir)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("cannot write to %s (%w): run as the user who owns it or choose another folder with --data-dir", dir, err)
	}
	return err
}
