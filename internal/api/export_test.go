package api

import (
	"net/http"
	"time"

	"thalas/internal/service"
)

// NewWithBodyTime is New with another time for bodies to arrive.
func NewWithBodyTime(s *service.Service, bodyTime time.Duration) http.Handler {
	return New(s, Options{bodyTime: bodyTime})
}

// Addresses gives how many addresses a handler remembers wrong keys of.
func Addresses(handler http.Handler) int { return len(handler.(*server).guesses.forgotten) }
