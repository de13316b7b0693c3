package api

// GET /v1/health and GET /v1/metrics, and for load balancers GET /livez and /readyz.

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"thalas/internal/service"
)

const (
	healthPath = "/v1/health"
	livePath   = "/livez"
	readyPath  = "/readyz"
)

// writeState answers a load balancer, which reads only the status.
func writeState(w http.ResponseWriter, well bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	text := "ok\n"
	if !well {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "ending\n"
	}
	_, _ = io.WriteString(w, text) // a client that has left needs nothing
}

type healthInput struct {
	Probe string `query:"probe" enum:"true,false" default:"false" doc:"Make one free authenticated call to each provider, at most once in 30 seconds. Needs an API key if keys are configured."`
}

// Resolve refuses parameters that the route does not have.
func (in *healthInput) Resolve(ctx huma.Context) []error { return checkQuery(ctx) }

func (s *server) health(ctx context.Context, in *healthInput) (*jsonOutput, error) {
	probe := in.Probe == "true"
	if probe {
		if err := s.service.MayProbe(); err != nil {
			return nil, exchangeOf(ctx).refuse(err)
		}
	}
	health := s.service.Health(ctx, probe)
	if len(s.keys) > 0 && !exchangeOf(ctx).keyed {
		health.Budget = nil // only callers with a key see what is spent
	}
	status := http.StatusOK
	if health.Status == service.Unavailable {
		status = http.StatusServiceUnavailable
	}
	return exchangeOf(ctx).asJSON(status, health)
}

// maxWindow is the longest window of metrics, since counters are read day by day, and
// maxDays the longest one whose days are listed.
const (
	maxWindow = 400 * 24 * time.Hour
	maxDays   = 92 * 24 * time.Hour
)

type metricsInput struct {
	Window string `query:"window" enum:"hour,day" default:"day" doc:"The unit of the window: from and to are rounded down to it."`
	From   string `query:"from" doc:"Start of the window."`
	To     string `query:"to" doc:"End of the window."`
	By     string `query:"by" enum:"day" doc:"With day, the sums of each UTC day as well, of at most 92."`

	from, to time.Time
}

// Resolve reads the parameters.
func (in *metricsInput) Resolve(ctx huma.Context) []error {
	mistakes := queryMistakes(checkQuery(ctx))
	in.from, in.to = readParameter(&mistakes, "from", in.From, parseMoment), readParameter(&mistakes, "to", in.To, parseMoment)
	mistakes.window(in.from, in.to)
	if end := in.to; !in.from.IsZero() {
		if end.IsZero() {
			end = time.Now()
		}
		longest := maxWindow
		if in.By != "" {
			longest = maxDays
		}
		if end.Sub(in.from) > longest {
			mistakes.wrong("from", fmt.Sprintf("is more than %d days before the end of the window", longest/(24*time.Hour)), in.From)
		}
	}
	return mistakes
}

func (s *server) metrics(ctx context.Context, in *metricsInput) (*jsonOutput, error) {
	x := exchangeOf(ctx)
	metrics, err := s.service.Metrics(ctx, service.Window(in.Window), in.from, in.to)
	if err != nil {
		return nil, x.refuse(err)
	}
	if in.By == "" {
		metrics.Days = nil
	}
	return x.asJSON(http.StatusOK, metrics)
}

func (s *server) healthOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: healthPath, Tags: []string{"Operation"},
		Summary: "Whether a question could be answered now",
		Description: "Known from past calls: no provider is called and nothing is paid. `unavailable`: fewer providers are enabled and have a key than a decision needs. " +
			"`degraded`: the last call of such a provider failed, one is being left out, or the store is unreachable.",
	}
	ok := jsonResponse("Healthy or degraded.", refTo[service.Health](s), examples["health"])
	op = s.documented(op, ok, probeForbidden, invalidRequest)
	op.Responses["503"] = jsonResponse("Unavailable: too few providers can be asked.", refTo[service.Health](s), examples["health_unavailable"])
	if len(s.keys) > 0 { // a probe needs the key
		op.Security = append([]map[string][]string{{}}, op.Security...)
	}
	return op
}

func (s *server) metricsOperation() huma.Operation {
	op := huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/v1/metrics", Tags: []string{"Operation"},
		Summary:     "Totals and counters of each provider",
		Description: "Sums over a window, over all processes that share the store: by default the current UTC day. A run counts at the time of its start. A missing quorum counts as a failure. Refused requests do not count.",
		Parameters: []*huma.Param{
			momentParam("from", "Start of the window, rounded down to its unit: RFC 3339, or seconds or milliseconds since 1970. At most 400 days before its end, with by=day 92."),
			momentParam("to", "End of the window, in the same forms. The hour or day of this time is included as a whole."),
		},
	}
	return s.documented(op, jsonResponse("The sums.", refTo[service.Metrics](s), examples["metrics"]), invalidRequest, storeUnreachable)
}
