package gateway

// Answers that no handler has given, in the shape of all other refusals: RFC 9457.

import (
	"encoding/json"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
)

// problem is the body of such an answer.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Instance  string `json:"instance"`
	RequestID string `json:"request_id"`
	Retryable bool   `json:"retryable"`
}

func notARequest() *problem {
	return &problem{Type: "/problems/unreadable-event", Title: "The event is not a request", Status: http.StatusBadRequest, Instance: "/",
		Detail: "The event has no HTTP method: this function answers proxy events of an API Gateway REST API (payload format 1.0)."}
}

func unreadableBody(path string) *problem {
	return &problem{Type: "/problems/unreadable-body", Title: "The body is not JSON", Status: http.StatusBadRequest, Instance: cut(path, 300),
		Detail: "The body can't be read: the event says that it is base64, and it is not."}
}

func panicked(r *http.Request) *problem {
	return &problem{Type: "/problems/internal-error", Title: "Something unexpected happened", Status: http.StatusInternalServerError, Instance: cut(r.URL.EscapedPath(), 300),
		Detail: "A mistake of the server. The log has the rest, under the request id."}
}

func answerTooLarge(r *http.Request) *problem {
	return &problem{Type: "/problems/answer-too-large", Title: "The answer is too large", Status: http.StatusInternalServerError, Instance: cut(r.URL.EscapedPath(), 300),
		Detail: "The answer is larger than the 6 MB that can be sent from here: ask for less at once, with a smaller limit or a shorter time."}
}

// response gives the answer.
func (p *problem) response(id string) events.APIGatewayProxyResponse {
	p.RequestID = id
	body, err := json.Marshal(p)
	if err != nil {
		body = nil // not reached: it holds texts and a number
	}
	return events.APIGatewayProxyResponse{StatusCode: p.Status, Body: string(body), MultiValueHeaders: map[string][]string{
		"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, requestIDHeader: {id},
	}}
}

// cut shortens a text to limit bytes. It is used on escaped paths, which are ASCII.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return text[:limit] + "…"
}
