//go:build unix

package server

import (
	"fmt"
	"io/fs"
	"syscall"
)

// keptFree is how much of a disk exports leave to others, the database among
// them: a twentieth, at most this many bytes.
const keptFree = 1 << 30

// leaveRoom refuses to write where the disk would be left without room.
func leaveRoom(dir string, size int64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("ask for the room on the disk of exports: %w", err)
	}
	block := int64(disk.Bsize)
	free, all := int64(disk.Bavail)*block, int64(disk.Blocks)*block
	if free-size < min(all/20, keptFree) {
		return &fs.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC}
	}
	return nil
}
