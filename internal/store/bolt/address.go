package bolt

// The address file: where to ask the server that holds a store file.

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func addressFile(path string) string { return path + ".addr" }

// Announce writes the address of the server that this store belongs to beside
// the file, so that the InUse errors of other processes name it. Close takes it
// away. What a killed process left is taken away by the next Open for writing.
func (s *Store) Announce(address string) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	if err := os.WriteFile(addressFile(s.path), []byte(address+"\n"), 0o600); err != nil {
		return fmt.Errorf("announce the server's address: %w", err)
	}
	return nil
}

// withdraw takes the address away. Only the holder of the lock does.
func withdraw(path string) { _ = os.Remove(addressFile(path)) }

// announced gives the address beside a file, or nothing.
func announced(path string) string {
	file, err := os.Open(addressFile(path))
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, 1000))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
