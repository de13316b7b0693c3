package provider

// Noting whether a question was sent: what broke before costs nothing, what broke
// afterwards may be billed.

import (
	"io"
	"net/http"
	"sync/atomic"
)

// watchBody makes request's body tell when it was read to its end, which is before
// the last of it is on its way: so a provider can't have got a whole question that
// counts as not sent. A request without a body never counts as sent.
func watchBody(request *http.Request) *atomic.Bool {
	sent := new(atomic.Bool)
	if request.Body == nil {
		return sent
	}
	request.Body = &watchedBody{request.Body, request.ContentLength, sent}
	if again := request.GetBody; again != nil {
		request.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			return &watchedBody{body, request.ContentLength, sent}, nil
		}
	}
	return sent
}

type watchedBody struct {
	io.ReadCloser
	left int64 // bytes
	sent *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left <= 0 {
		b.sent.Store(true)
	}
	return n, err
}
