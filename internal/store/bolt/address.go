package bolt

// The address file: it stands beside a store file and holds the address of the server
// that has the store open, and a token. A program that can read the token proves by it
// to the server that it may read the store's folder.

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func addressFile(path string) string { return path + ".addr" }

// Announce writes the address file, with the server's address and a token, so that the
// [InUse] errors of other processes have them. Close removes it. The next [Open] for
// writing removes what a killed process left.
func (s *Store) Announce(address, token string) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	// An old file may be readable by other users; a new one is not.
	withdraw(s.path)
	if err := os.WriteFile(addressFile(s.path), []byte(address+"\n"+token+"\n"), 0o600); err != nil {
		return fmt.Errorf("announce the server's address: %w", err)
	}
	return nil
}

// withdraw removes the address file. Only the holder of the lock may call it.
func withdraw(path string) { _ = os.Remove(addressFile(path)) }

// Announced reads the address file of a store file. The results are empty without one.
func Announced(path string) (address, token string) {
	file, err := os.Open(addressFile(path))
	if err != nil {
		return "", ""
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, 1000))
	if err != nil {
		return "", ""
	}
	address, token, _ = strings.Cut(string(text), "\n")
	return strings.TrimSpace(address), strings.TrimSpace(token)
}
