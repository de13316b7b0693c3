// Package secrets reads the API keys of the providers from one JSON secret in AWS Secrets
// Manager:
//
//	{"ANTHROPIC_API_KEY": "…", "OPENAI_API_KEY": "…"}
//
// The secret is fetched when keys are first needed, and again when it is older than a
// maximum age. One caller fetches, without a goroutine, and all others wait for its result.
// If a fetch fails, the keys from before are used, for at most [StaleLimit]; without such
// keys the next fetch comes soon. A secret with any mistake gives no keys. Errors name the
// entries of the secret, never what is in them.
//
// The package does not know which providers take their key from here, or what keys are for.
package secrets
