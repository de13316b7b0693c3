// Command consensus is the Lambda function that answers questions and reads stored
// answers. It turns the proxy events of API Gateway into requests of the HTTP API. With
// FUNCTION_ROLE=schedule it asks by the clock instead. What a function may read, write
// and call is decided by its rights and variables in template.yaml.
package main

import (
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"thalas/internal/api/gateway"
	"thalas/internal/app"
)

var version = "dev" // set by the linker

func main() {
	log := lambdacontext.NewLogger()
	function, err := app.Function(os.Environ(), version, log, app.Gateway{
		Caller:  gateway.CallerFrom,
		Handler: func(api http.Handler) any { return gateway.Handler(api, log) },
	})
	if err != nil {
		log.Error("Not started:", slog.String("error", err.Error()))
		os.Exit(2)
	}
	lambda.Start(function)
}
