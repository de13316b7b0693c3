package dynamo_test

import (
	"testing"

	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

func TestNotes(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		s, _ := open(t, server)
		storetest.Notes(t, s)
	})
}
