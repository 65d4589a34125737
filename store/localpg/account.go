package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the user that PostgreSQL runs as. The zero uid means this
// process's own user: only root has to change, and never to root.
type account struct {
	name     string
	uid, gid uint32
}

// runAs picks the account: our own, or for root the first that exists of
// postgres and nobody.
func runAs() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: strconv.Itoa(os.Geteuid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
		if errUID == nil && errGID == nil && uid != 0 {
			return account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root and there is no user postgres or nobody: create one, or run headroom as an ordinary user")
}

// other reports whether the account is not this process's own.
func (a account) other() bool { return a.uid != 0 }

// own gives path to the account.
func (a account) own(path string) error {
	if !a.other() {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// ownTree gives a data folder that came from elsewhere, such as a restored
// copy, to the account. The top goes last: it tells whether all is done.
func (a account) ownTree(top string) error {
	info, err := os.Stat(top)
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !a.other() || owner == a.uid {
		return nil
	}
	err = filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == top {
			return err
		}
		return a.own(path)
	})
	if err != nil {
		return err
	}
	return a.own(top)
}

// command prepares a PostgreSQL program: run as the account, in the folder dir,
// in a process group of its own (Ctrl-C at a terminal is for us to handle) and
// without the caller's PG* variables, which would override what we set.
func (a account) command(dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.other() {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "LC_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	return cmd
}

// checkAccess makes sure that the account can run bin in base. The true test is
// to try; the modes of the parents only serve to name the culprit.
func checkAccess(ctx context.Context, bin Binaries, base string, who account) error {
	if !who.other() {
		return nil
	}
	program := filepath.Join(bin.Dir, "postgres")
	_, err := output(ctx, who.command(base, program, "--version"))
	if errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("root may not run PostgreSQL as the user %s here: run headroom as an ordinary user", who.name)
	}
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if closed := who.closedParent(base); closed != "" {
		return fmt.Errorf("the user %s, which PostgreSQL runs as, may not enter %s: choose a folder outside it with --data-dir", who.name, closed)
	}
	return fmt.Errorf("the user %s, which PostgreSQL runs as, may not run %s (closed: %s)", who.name, program, who.closedParent(program))
}

// closedParent is the first folder on the way to path, itself included, that
// the account may not enter by its mode; empty if there is none.
func (a account) closedParent(path string) string {
	for i := 1; i <= len(path); i++ {
		if (i == len(path) || path[i] == filepath.Separator) && !a.mayEnter(path[:i]) {
			return path[:i]
		}
	}
	return ""
}

func (a account) mayEnter(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case stat.Uid == a.uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
