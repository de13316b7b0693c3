package bolt

// The address file: where to ask the server that holds a store file, and the token by
// which whoever may read the file's folder shows that to the server.

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func addressFile(path string) string { return path + ".addr" }

// Announce writes the address of the server that this store belongs to beside
// the file, and a token, so that the InUse errors of other processes name them. Close
// takes them away. What a killed process left is taken away by the next Open for writing.
func (s *Store) Announce(address, token string) error {
	if s.options.ReadOnly {
		return ErrReadOnly
	}
	// A file that stands there may be readable by others, which a new one is not.
	withdraw(s.path)
	if err := os.WriteFile(addressFile(s.path), []byte(address+"\n"+token+"\n"), 0o600); err != nil {
		return fmt.Errorf("announce the server's address: %w", err)
	}
	return nil
}

// withdraw takes the address away. Only the holder of the lock does.
func withdraw(path string) { _ = os.Remove(addressFile(path)) }

// Announced gives the address and the token beside a file, or nothing.
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
