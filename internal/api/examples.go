package api

// The examples of the contract. A test checks them against the schemas.

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/strictjson"
)

//go:embed examples.json
var examplesJSON []byte

// examples are the documents in examples.json by their names.
var examples = func() (all map[string]json.RawMessage) {
	mustRead(examplesJSON, &all)
	stored, err := service.WithOutcome(&store.Result{Body: all["consensus"], Outcome: all["outcome"]})
	if err != nil {
		panic(err) // every test of this package reads it
	}
	all["stored_consensus"] = stored
	return all
}()

// mustRead reads JSON that belongs to the program. Every test of this package reads it.
func mustRead(raw []byte, into any) {
	if err := json.Unmarshal(raw, into); err != nil {
		panic(fmt.Sprintf("api: an embedded file: %v", err))
	}
}

// exampleConsensus is a BUY by two of three votes, with one failed provider.
func exampleConsensus() (c *signal.Consensus) {
	mustRead(examples["consensus"], &c)
	return c
}

const (
	exampleID        = "019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"
	exampleRequestID = "6f1c2c0e-8f0a-4b3e-9d7a-0f3d5f6f4a11"
)

// exampleProblem is a problem of the kind as the operation would answer it.
func (s *server) exampleProblem(k *kind, op huma.Operation) *Problem {
	p := k.problem("")
	switch k {
	case invalidRequest:
		mistake := Mistake{Location: "query.limit", Message: "is not as expected: number <= 500", Value: json.RawMessage("1000")}
		if op.Path == replayPath {
			mistake = Mistake{Location: "body.min_confidence", Message: "is outside 0…1", Value: json.RawMessage("75")}
		} else if op.RequestBody != nil {
			mistake = Mistake{Location: "body.current_price", Message: "is not above 0: send a price above 0", Value: json.RawMessage("-1")}
		}
		p = invalid([]Mistake{mistake})
	case unreadableBody:
		p.Errors = []Mistake{{Location: "body.market_data.rsi", Message: strictjson.NoNaN}}
	case insufficientResponses:
		p.Detail = "Insufficient successful provider responses: 0 < 2"
		p.Failures = []signal.Failure{{Provider: "anthropic", Error: signal.FailureAuthentication, Message: "anthropic refused the key", Attempts: 1, LatencyMS: 80.5}}
	case tooLate:
		p.Detail = "Insufficient successful provider responses: 0 < 2"
		p.Failures = exampleConsensus().Failures
	}
	p.Instance, p.RequestID = op.Path, exampleRequestID
	if op.Path == consensusPath+"/{id}" {
		p.Instance = consensusPath + "/" + exampleID
	}
	return p
}
