package backends

// The secret with the keys. One request by hand, instead of an AWS client.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"

	"thalas/internal/store/dynamo/dynamotest"
)

// createSecret makes the secret as the template does, and puts the keys as a person
// does afterwards.
func createSecret(ctx context.Context, endpoint string, keys map[string]string) error {
	value, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"Name": Secret, "SecretString": string(value), "ClientRequestToken": uuid.NewString()})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "secretsmanager.CreateSecret")
	// Moto reads the service and the region in it, and checks nothing.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20261123/"+dynamotest.Region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=test")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("moto does not make the secret %s: %s: %s", Secret, answer.Status, said)
	}
	return nil
}
