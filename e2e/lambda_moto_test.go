//go:build unix

package e2e

// The function with its keys in moto's Secrets Manager, which checks requests as
// AWS does where the one of the other tests only answers.

import (
	"errors"
	"testing"

	"thalas/e2e/backends"
	"thalas/internal/store/dynamo/dynamotest"
)

func TestLambdaFetchesItsKeysOnce(t *testing.T) {
	servers, err := backends.Start(t.Context(), backends.Options{})
	if missing := (*dynamotest.NotInstalled)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := servers.Close(); err != nil {
			t.Error(err)
		}
	})
	env := []string{
		"PROVIDER_KEYS_SECRET_ID=" + backends.Secret, "RESULTS_TABLE=" + backends.Tables.Results,
		"METRICS_TABLE=" + backends.Tables.Metrics, "COORDINATION_TABLE=" + backends.Tables.Coordination,
	}
	for name, value := range servers.Environment() {
		env = append(env, name+"="+value)
	}
	s := startSandbox(t, env...)
	s.ready(t)
	const runs = 4
	for range runs {
		result := s.decide(t, lambdaTime) // what is stored of it is for TestLambda: here the engine may be too cold for it
		s.ready(t)
		if len(result.Responses) != 3 {
			t.Errorf("%d votes, failures %v", len(result.Responses), result.Failures)
		}
	}
	if n := servers.SecretReads(); n != 1 {
		t.Errorf("%d calls of GetSecretValue for %d runs, want 1", n, runs)
	}
}
