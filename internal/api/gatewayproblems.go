package api

// Problems that API Gateway answers before a function sees the request, as
// template.yaml words them. Nothing here gives them; they are here to be explained.

import (
	"log/slog"
	"net/http"
	"time"
)

var gatewayKinds = []*kind{
	{name: "forbidden", status: http.StatusForbidden, title: "Not allowed", level: slog.LevelInfo,
		meaning: "On AWS: the address that the request comes from is not in AllowedCidrs, or the web ACL refuses it.",
		remedy:  "Call from an allowed address, or have the stack's parameters changed."},
	{name: "rate-limited", status: http.StatusTooManyRequests, title: "Too many requests", retryable: true, retryAfter: time.Second, level: slog.LevelInfo,
		meaning: "On AWS: more requests came at once than the usage plan allows. Nobody was asked.",
		remedy:  "Ask again after Retry-After. RateLimit and BurstLimit, for questions AskRateLimit and AskBurstLimit, are the stack's parameters."},
	{name: "quota-exceeded", status: http.StatusTooManyRequests, title: "The key's quota is used up", retryable: true, retryAfter: time.Hour, level: slog.LevelInfo,
		meaning: "On AWS: the usage plan of the API key allows no more requests for now. Nobody was asked.",
		remedy:  "Wait for the quota's next period, or raise the quota of the usage plan."},
	{name: "gateway-timeout", status: http.StatusGatewayTimeout, title: "No answer in time", retryable: true, retryAfter: 5 * time.Second, level: slog.LevelWarn,
		meaning: "On AWS: the function did not answer in the time that the gateway waits. Its run may have ended, been paid and stored all the same.",
		remedy:  "Look at GET /v1/consensus/latest, or ask again with the same Idempotency-Key: what was answered is not paid twice."},
	{name: "refused", status: http.StatusBadRequest, title: "The request was refused", level: slog.LevelInfo,
		meaning: "On AWS: the gateway refused the request before it reached the service, for a reason that has no problem of its own; the status is the gateway's. Nobody was asked.",
		remedy:  "Hold the request against the contract, GET /openapi.json: path, method, headers and their lengths."},
}
