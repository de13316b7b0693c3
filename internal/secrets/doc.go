// Package secrets is where the providers' API keys come from: the environment,
// which wins for each provider that it has a key of, and one JSON secret in AWS
// Secrets Manager for the rest:
//
//	{"ANTHROPIC_API_KEY": "…", "OPENAI_API_KEY": "…"}
//
// The secret is fetched when keys are first asked for, never before, and again
// when it is older than a maximum age. One caller fetches, in its own time and
// without a goroutine; all others wait for what it brings. Where the fetch fails,
// the keys from before are used for at most StaleLimit, and a first fetch that
// failed is tried again soon. A secret with a mistake in it is refused whole, as
// the configuration is; the errors name entries, never what is in them.
//
// The package does not know which provider is asked, nor what a key opens.
package secrets
