package main

// Files that a command writes.

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeTo writes a file, or out if the path is empty or -. A file is replaced atomically:
// it has its old content until the new one is complete.
func writeTo(out io.Writer, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return buffered(out, write)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return writeThrough(path, write)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".thalas-*")
	if err != nil {
		return usagef("--output: %w", err)
	}
	if err = errors.Join(buffered(file, write), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// writeThrough writes to a link, a pipe or a device, which must not be replaced by a file.
func writeThrough(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return usagef("--output: %w", err)
	}
	return errors.Join(buffered(file, write), file.Close())
}

func buffered(out io.Writer, write func(io.Writer) error) error {
	w := bufio.NewWriter(out)
	return errors.Join(write(w), w.Flush())
}
