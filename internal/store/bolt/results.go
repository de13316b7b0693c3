package bolt

// Storing results, and finding them by their ids.

import (
	"context"
	"errors"
	"fmt"

	"thalas/internal/store"
)

// Record implements store.Results.
func (s *Store) Record(ctx context.Context, result *store.Result, count store.Count) error {
	if err := count.Validate(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	if result == nil {
		return s.write(ctx, func(t *transaction) error { return t.count(count) })
	}
	// The caller's goroutine encodes the result, since the writer is only one.
	if err := result.Validate(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	value, err := encodeResult(result)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	kept := *result
	return s.write(ctx, func(t *transaction) error {
		return errors.Join(t.keep(&kept, value), t.count(count))
	})
}

// Add implements store.Results. It stores all results in one transaction.
func (s *Store) Add(ctx context.Context, results []*store.Result) (added int, err error) {
	values := make([][]byte, len(results))
	for i, r := range results {
		if err := r.Validate(); err != nil {
			return 0, fmt.Errorf("add: %w", err)
		}
		if values[i], err = encodeResult(r); err != nil {
			return 0, fmt.Errorf("add: %w", err)
		}
	}
	err = s.write(ctx, func(t *transaction) error {
		added = 0 // an earlier attempt may have been rolled back
		for i, r := range results {
			switch _, err := t.result(r.ID); {
			case err == nil:
			case !errors.Is(err, store.ErrNotFound):
				return err
			default:
				if err := t.keep(r, values[i]); err != nil {
					return err
				}
				added++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("add: %w", err)
	}
	return added, nil
}

// keep writes a result and its entries in the lists.
func (t *transaction) keep(r *store.Result, value []byte) error {
	if err := t.forget(r.ID); err != nil {
		return err
	}
	created, expiry := r.CreatedAt.UnixMilli(), expiryOf(r.ExpiresAt)
	return errors.Join(
		t.put(resultsBucket, []byte(r.ID), value),
		bySeries.add(t, r.Series, r.Position, created, expiry),
		byDay.add(t, r.Day, r.ID, created, expiry),
		t.expire(resultsBucket, r.ID, never, expiry),
	)
}

// forget removes the result of an id, if there is one, and its entries in the lists.
func (t *transaction) forget(id string) error {
	value := t.get(resultsBucket, []byte(id))
	if value == nil {
		return nil
	}
	head, _, err := decodeHeader(id, value)
	if err != nil {
		return err
	}
	return errors.Join(
		t.delete(resultsBucket, []byte(id)),
		bySeries.remove(t, head.Series, head.Position),
		byDay.remove(t, head.Day, id),
		t.expire(resultsBucket, id, expiryOf(head.ExpiresAt), never),
	)
}

// Result implements store.Results.
func (s *Store) Result(ctx context.Context, id string) (store.Result, error) {
	return view(ctx, s, func(t *transaction) (store.Result, error) { return t.result(id) })
}

func (t *transaction) result(id string) (store.Result, error) {
	value := t.get(resultsBucket, []byte(id))
	if value == nil {
		return store.Result{}, store.ErrNotFound
	}
	result, err := decodeResult(id, value)
	if err != nil {
		return store.Result{}, err
	}
	if t.expired(expiryOf(result.ExpiresAt)) {
		return store.Result{}, store.ErrNotFound
	}
	return result, nil
}
