package npmfetch

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unpackBytes unpacks content into a new folder with the given bounds.
func unpackBytes(t *testing.T, content []byte, maxBytes int64, maxEntries int) (string, error) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	_, err = unpackTar(tar.NewReader(bytes.NewReader(content)), root, maxBytes, maxEntries)
	return dir, err
}

func TestUnpackRefuses(t *testing.T) {
	link := func(kind byte, name, target string) tar.Header {
		return tar.Header{Typeflag: kind, Name: name, Linkname: target}
	}
	tests := map[string]struct {
		entries []tar.Header
		want    string
	}{
		"a way up":               {[]tar.Header{file("package/../../evil", 1, 0o644)}, "would leave its folder"},
		"a way up in the middle": {[]tar.Header{file("package/a/../../../evil", 1, 0o644)}, "would leave its folder"},
		"an absolute path":       {[]tar.Header{file("/etc/evil", 1, 0o644)}, "would leave its folder"},
		"a second slash":         {[]tar.Header{file("package//etc/evil", 1, 0o644)}, "would leave its folder"},
		"a backslash":            {[]tar.Header{file(`package/..\evil`, 1, 0o644)}, "would leave its folder"},
		"a drive":                {[]tar.Header{file("package/C:evil", 1, 0o644)}, "would leave its folder"},
		"a symbolic link":        {[]tar.Header{link(tar.TypeSymlink, "package/a", "/etc/passwd")}, "neither a file nor a folder"},
		"a hard link":            {[]tar.Header{link(tar.TypeLink, "package/a", "package/b")}, "neither a file nor a folder"},
		"a device":               {[]tar.Header{link(tar.TypeChar, "package/a", "")}, "neither a file nor a folder"},
		"the same file twice":    {[]tar.Header{file("package/a", 1, 0o644), file("package/a", 1, 0o644)}, "exists"},
		"a file as a folder":     {[]tar.Header{file("package/a", 1, 0o644), file("package/a/b", 1, 0o644)}, "mkdirat a: file exists"},
		"no name":                {[]tar.Header{file("package", 1, 0o644)}, "openat ."},
		"one large file":         {[]tar.Header{file("package/a", 1001, 0o644)}, "too large"},
		"many small files":       {[]tar.Header{file("package/a", 600, 0o644), file("package/b", 600, 0o644)}, "too large"},
		"many entries":           {[]tar.Header{file("p/a", 0, 0), file("p/b", 0, 0), file("p/c", 0, 0), file("p/d", 0, 0)}, "too many entries"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var content bytes.Buffer
			packed := tar.NewWriter(&content)
			for _, header := range tt.entries {
				if err := packed.WriteHeader(&header); err != nil {
					t.Fatal(err)
				}
				if _, err := packed.Write(make([]byte, header.Size)); err != nil {
					t.Fatal(err)
				}
			}
			dir, err := unpackBytes(t, content.Bytes(), 1000, 3)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("unpack = %v, want an error with %q", err, tt.want)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "evil")); err == nil {
				t.Error("a file was written outside the folder")
			}
		})
	}
}

func TestUnpackRefusesWhatIsNoTarball(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.tgz")
	if err := os.WriteFile(path, []byte("not found"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(path, filepath.Join(t.TempDir(), "out")); err == nil {
		t.Error("a text was unpacked")
	}
	cut := tarball(t, file("package/a", 4096, 0o644))
	if err := os.WriteFile(path, cut[:len(cut)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unpack(path, filepath.Join(t.TempDir(), "out")); err == nil {
		t.Error("a tarball that is cut short was unpacked")
	}
}

func FuzzEntryName(f *testing.F) {
	for _, name := range []string{"package/a", "package/../a", "/a", "a", "package//b", "p/./c/", "p/\x00"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := entryName(name)
		if err == nil && !filepath.IsLocal(got) {
			t.Errorf("entryName(%q) = %q, which leaves the folder", name, got)
		}
	})
}
