package api

// GET /v1/consensus/{id} and GET /v1/consensus/latest, which send the stored bytes.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"thalas/internal/outcome"
	"thalas/internal/service"
	"thalas/internal/signal"
	"thalas/internal/store"
	"thalas/internal/strictjson"
)

type showInput struct {
	Include     string `query:"include" enum:"market_data" doc:"With market_data, what the models saw of the market."`
	ID          string `path:"id" format:"uuid" doc:"The id of an answer." example:"019ab10f-6b62-7cc0-8000-5a3c0a1f9e21"`
	IfNoneMatch string `header:"If-None-Match" doc:"ETags that the caller has. If one matches, the answer is 304 without a body." example:"\"019ab10f-6b62-7cc0-8000-5a3c0a1f9e21\""`
}

// Resolve checks the query, which huma does not do here.
func (in *showInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	if in.Include != "" && in.Include != includeMarket {
		mistakes.wrong("include", "is not known: send "+includeMarket, in.Include)
	}
	return mistakes
}

// includeMarket is what include may be, and the member that it adds.
const includeMarket = "market_data"

func noSuchID(text string) *Problem {
	return unknownID.problem(fmt.Sprintf("There is no consensus %q: an id looks like %s.", strictjson.Cut(text, maxValue), exampleID))
}

func (s *server) show(ctx context.Context, in *showInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	if !store.IsID(in.ID) {
		return nil, x.finish(noSuchID(in.ID))
	}
	result, err := s.service.Show(ctx, in.ID)
	if err != nil {
		return nil, x.refuse(err)
	}
	if in.Include != "" {
		market, err := s.service.Market(ctx, in.ID)
		if err != nil {
			return nil, x.refuse(err)
		}
		result.Body = service.WithMember(result.Body, includeMarket, market)
	}
	body, err := service.WithOutcome(&result)
	if err != nil {
		return nil, x.refuse(err)
	}
	var known struct {
		Outcome struct {
			Status outcome.Status
			Due    time.Time
		}
	}
	if err := json.Unmarshal(body, &known); err != nil {
		return nil, x.refuse(err)
	}
	// A settled result never changes, so a cache may have it even after the store has
	// deleted it. Before its window has ended, nobody can settle it.
	cacheControl := untilInvalid(max(time.Until(known.Outcome.Due), 0))
	if known.Outcome.Status == outcome.Settled {
		cacheControl = "private, max-age=86400, immutable"
	}
	return cached(body, tagOf(body), cacheControl, x.tagsHeld()), nil
}

// LatestMany is the answer about several series. It is written from the stored bytes.
type LatestMany struct {
	Items   []signal.Consensus `json:"items" doc:"In the order of the request."`
	Missing []string           `json:"missing" doc:"Series without a signal or with one older than max_age, and texts that name no series."`
}

type latestInput struct {
	Pair        []string  `query:"pair,explode" required:"true" minItems:"1" maxItems:"100" format:"market" doc:"The series: a pair in any notation, or the free text that was sent to the compatibility route, at most 300 characters. If it is repeated, the answer lists all of them."`
	Timeframe   timeframe `query:"timeframe" default:"5m" doc:"The length of a candle."`
	MaxAge      int       `query:"max_age" minimum:"1" maximum:"315360000" doc:"The age in seconds of its votes, since votes_at, above which a signal is too old. Default: any age." example:"900"`
	IfNoneMatch string    `header:"If-None-Match" doc:"ETags that the caller has. If one matches, the answer is 304 without a body."`

	series    []signal.Pair
	nameless  []string // texts that can't name a series, if there are several
	timeframe signal.Timeframe
}

// Resolve reads the parameters.
func (in *latestInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	for _, text := range in.Pair {
		series, err := signal.ParseMarket(text)
		switch {
		case text == "": // checkQuery has refused it
		case err != nil && len(in.Pair) == 1:
			mistakes.wrong("pair", err.Error(), text)
		case err != nil: // the others are still answered
			in.nameless = append(in.nameless, strictjson.Cut(text, maxValue))
		case !slices.Contains(in.series, series):
			in.series = append(in.series, series)
		}
	}
	in.timeframe = mistakes.timeframe(in.Timeframe)
	return mistakes
}

func (s *server) latest(ctx context.Context, in *latestInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	maxAge := time.Duration(in.MaxAge) * time.Second
	if len(in.Pair) > 1 {
		return s.latestOfMany(ctx, in, maxAge)
	}
	if p := s.refuseContract(ctx, "query.pair", in.series[0], in.timeframe); p != nil {
		return nil, x.finish(p)
	}
	result, err := s.service.Latest(ctx, in.series[0], in.timeframe, maxAge)
	if err != nil {
		return nil, x.refuse(err)
	}
	return cached(result.Body, quoted(result.ID), untilInvalid(freshFor(result, in.timeframe, maxAge)), x.tagsHeld()), nil
}

// latestOfMany answers about several series. It lists as missing the series without a signal
// or with one that is too old, and texts that name no series.
func (s *server) latestOfMany(ctx context.Context, in *latestInput, maxAge time.Duration) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	results := make([]*store.Result, len(in.series))
	var reads errgroup.Group
	reads.SetLimit(8)
	for i, series := range in.series {
		reads.Go(func() error {
			result, err := s.service.Latest(ctx, series, in.timeframe, maxAge)
			if err == nil {
				results[i] = &result
			} else if !errors.Is(err, service.ErrNoSignal) && !errors.Is(err, service.ErrStale) {
				return err
			}
			return nil
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, x.refuse(err)
	}
	var items []json.RawMessage
	missing := append([]string{}, in.nameless...)
	fresh := time.Duration(1<<63 - 1)
	for i, result := range results {
		if result == nil {
			missing = append(missing, in.series[i].String())
			fresh = 0
			continue
		}
		items = append(items, result.Body)
		fresh = min(fresh, freshFor(*result, in.timeframe, maxAge))
	}
	body, err := listDocument(items, "missing", missing)
	if err != nil {
		return nil, x.refuse(err)
	}
	return cached(body, tagOf(body), untilInvalid(fresh), x.tagsHeld()), nil
}

// listDocument writes an object with a list of stored documents, which are not parsed, and
// one more member.
func listDocument(documents []json.RawMessage, name string, value any) ([]byte, error) {
	member, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i, document := range documents {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(document)
	}
	fmt.Fprintf(&b, `],%q:%s}`, name, member)
	return b.Bytes(), nil
}

// freshFor is how long a result stays the newest: until the candle that is forming closes,
// and at most until the result reaches maxAge.
func freshFor(result store.Result, timeframe signal.Timeframe, maxAge time.Duration) time.Duration {
	open, _, _ := strings.Cut(result.Position, "#")
	candle, err := time.Parse(time.RFC3339, open)
	if err != nil {
		return 0
	}
	fresh := time.Until(candle.Add(2 * timeframe.Duration()))
	if maxAge > 0 {
		fresh = min(fresh, maxAge-time.Since(service.VotesAt(&result)))
	}
	return max(fresh, 0)
}

func untilInvalid(fresh time.Duration) string {
	return fmt.Sprintf("private, max-age=%d", int64(fresh/time.Second))
}

func quoted(tag string) string { return `"` + tag + `"` }

// tagOf gives the ETag of a body that is not named by the id of a result.
func tagOf(body []byte) string {
	hash := sha256.Sum256(body)
	return quoted(hex.EncodeToString(hash[:16]))
}

// tagsHeld gives the ETags in all lines of If-None-Match. huma reads only the first line.
func (x *exchange) tagsHeld() string { return strings.Join(x.r.Header.Values("If-None-Match"), ",") }

// cached answers with a document, or with 304 if the caller has it.
func cached(body []byte, tag, cacheControl, ifNoneMatch string) *jsonOutput {
	out := &jsonOutput{Status: http.StatusOK, ContentType: jsonType, CacheControl: cacheControl, ETag: tag, Body: body}
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			out.Status, out.ContentType, out.Body = http.StatusNotModified, "", nil
			break
		}
	}
	return out
}

func (s *server) showOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "getConsensus", Method: http.MethodGet, Path: consensusPath + "/{id}", Tags: []string{"Consensus"},
		Summary: "One stored consensus", SkipValidateParams: true, // a malformed id is an unknown id
		Description: "The same bytes as in the answer, with what became of it as their last member. It can be read as soon as it was answered. " +
			"With `include=market_data` the market as the models saw it stands before that: computed indicators too, and of each list the newest 120. It is null if it is not kept: for imported results, results of earlier versions, and data over 32 KB in gzip.",
	}
	ok := jsonResponse("The consensus.", refTo[StoredConsensus](s), examples["stored_consensus"])
	op = cacheable(op, ok, "`private, max-age=` the seconds until it can be settled; once it is settled `private, max-age=86400, immutable`.")
	return s.documented(op, ok, unknownID, invalidRequest, storeUnreachable)
}

func (s *server) latestOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "latestConsensus", Method: http.MethodGet, Path: consensusPath + "/latest", Tags: []string{"Consensus"},
		Summary: "The newest stored consensus of a series",
		Description: "The newest by candle, then by id, so that a late answer about an old candle never counts. Results whose candle or `timestamp` is more than a minute in the future are ignored. No provider is called. A bot needs it once per candle, after `valid_until`. " +
			"With one `pair` the answer is one consensus; with several it is a list. Simulated results are left out unless the server simulates.",
	}
	ok := jsonResponse("The consensus, or the list of them.", &huma.Schema{AnyOf: []*huma.Schema{refTo[signal.Consensus](s), refTo[LatestMany](s)}}, examples["consensus"])
	op = cacheable(op, ok, "`private, max-age=` the seconds until `valid_until`, the end of the candle that is forming now.")
	return s.documented(op, ok, noSignalYet, staleSignal, invalidRequest, storeUnreachable)
}
