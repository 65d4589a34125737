// Package npmfetch brings pinned npm packages onto this machine, once.
//
// It serves the two things headroom can use but does not ship: PostgreSQL
// binaries for a development server, and the files of the GraphiQL editor. The
// download itself is left to the npm client, which knows the person's
// registry, proxy and credentials; no address stands in this program. What npm
// brings is trusted only after its SHA-512 equals the one pinned by the caller.
//
// Promises:
//   - a package is in the cache completely or not at all: it is unpacked into
//     a temporary folder and renamed, so a killed fetch leaves nothing half-made
//     and two fetches at once do no harm;
//   - nothing is unpacked from a file whose hash differs, and no entry is
//     written outside its folder;
//   - no script of a package is ever run.
package npmfetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Package names one version of one npm package and pins its content.
type Package struct {
	// Name as npm knows it, with its scope if it has one: "@scope/name".
	Name string
	// Version is exact; ranges are refused by the hash sooner or later.
	Version string
	// SHA512 of the tarball in standard base64: what
	// `npm view NAME@VERSION dist.integrity` prints after "sha512-".
	SHA512 string
	// Prepare, if set, finishes the unpacked folder (links, modes) before it
	// becomes visible in the cache.
	Prepare func(dir string) error
}

// spec is how npm and people write the package: name@version.
func (p Package) spec() string { return p.Name + "@" + p.Version }

// folder is the package's place below the cache folder.
func (p Package) folder() string {
	name := strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "-")
	return filepath.Join("npm", name+"-"+p.Version)
}

// Config says where packages are kept. The zero value works.
type Config struct {
	// Dir is the cache folder. Empty means [CacheDir].
	Dir string
	// Log is told when a download starts and ends. Nil is silent.
	Log *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dir != "" {
		return c, nil
	}
	dir, err := CacheDir()
	c.Dir = dir
	return c, err
}

// CacheDir is the folder for what can be fetched or made again: headroom below
// XDG_CACHE_HOME, or else in the user's cache folder, for root /var/cache.
// Root's own cache folder will not do: it lies in a home that no other user may
// enter, and PostgreSQL, which refuses to run as root, reads its files there.
func CacheDir() (string, error) {
	if cache := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		return filepath.Join(cache, "headroom"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/cache/headroom", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set HOME or XDG_CACHE_HOME): %w", err)
	}
	return filepath.Join(dir, "headroom"), nil
}

// Cached returns the folder of a package fetched before, without any network.
// The folder holds what the package's tarball holds below "package/".
func Cached(cfg Config, p Package) (dir string, ok bool) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return "", false
	}
	dir = filepath.Join(cfg.Dir, p.folder())
	info, err := os.Stat(dir)
	return dir, err == nil && info.IsDir()
}

// Fetch returns the package's folder in the cache and downloads it first if it
// is not there. ctx ends the npm client too.
func Fetch(ctx context.Context, cfg Config, p Package) (string, error) {
	if dir, ok := Cached(cfg, p); ok {
		return dir, nil
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return "", err
	}
	dir, err := fetch(ctx, cfg, p)
	if err != nil {
		return "", fmt.Errorf("fetch npm package %s: %w", p.spec(), err)
	}
	return dir, nil
}

func fetch(ctx context.Context, cfg Config, p Package) (string, error) {
	final := filepath.Join(cfg.Dir, p.folder())
	parent := filepath.Dir(final)
	if err := mkdirAll(parent); err != nil {
		return "", err
	}
	sweep(parent)
	temp, err := os.MkdirTemp(parent, tempPrefix)
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)

	began := time.Now()
	cfg.Log.Info("fetching npm package", "package", p.spec())
	tarball, err := pack(ctx, temp, p)
	if err != nil {
		return "", err
	}
	if err := verify(tarball, p.SHA512); err != nil {
		return "", err
	}
	unpacked := filepath.Join(temp, "unpacked")
	size, err := unpack(tarball, unpacked)
	if err != nil {
		return "", err
	}
	if p.Prepare != nil {
		if err := p.Prepare(unpacked); err != nil {
			return "", err
		}
	}
	if err := publish(unpacked, final); err != nil {
		return "", err
	}
	cfg.Log.Info("fetched npm package", "package", p.spec(), "dir", final,
		"bytes", size, "ms", time.Since(began).Milliseconds())
	return final, nil
}

// mkdirAll makes dir and its missing parents, open to all whatever the umask.
func mkdirAll(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := mkdirAll(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// publish makes the unpacked folder visible. Somebody who fetched the same
// package at the same time may have been first: theirs is as good as ours.
func publish(unpacked, final string) error {
	err := os.Rename(unpacked, final)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

const (
	tempPrefix = ".fetch-"
	staleAfter = 24 * time.Hour
)

// sweep removes what killed fetches left behind. Errors do not matter: the
// next fetch tries again.
func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, tempPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(dir)
		}
	}
}
