// Command health is the Lambda function of health and metrics. It only reads, and it has
// the keys of the providers only if the stack allows probes.
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
