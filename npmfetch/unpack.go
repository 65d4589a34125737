package npmfetch

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Bounds on what one package may unpack to: several times the largest that is
// used (PostgreSQL: 57 MB in 1,013 files).
const (
	maxBytes   = 512 << 20
	maxEntries = 20_000
)

// unpack writes the tarball's files into dir, which it creates, without the
// first folder of their names ("package/"), and returns their total size.
func unpack(tarball, dir string) (int64, error) {
	file, err := os.Open(tarball)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return 0, fmt.Errorf("read the tarball: %w", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	size, err := unpackTar(tar.NewReader(zipped), root, maxBytes, maxEntries)
	if err != nil {
		return 0, err
	}
	return size, openFolders(dir)
}

// openFolders lets everybody enter the folders below dir. Like the files'
// modes they are set explicitly: a narrow umask of root would hide the package
// from the user that PostgreSQL runs as.
func openFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}

func unpackTar(in *tar.Reader, root *os.Root, bytesLeft int64, entriesLeft int) (int64, error) {
	var total int64
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, fmt.Errorf("read the tarball: %w", err)
		}
		if entriesLeft--; entriesLeft < 0 {
			return total, errors.New("the tarball has too many entries")
		}
		if header.Size > bytesLeft-total {
			return total, errors.New("the tarball is too large unpacked")
		}
		if err := unpackEntry(in, header, root); err != nil {
			return total, err
		}
		total += header.Size
	}
}

// unpackEntry writes one entry. npm tarballs hold plain files and folders;
// anything else, links above all, is refused.
func unpackEntry(in io.Reader, header *tar.Header, root *os.Root) error {
	name, err := entryName(header.Name)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeReg:
		return writeFile(in, root, name, header.FileInfo().Mode())
	default:
		return fmt.Errorf("the tarball's entry %q is neither a file nor a folder", header.Name)
	}
}

// entryName drops the first folder of an entry's name and refuses a name that
// would leave the folder. os.Root refuses it as well; this names the entry.
func entryName(name string) (string, error) {
	_, rest, _ := strings.Cut(name, "/")
	rest = path.Clean(rest)
	if path.IsAbs(name) || !fs.ValidPath(rest) || strings.ContainsAny(rest, `\:`) {
		return "", fmt.Errorf("the tarball's entry %q would leave its folder", name)
	}
	return rest, nil
}

// writeFile creates name anew, executable if the tarball says so.
func writeFile(in io.Reader, root *os.Root, name string, mode fs.FileMode) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	perm := fs.FileMode(0o644)
	if mode&0o111 != 0 {
		perm = 0o755
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.Chmod(perm); err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	return out.Close()
}
