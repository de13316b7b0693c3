package app

// The clients of AWS.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"thalas/internal/config"
)

// awsConfig reads region, credentials and endpoints as every AWS program does.
// It does not use the network: credentials are fetched with the first request.
func (a *App) awsConfig() (aws.Config, error) {
	c, err := awsconfig.LoadDefaultConfig(context.Background(), awsconfig.WithHTTPClient(awsClient()))
	if err != nil {
		return c, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if c.Region == "" {
		return c, config.Mistakes{"AWS_REGION is not set: tables and the secret are in a region, such as eu-central-1"}
	}
	a.tracer.Instrument(&c)
	return c, nil
}

// awsClient gives up soon on what does not connect: requests take milliseconds,
// and each has a deadline of its own.
func awsClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Second }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = 2 * time.Second
			t.IdleConnTimeout = 30 * time.Second
			t.MaxIdleConnsPerHost = 64
		})
}
