package server

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"headroom/timesheet"
)

// ExportFolder is where the files of exports lie. It has a name of its own,
// kept in it, by which jobs say where their file is: replicas that share a
// folder serve each other's files.
type ExportFolder struct {
	dir   string
	name  string
	limit int64        // bytes of all files together
	held  atomic.Int64 // bytes of all files, those being written too
}

const (
	folderName = "folder-name"
	partSuffix = ".part"
)

// OpenExportFolder makes a folder below dir where it is missing, one for each
// database: servers of two databases can share dir. limit is how many bytes the
// files of this database may have together.
func OpenExportFolder(dir string, secret []byte, limit int64) (*ExportFolder, error) {
	dir = filepath.Join(dir, hex.EncodeToString(derive(secret, "exports")[:6]))
	// The folder around it may hold a private PostgreSQL of another account one day.
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o711), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, fmt.Errorf("make the folder of exports: %w", err)
	}
	f := &ExportFolder{dir: dir, limit: limit}
	if err := f.readName(); err != nil {
		return nil, fmt.Errorf("use the folder of exports: %w", err)
	}
	return f, f.count()
}

// readName reads the folder's name, and gives it one by a link, which only the
// first of several processes makes.
func (f *ExportFolder) readName() error {
	path := filepath.Join(f.dir, folderName)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		fresh := path + "." + rand.Text()
		if err := os.WriteFile(fresh, []byte(strings.ToLower(rand.Text())), 0o600); err != nil {
			return err
		}
		defer os.Remove(fresh)
		if err := os.Link(fresh, path); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		text, err = os.ReadFile(path)
	}
	if err == nil && len(text) == 0 {
		err = fmt.Errorf("%s is empty: delete it", path)
	}
	f.name = string(text)
	return err
}

func (f *ExportFolder) path(id timesheet.ExportID) string {
	return filepath.Join(f.dir, strconv.FormatInt(int64(id), 10))
}

// open opens a finished file.
func (f *ExportFolder) open(id timesheet.ExportID) (*os.File, error) { return os.Open(f.path(id)) }

// remove deletes an export's finished file.
func (f *ExportFolder) remove(id timesheet.ExportID) error { return f.removeFile(f.path(id)) }

func (f *ExportFolder) removeFile(path string) error {
	info, err := os.Stat(path)
	if err == nil {
		err = os.Remove(path)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete the file of an export: %w", err)
	}
	f.held.Add(-info.Size())
	return nil
}

// files are the files of exports in the folder, those being written too.
func (f *ExportFolder) files() (map[string]timesheet.ExportID, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder of exports: %w", err)
	}
	found := map[string]timesheet.ExportID{}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), ".")
		if id, err := strconv.ParseInt(number, 10, 64); err == nil {
			found[filepath.Join(f.dir, e.Name())] = timesheet.ExportID(id)
		}
	}
	return found, nil
}

// count learns how much the folder holds: others may write into it too.
func (f *ExportFolder) count() error {
	files, err := f.files()
	var held int64
	for path := range files {
		if info, err := os.Stat(path); err == nil { // else it is gone by now
			held += info.Size()
		}
	}
	f.held.Store(held)
	return err
}

// errOverQuota ends a file that would become too large.
var errOverQuota = errors.New("the file does not fit into the quota")

// exportFile is a file that is being written. It becomes visible under its own
// name when it is whole and on the disk.
type exportFile struct {
	*bufio.Writer
	folder *ExportFolder
	id     timesheet.ExportID
	file   *os.File
	sum    hash.Hash
	bytes  int64
	quota  int64 // of this file
}

// exportBuffer is how much of a file is written at a time.
const exportBuffer = 64 << 10

// create begins a file of at most quota bytes. What a killed server has left of
// the same export is deleted.
func (f *ExportFolder) create(id timesheet.ExportID, quota int64) (*exportFile, error) {
	files, err := f.files()
	if err != nil {
		return nil, err
	}
	for path, of := range files {
		if of == id {
			if err := f.removeFile(path); err != nil {
				return nil, err
			}
		}
	}
	file, err := os.CreateTemp(f.dir, strconv.FormatInt(int64(id), 10)+".*"+partSuffix)
	if err != nil {
		return nil, err
	}
	x := &exportFile{folder: f, id: id, file: file, sum: sha256.New(), quota: quota}
	x.Writer = bufio.NewWriterSize(writerFunc(x.put), exportBuffer)
	return x, nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// put writes to the disk as long as there is room by every measure.
func (x *exportFile) put(p []byte) (int, error) {
	size := int64(len(p))
	if x.bytes+size > x.quota || x.folder.held.Load()+size > x.folder.limit {
		return 0, errOverQuota
	}
	if err := leaveRoom(x.folder.dir, size); err != nil {
		return 0, err
	}
	n, err := x.file.Write(p)
	x.bytes += int64(n)
	x.folder.held.Add(int64(n))
	x.sum.Write(p[:n]) // never fails
	return n, err
}

// commit puts the whole file onto the disk and gives it its name.
func (x *exportFile) commit() (sha256 string, err error) {
	err = x.Flush()
	if err == nil {
		err = x.file.Sync()
	}
	err = errors.Join(err, x.file.Close())
	if err == nil {
		err = os.Rename(x.file.Name(), x.folder.path(x.id))
	}
	if err == nil {
		err = syncFolder(x.folder.dir)
	}
	return hex.EncodeToString(x.sum.Sum(nil)), err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// discard deletes what was written; after commit it does nothing.
func (x *exportFile) discard() error {
	_ = x.file.Close() // after commit it is closed
	return x.folder.removeFile(x.file.Name())
}
