// Command consensus is the Lambda function that answers questions and reads the
// answers back: proxy events of API Gateway become requests of the HTTP API. With
// FUNCTION_ROLE=schedule it asks by the clock instead.
package main

import (
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"thalas/internal/api/gateway"
	"thalas/internal/app"
	"thalas/internal/config"
)

var version = "dev" // set when it is built

func main() {
	log := lambdacontext.NewLogger()
	if err := run(log); err != nil {
		log.Error("Not started:", slog.String("error", err.Error()))
		os.Exit(2)
	}
}

// run answers events until the process is ended. An error means that it is set up
// wrongly.
func run(log *slog.Logger) error {
	c, err := config.Load(os.Environ(), app.Known())
	if err != nil {
		return err
	}
	for _, warning := range c.Warnings {
		log.Warn("Configuration:", slog.String("warning", warning))
	}
	a, err := app.New(c, log, nil)
	if err != nil {
		return err
	}
	if c.Role == "schedule" {
		schedule, err := a.NewSchedule(version)
		if err != nil {
			return err
		}
		lambda.Start(schedule)
		return nil
	}
	handler, err := a.NewFunction(version, gateway.CallerFrom)
	if err != nil {
		return err
	}
	lambda.Start(gateway.Handler(handler, gateway.Options{Logger: log}))
	return nil
}
