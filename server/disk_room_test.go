//go:build linux || darwin

package main

import (
	"path/filepath"
	"testing"
)

func TestDiskRoomIsOfTheFolderThatIsThere(t *testing.T) {
	folder := t.TempDir()
	free, all, ok := diskRoom(folder)
	if !ok || free <= 0 || free > all {
		t.Errorf("%d of %d bytes are free, %v", free, all, ok)
	}
	if free, all, ok := diskRoom(filepath.Join(folder, "none")); ok {
		t.Errorf("where nothing is, %d of %d bytes are free", free, all)
	}
}
