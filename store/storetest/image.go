package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"headroom/store/localpg"
)

// startPrivate starts this test binary's own server on a copy of the image.
func startPrivate(ctx context.Context) (*server, error) {
	image, bin, err := ensureImage(ctx)
	if err != nil {
		return nil, err
	}
	run, err := newRunFolder()
	if err != nil {
		return nil, err
	}
	if err := copyData(run, image); err != nil {
		return nil, fmt.Errorf("copy the image: %w", err)
	}
	private, err := localpg.Start(ctx, localpg.Config{Dir: run, Bin: bin.Dir, Ephemeral: true})
	if err != nil {
		return nil, err
	}
	return connect(private.DSN())
}

// ensureImage returns the folder of a stopped cluster that has the template
// database, and the binaries it was made with. One process builds it, under a
// lock; the others wait.
func ensureImage(ctx context.Context) (string, localpg.Binaries, error) {
	var none localpg.Binaries
	cache, err := cacheDir()
	if err != nil {
		return "", none, err
	}
	unlock, err := lockFolder(cache)
	if err != nil {
		return "", none, err
	}
	defer unlock()
	// The image folder does not exist or fits, so any version may be found.
	bin, err := localpg.Find(ctx, localpg.Config{Dir: filepath.Join(cache, "none")})
	if err != nil {
		return "", none, err
	}
	hash, err := migrationsHash()
	if err != nil {
		return "", none, err
	}
	image := filepath.Join(cache, imagePrefix+bin.Version+"-"+hash)
	if _, err := os.Stat(image); err == nil {
		return image, bin, nil
	}
	prune(cache)
	return image, bin, buildImage(ctx, image, bin)
}

const (
	imagePrefix = "test-image-"
	imageAge    = 7 * 24 * time.Hour
)

// prune removes images of older migrations. Nobody else uses them: whoever does
// holds the lock.
func prune(cache string) {
	images, err := filepath.Glob(filepath.Join(cache, imagePrefix+"*"))
	if err != nil {
		return
	}
	for _, image := range images {
		if info, err := os.Stat(image); err == nil && time.Since(info.ModTime()) > imageAge {
			_ = os.RemoveAll(image)
		}
	}
}

func buildImage(ctx context.Context, image string, bin localpg.Binaries) error {
	run, err := newRunFolder()
	if err != nil {
		return err
	}
	private, err := localpg.Start(ctx, localpg.Config{Dir: run, Bin: bin.Dir, Ephemeral: true})
	if err != nil {
		return err
	}
	s, err := connect(private.DSN())
	if err == nil {
		err = s.ensureTemplate(ctx)
	}
	if err := errors.Join(err, private.Stop(ctx)); err != nil {
		return fmt.Errorf("build the image: %w", err)
	}
	unfinished := image + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := copyData(unfinished, run); err != nil {
		return fmt.Errorf("keep the image: %w", err)
	}
	return os.Rename(unfinished, image)
}

// copyData copies the data folders of a stopped server's base folder.
func copyData(to, from string) error {
	folders, err := filepath.Glob(filepath.Join(from, "pg*", "data"))
	if err != nil {
		return err
	}
	for _, folder := range folders {
		below, err := filepath.Rel(from, folder)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		if err := os.CopyFS(target, os.DirFS(folder)); err != nil {
			return err
		}
		// PostgreSQL refuses a data folder that others may read.
		if err := os.Chmod(target, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// cacheDir is where the image is kept: the user's cache folder, or a folder of
// the user's own below the temporary one where there is no home.
func cacheDir() (string, error) {
	if dir, err := os.UserCacheDir(); err == nil {
		dir = filepath.Join(dir, "headroom")
		if err := os.MkdirAll(dir, 0o700); err == nil {
			return dir, nil
		}
	}
	dir := filepath.Join(os.TempDir(), "headroom-cache-"+strconv.Itoa(os.Getuid()))
	return dir, os.MkdirAll(dir, 0o700)
}

// lockFolder waits for the cache folder's lock, which ends with the process.
func lockFolder(dir string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, imagePrefix+"lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return func() { file.Close() }, nil
}

// Run folders are named after the process they belong to.
const runPrefix = "headroom-test-"

// newRunFolder makes a folder for a server's data that is removed when this
// process ends, and removes those of processes whose cleaner was killed too.
func newRunFolder() (string, error) {
	parent := runParent()
	sweep(parent)
	dir, err := os.MkdirTemp(parent, runPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", err
	}
	if err := removeAtExit(dir); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) // for the user that PostgreSQL runs as
}

// runParent is memory where there is enough of it, else the temporary folder.
func runParent() string {
	const memory, enough = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	err := syscall.Statfs(memory, &stat)
	if err != nil || stat.Bavail*uint64(stat.Bsize) < enough || syscall.Access(memory, 2) != nil {
		return os.TempDir()
	}
	return memory
}

func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, runPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), runPrefix), "-")
		owner, err := strconv.Atoi(pid)
		if err == nil && errors.Is(syscall.Kill(owner, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

// cleaner waits for the end of its input, that is of this process, ends the
// server where the kernel has not done so, and removes its folder.
const cleaner = `
cat >/dev/null
pid=$(head -n 1 "$0"/pg*/data/postmaster.pid 2>/dev/null) && kill -INT "$pid" 2>/dev/null
tries=0
while ls "$0"/pg*/data/postmaster.pid >/dev/null 2>&1 && [ $tries -lt 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
rm -rf "$0"
`

// lifelines are the cleaners' inputs. They stay open as long as this process
// lives, which the garbage collector would otherwise cut short.
var lifelines []io.Closer

// removeAtExit removes dir when this process has ended. A process of its own
// does it, since a killed test binary, or one that calls os.Exit, runs nothing.
func removeAtExit(dir string) error {
	cmd := exec.Command("sh", "-c", cleaner, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	lifelines = append(lifelines, lifeline)
	return cmd.Start()
}
