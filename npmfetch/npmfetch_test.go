package npmfetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// react is a real package, with the hash that npm shows for it.
var react = Package{
	Name:    "react",
	Version: "18.3.1",
	SHA512:  "wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ==",
}

func config(t *testing.T) Config {
	return Config{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// needNPM ends a test that cannot have what it needs: as a failure where
// HEADROOM_CLIENTS says that npm is required, else as a skip.
func needNPM(t *testing.T, err error) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("HEADROOM_CLIENTS") == "required":
		t.Fatal(err)
	default:
		t.Skipf("needs the npm client and its registry: %v", err)
	}
}

// tarball packs entries like npm does.
func tarball(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	packed := tar.NewWriter(zipped)
	for _, header := range entries {
		content := strings.Repeat("x", int(header.Size))
		if err := packed.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if _, err := packed.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(packed.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name string, size int64, mode int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: mode}
}

// offlineNPM puts an npm on PATH that delivers content for every package, and
// returns that package.
func offlineNPM(t *testing.T, content []byte) Package {
	t.Helper()
	stored := filepath.Join(t.TempDir(), "stored")
	if err := os.WriteFile(stored, content, 0o600); err != nil {
		t.Fatal(err)
	}
	scriptNPM(t, "cat '"+stored+"' > delivered.tgz")
	hash := sha512.Sum512(content)
	return Package{Name: "@scope/thing", Version: "1.2.3", SHA512: base64.StdEncoding.EncodeToString(hash[:])}
}

func scriptNPM(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

// left lists all that is in the cache.
func left(t *testing.T, cfg Config) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(filepath.Join(cfg.Dir, "npm"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(cfg.Dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func TestFetchFromTheRegistry(t *testing.T) {
	_, err := exec.LookPath("npm")
	needNPM(t, err)
	cfg := config(t)
	if dir, ok := Cached(cfg, react); ok {
		t.Fatalf("Cached before Fetch = %q, true", dir)
	}
	dir, err := Fetch(t.Context(), cfg, react)
	needNPM(t, err)
	if _, err := os.Stat(filepath.Join(dir, "umd", "react.production.min.js")); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", "/nowhere") // npm is not needed again
	again, err := Fetch(t.Context(), cfg, react)
	if cached, ok := Cached(cfg, react); err != nil || again != dir || !ok || cached != dir {
		t.Errorf("second Fetch = %q, %v, Cached = %q, %v, want %q", again, err, cached, ok, dir)
	}
}

func TestFetchRefusesOtherContent(t *testing.T) {
	_, err := exec.LookPath("npm")
	needNPM(t, err)
	cfg := config(t)
	_, err = Fetch(t.Context(), cfg, react)
	needNPM(t, err)
	cfg = config(t)
	other := react
	other.SHA512 = "A" + react.SHA512[1:]
	_, err = Fetch(t.Context(), cfg, other)
	for _, want := range []string{"react@18.3.1", "not the one pinned", "sha512-" + react.SHA512, "sha512-" + other.SHA512} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if got := left(t, cfg); got != nil {
		t.Errorf("the cache holds %q after a refusal, want nothing", got)
	}
}

func TestFetchRefusesCorruptedDownload(t *testing.T) {
	good := tarball(t, file("package/a", 100, 0o644))
	pkg := offlineNPM(t, good)
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 1
	offlineNPM(t, bad)
	cfg := config(t)
	if _, err := Fetch(t.Context(), cfg, pkg); err == nil || !strings.Contains(err.Error(), "not the one pinned") {
		t.Errorf("Fetch of a download with one bit wrong = %v", err)
	}
	if got := left(t, cfg); got != nil {
		t.Errorf("the cache holds %q, want nothing", got)
	}
}

func TestFetchUnpacks(t *testing.T) {
	pkg := offlineNPM(t, tarball(t,
		file("package/package.json", 3, 0o644),
		file("package/bin/tool", 5, 0o755),
		tar.Header{Typeflag: tar.TypeDir, Name: "package/empty/", Mode: 0o700},
		file("other/deep/er/file", 0, 0o600),
	))
	cfg := config(t)
	dir, err := Fetch(t.Context(), cfg, pkg)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(cfg.Dir, "npm", "scope-thing-1.2.3"); dir != want {
		t.Errorf("folder = %s, want %s", dir, want)
	}
	got := map[string]string{}
	for _, name := range []string{"package.json", "bin", "bin/tool", "empty", "deep/er/file"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode().String()
	}
	want := map[string]string{
		"package.json": "-rw-r--r--", "bin": "drwxr-xr-x", "bin/tool": "-rwxr-xr-x",
		"empty": "drwxr-xr-x", "deep/er/file": "-rw-r--r--",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestPrepareComesBeforeTheCache(t *testing.T) {
	pkg := offlineNPM(t, tarball(t, file("package/a", 1, 0o644)))
	cfg := config(t)
	pkg.Prepare = func(string) error { return errors.New("not today") }
	if _, err := Fetch(t.Context(), cfg, pkg); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("Fetch = %v, want Prepare's error", err)
	}
	if _, ok := Cached(cfg, pkg); ok {
		t.Error("a package is in the cache whose Prepare did not work")
	}
	pkg.Prepare = func(dir string) error { return os.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")) }
	if _, err := Fetch(t.Context(), cfg, pkg); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"npm/scope-thing-1.2.3/b"}, left(t, cfg)); diff != "" {
		t.Errorf("cache (-want +got):\n%s", diff)
	}
}

func TestFetchByManyAtOnce(t *testing.T) {
	pkg := offlineNPM(t, tarball(t, file("package/a", 1, 0o644)))
	cfg := config(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := Fetch(t.Context(), cfg, pkg); err != nil {
				t.Errorf("fetch %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff([]string{"npm/scope-thing-1.2.3/a"}, left(t, cfg)); diff != "" {
		t.Errorf("cache (-want +got):\n%s", diff)
	}
}

func TestFetchWithoutNPM(t *testing.T) {
	t.Setenv("PATH", "/nowhere")
	_, err := Fetch(t.Context(), config(t), react)
	if err == nil || !strings.Contains(err.Error(), "npm client is not on PATH: install Node.js") {
		t.Errorf("Fetch = %v, want what to install", err)
	}
}

func TestFetchGivesNPMsReason(t *testing.T) {
	scriptNPM(t, `echo "npm warn something old" >&2
echo "npm error code E404" >&2
echo "npm error 404 Not Found" >&2
echo "npm error A complete log of this run can be found in: /x" >&2
exit 1`)
	_, err := Fetch(t.Context(), config(t), react)
	want := "fetch npm package react@18.3.1: npm pack: exit status 1: code E404; 404 Not Found"
	if err == nil || err.Error() != want {
		t.Errorf("Fetch = %v\nwant    %s", err, want)
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := filepath.Join(t.TempDir(), "began")
	scriptNPM(t, "mkfifo fifo; echo > '"+began+"'; exec cat fifo") // hangs
	done := make(chan error)
	go func() {
		_, err := Fetch(ctx, config(t), react)
		done <- err
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(began); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("npm was not started within a minute")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Fetch = %v, want context.Canceled", err)
	}
}

func TestCacheDir(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/cache")
	if got, err := CacheDir(); got != "/cache/headroom" || err != nil {
		t.Errorf("CacheDir() = %q, %v", got, err)
	}
	if os.Geteuid() == 0 {
		t.Setenv("XDG_CACHE_HOME", "")
		if got, err := CacheDir(); got != "/var/cache/headroom" || err != nil {
			t.Errorf("CacheDir() for root = %q, %v", got, err)
		}
	}
}

func ExampleCached() {
	pkg := Package{Name: "react", Version: "18.3.1", SHA512: "wS+hAgJS..."}
	_, ok := Cached(Config{Dir: "/nowhere"}, pkg)
	fmt.Println(ok)
	// Output: false
}
