package importtest

// The import rules. A new package fails the test until it has a line in mayImport, so that
// somebody decides where it belongs.

import (
	"slices"
	"strings"
)

// mayImport lists the packages of this module that each package may import, from the inside
// out. Test files may import all of them.
var mayImport = map[string][]string{
	"internal/strictjson": {},
	"internal/signal":     {"internal/strictjson"},
	"internal/consensus":  {"internal/signal"},
	"internal/outcome":    {"internal/signal"},
	"internal/page":       {},

	"internal/endpoint": {}, // what all foreign HTTP services have in common

	"internal/provider":              {"internal/strictjson", "internal/signal", "internal/endpoint"},
	"internal/provider/anthropic":    {"internal/signal", "internal/provider"},
	"internal/provider/openai":       {"internal/signal", "internal/provider"},
	"internal/provider/gemini":       {"internal/signal", "internal/provider"},
	"internal/provider/providertest": {"internal/signal", "internal/provider", "internal/simulator"},
	"internal/simulator":             {"internal/signal"},

	"internal/orchestrator": {"internal/strictjson", "internal/signal", "internal/consensus", "internal/provider"},
	"internal/market":       {"internal/strictjson", "internal/signal"},
	"internal/market/venue": {"internal/strictjson", "internal/signal", "internal/market", "internal/endpoint"},
	// A server in the place of the venues, for tests.
	"internal/market/venuetest": {"internal/signal"},
	"internal/config":           {"internal/strictjson", "internal/endpoint", "internal/provider", "internal/provider/openai"},

	"internal/store":        {},
	"internal/store/bolt":   {"internal/store"},
	"internal/store/dynamo": {"internal/store"},
	// The engines that tests of the store run against.
	"internal/store/dynamo/dynamotest": {"internal/store/dynamo"},
	"internal/store/storetest":         {"internal/store"},
	"internal/secrets":                 {"internal/strictjson", "internal/provider"},
	"internal/tracing":                 {"internal/signal", "internal/provider", "internal/tracing/shield"},
	"internal/tracing/tracingtest":     {},
	"internal/tracing/shield":          {}, // os alone, so that it is initialized before the X-Ray SDK
	"internal/emf":                     {"internal/signal"},

	"internal/service": {"internal/signal", "internal/consensus", "internal/outcome", "internal/provider", "internal/orchestrator",
		"internal/market", "internal/store", "internal/secrets"},
	"internal/api": {"internal/strictjson", "internal/signal", "internal/consensus", "internal/outcome", "internal/provider", "internal/orchestrator",
		"internal/page", "internal/store", "internal/service"},
	"internal/api/gateway": {"internal/strictjson", "internal/api"},
	"internal/watch":       {"internal/strictjson", "internal/signal", "internal/market", "internal/orchestrator", "internal/service", "internal/store"},

	"internal/app":        wired,
	"functions":           {},
	"functions/consensus": {"internal/app", "internal/api/gateway"},
	"functions/health":    {"internal/app", "internal/api/gateway"},
	"cmd/thalas":          append([]string{"internal/app", "internal/outcome", "internal/simulator", "internal/store/bolt"}, wired...),

	"e2e":         {},
	"e2e/process": {},
	"e2e/chaos":   {"e2e/process", "internal/api", "internal/provider", "internal/service", "internal/signal", "internal/simulator"},
	"e2e/venue":   {"internal/market/venue", "internal/market/venuetest"},
	// What the functions call without an account, and the SAM command line.
	"e2e/backends":        {"internal/market/venuetest", "internal/simulator", "internal/store/dynamo", "internal/store/dynamo/dynamotest"},
	"e2e/sam":             {"e2e/backends", "internal/config", "internal/simulator"},
	"e2e/local":           {"e2e/backends", "e2e/sam"},
	"e2e/container":       {"internal/signal"},
	"internal/importtest": {},
	"internal/linked":     {}, // a tool: the SBOM and the licences
}

// wired lists the packages that app connects: all but the simulator and the embedded store,
// which only cmd/thalas imports.
var wired = []string{
	"internal/strictjson", "internal/signal", "internal/consensus",
	"internal/provider", "internal/provider/anthropic", "internal/provider/openai", "internal/provider/gemini",
	"internal/orchestrator", "internal/market", "internal/market/venue", "internal/config",
	"internal/store", "internal/store/dynamo", "internal/secrets", "internal/tracing", "internal/emf",
	"internal/service", "internal/api", "internal/api/gateway", "internal/watch",
}

// Import paths. Each also means all paths below it.
const (
	aws    = "github.com/aws/aws-sdk-go-v2"
	smithy = "github.com/aws/smithy-go"
	lambda = "github.com/aws/aws-lambda-go"
	xray   = "github.com/aws/aws-xray-sdk-go"
	huma   = "github.com/danielgtaylor/huma"
	bbolt  = "go.etcd.io/bbolt"
	cobra  = "github.com/spf13/cobra"
)

// importedOnlyBy lists the packages (path.Match patterns) that may import a foreign module. The
// test files of other packages may too.
var importedOnlyBy = []struct {
	modules  []string
	packages []string
}{
	{[]string{aws, smithy}, []string{"internal/store/dynamo", "internal/store/dynamo/dynamotest", "internal/secrets", "internal/tracing", "internal/app"}},
	{[]string{lambda}, []string{"functions/*", "internal/api/gateway"}},
	{[]string{xray}, []string{"internal/tracing"}},
	{[]string{bbolt}, []string{"internal/store/bolt"}},
	{[]string{cobra}, []string{"cmd/*"}},
	// The SDKs of the vendors are imported only in the module internal/contract.
	{[]string{"github.com/anthropics/anthropic-sdk-go", "github.com/openai/openai-go", "google.golang.org/genai"}, nil},
}

// neverLinks lists what packages must not import, not even indirectly. With testsToo, their
// tests must not import it either.
var neverLinks = []struct {
	packages []string
	modules  []string
	testsToo bool
}{
	{[]string{"internal/signal", "internal/consensus", "internal/orchestrator"},
		[]string{aws, smithy, lambda, xray, huma}, true},
	{[]string{"internal/provider", "internal/provider/*", "internal/market", "internal/market/*"},
		[]string{aws, smithy, lambda, xray, huma}, false},
	{[]string{"functions/*", "internal/app"},
		[]string{bbolt, cobra, "thalas/internal/simulator", "thalas/internal/store/bolt", "thalas/internal/market/venuetest"}, false},
	// These make no calls and log nothing.
	{[]string{"internal/strictjson", "internal/signal", "internal/consensus"},
		[]string{"net/http", "os/exec", "log"}, false},
}

// standardOnly lists the packages that import only the standard library and, by mayImport,
// each other.
var standardOnly = []string{"internal/strictjson", "internal/signal", "internal/consensus"}

func matchesAny(path string, modules []string) bool {
	return slices.ContainsFunc(modules, func(module string) bool {
		return path == module || strings.HasPrefix(path, module+"/")
	})
}
