package dynamo_test

// What several tests of the package use: the servers, and stores in them.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, e := range engines {
		if e.server == nil {
			continue
		}
		if err := e.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// engine is started by the first test that needs it.
type engine struct {
	dynamotest.Engine
	once   sync.Once
	server *dynamotest.Server
	err    error
}

var engines = func() (all []*engine) {
	for _, e := range dynamotest.Engines {
		all = append(all, &engine{Engine: e})
	}
	return all
}()

func (e *engine) start(t testing.TB) *dynamotest.Server {
	t.Helper()
	e.once.Do(func() { e.server, e.err = dynamotest.Start(context.Background(), e.Engine) })
	if missing := (*dynamotest.NotInstalled)(nil); errors.As(e.err, &missing) {
		t.Skip(e.err)
	}
	if e.err != nil {
		t.Fatal(e.err)
	}
	return e.server
}

// onEach runs a test on each engine.
func onEach(t *testing.T, test func(*testing.T, *dynamotest.Server)) {
	for _, e := range engines {
		t.Run(e.Name, func(t *testing.T) { test(t, e.start(t)) })
	}
}

// open gives an empty store.
func open(t *testing.T, server *dynamotest.Server) (*dynamo.Store, dynamo.Tables) {
	t.Helper()
	client := server.Client()
	tables := dynamotest.NewTables(t, client)
	return dynamo.New(client, tables), tables
}

// fill stores results faster than a store does: without a condition, 25 with each request.
func fill(t testing.TB, client *dynamodb.Client, tables dynamo.Tables, results []*store.Result) {
	t.Helper()
	var all errgroup.Group
	all.SetLimit(4)
	for few := range slices.Chunk(results, 25) {
		all.Go(func() error {
			var puts []types.WriteRequest
			for _, r := range few {
				item, err := dynamo.EncodeResult(r)
				if err != nil {
					return err
				}
				puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
			}
			_, err := client.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{tables.Results: puts}})
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		storetest.Run(t, func(t *testing.T) store.Store {
			s, _ := open(t, server)
			return s
		})
	})
}
