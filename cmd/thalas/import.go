package main

// thalas import: results that export wrote, stored under their ids.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"thalas/internal/service"
	"thalas/internal/store/bolt"
)

func newImport(t terminal) *cobra.Command {
	var flags settings
	cmd := &cobra.Command{
		Use:   "import FILE.jsonl",
		Short: "Store results that 'thalas export --format jsonl' wrote",
		Long: `Store results that 'thalas export --format jsonl' wrote, byte for byte and under their ids: in
the file, by the server that has it open, or in the DynamoDB tables.

Results that are stored already are left as they are. A line that is not a whole result is
refused with its number before anything is stored. Simulated results stay simulated. The
time for which results are kept begins now. No runs are counted, and no model is asked.`,
		Example: "  thalas export BTC/USDT --format jsonl -o btc.jsonl\n  thalas import btc.jsonl --data-file ./other.db",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lines, err := checkLines(args[0])
			if err != nil {
				return err
			}
			to, err := flags.openImport(cmd.Context(), t)
			if err != nil {
				return err
			}
			added, err := to.importAll(cmd.Context(), t, args[0], lines)
			if err := errors.Join(err, to.close()); err != nil {
				return fmt.Errorf("%w; of the %d results of %s %d were stored, and are passed over when you import it again", err, lines, args[0], added)
			}
			_, err = fmt.Fprintf(t.out, "Results imported into %s: %d; there already: %d.\n", to.name, added, lines-added)
			return err
		},
	}
	flags.dataFileFlag(cmd)
	return cmd
}

// mostMistakes is the most wrong lines that are listed.
const mostMistakes = 5

// checkLines counts the results of a file. It gives an error if a line is not a whole
// result.
func checkLines(path string) (results int, err error) {
	var mistakes []string
	err = eachLine(path, func(number int, body []byte) error {
		results++
		if _, err := service.WholeResult(body); err != nil {
			mistakes = append(mistakes, fmt.Sprintf("line %d: %v", number, err))
		}
		return nil
	})
	if err != nil {
		return 0, usageError{err}
	}
	if more := len(mistakes) - mostMistakes; more > 0 {
		mistakes = append(mistakes[:mostMistakes], fmt.Sprintf("and %d more", more))
	}
	if len(mistakes) > 0 {
		return 0, usagef("%s has lines that are no whole results, as 'thalas export --format jsonl' writes them; nothing was stored:\n  %s", path, strings.Join(mistakes, "\n  "))
	}
	return results, nil
}

// maxLine is the most bytes of a line of results.
const maxLine = 16 << 20

// eachLine reads the lines of a file of JSON. It skips empty lines, and the byte order mark
// that some editors write at the beginning.
func eachLine(path string, visit func(number int, body []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		number++
		body := lines.Bytes()
		if number == 1 {
			body = bytes.TrimPrefix(body, []byte("\ufeff"))
		}
		if body = bytes.TrimSpace(body); len(body) == 0 {
			continue
		}
		if err := visit(number, body); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: line %d can't be read: %w", path, number+1, err)
	}
	return nil
}

// importTo is the destination of an import.
type importTo struct {
	name  string
	add   func(ctx context.Context, bodies [][]byte) (added int, err error)
	close func() error
}

// openImport opens the store, or finds the server that has its file open.
func (f settings) openImport(ctx context.Context, t terminal) (importTo, error) {
	a, stop, err := f.newApp(t, nil)
	if err != nil {
		return importTo{}, err
	}
	defer stop() // no provider is asked
	opened, err := openStore(ctx, t, a, bolt.Options{})
	var held *bolt.InUse
	switch {
	case errors.As(err, &held):
		return importTo{held.Address, func(ctx context.Context, bodies [][]byte) (int, error) { return sendImport(ctx, held, bodies) }, func() error { return nil }}, nil
	case err != nil:
		return importTo{}, err
	}
	s := a.NewService(opened, versionText())
	return importTo{opened.name, func(ctx context.Context, bodies [][]byte) (int, error) {
		added, err := s.Import(ctx, bodies)
		return added, withCause(err)
	}, opened.Close}, nil
}

// sendImport has the server that has a file open store results.
func sendImport(ctx context.Context, held *bolt.InUse, bodies [][]byte) (added int, err error) {
	response, err := askLocal(ctx, held, http.MethodPost, localImport, bytes.NewReader(bytes.Join(bodies, []byte("\n"))))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Added int `json:"added"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("the answer of %s broke off: %w", held.Address, err)
	}
	return answer.Added, nil
}

// The size of a batch: the most results, and about the most bytes.
const (
	batchResults = 200
	batchBytes   = 4 << 20
)

// progressEvery is how often a long import prints how far it has come. A shorter one
// prints nothing.
const progressEvery = 2 * time.Second

// importAll stores the results of a file that checkLines has read.
func (to importTo) importAll(ctx context.Context, t terminal, path string, lines int) (added int, err error) {
	done, held, nextProgress := 0, 0, time.Now().Add(progressEvery)
	var batch [][]byte
	store := func() error {
		if len(batch) == 0 {
			return nil
		}
		some, err := to.add(ctx, batch)
		added += some
		done += len(batch)
		batch, held = nil, 0
		if now := time.Now(); !now.Before(nextProgress) {
			nextProgress = now.Add(progressEvery)
			fmt.Fprintf(t.err, "Imported %d of %d results …\n", done, lines)
		}
		return err
	}
	err = eachLine(path, func(_ int, body []byte) error {
		batch = append(batch, bytes.Clone(body))
		if held += len(body); len(batch) < batchResults && held < batchBytes {
			return nil
		}
		return store()
	})
	if err == nil {
		err = store()
	}
	return added, err
}
