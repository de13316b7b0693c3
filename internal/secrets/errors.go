package secrets

// Why the secret gave no keys, in words that may be shown: never with anything
// that is in it.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"thalas/internal/provider"
)

// What can be wrong with the secret, for errors.Is.
var (
	ErrNoValue     = errors.New("the secret has no value")
	ErrMalformed   = errors.New("the secret is not as it should be")
	ErrDenied      = errors.New("the secret may not be read")
	ErrUnreachable = errors.New("the secret cannot be reached")
)

// Error says why the secret gave no keys. It holds no key, and nothing of what is
// in the secret but the names of entries that are known.
type Error struct {
	SecretID string
	Message  string   // what happened
	Command  string   // what fills the secret, with a placeholder for the key; empty where that would not help
	Mistakes []string // of a malformed secret: every one, each naming the entry

	reason error // one of the above
	cause  error // for the log only: AWS tells account and role
}

// Error gives the message with what to do next.
func (e *Error) Error() string {
	if e.Command == "" {
		return e.Message
	}
	return e.Message + ": put the keys there with: " + e.Command
}

// Is reports whether target is the reason of e.
func (e *Error) Is(target error) bool { return e != nil && target == e.reason }

// malformed is the error of a secret with mistakes.
func (s *Source) malformed(mistakes []string) *Error {
	return &Error{
		SecretID: s.o.SecretID, Mistakes: mistakes, reason: ErrMalformed, Command: s.command(),
		Message: fmt.Sprintf("the secret %s is not as it should be: %s", s.o.SecretID, strings.Join(mistakes, "; ")),
	}
}

// failed is the error of a call that brought no secret.
func (s *Source) failed(err error) *Error {
	e := &Error{SecretID: s.o.SecretID, cause: safeCause(err)}
	var answer smithy.APIError
	code := ""
	if errors.As(err, &answer) {
		code = answer.ErrorCode()
	}
	switch code {
	case "ResourceNotFoundException":
		e.reason, e.Command = ErrNoValue, s.command()
		e.Message = fmt.Sprintf("the secret %s has no value yet (an object with one or more of %s), or there is no such secret in this region", e.SecretID, entryNames(s.o.Providers))
	case "AccessDeniedException", "DecryptionFailure", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "InvalidSignatureException":
		e.reason = ErrDenied
		e.Message = fmt.Sprintf("the secret %s may not be read (%s): the role needs secretsmanager:GetSecretValue on it, and kms:Decrypt where it has a key of its own", e.SecretID, code)
	case "InvalidRequestException":
		e.reason = ErrDenied
		e.Message = fmt.Sprintf("the secret %s can't be read (%s): it is probably marked for deletion; restore it with: aws secretsmanager restore-secret --secret-id %s", e.SecretID, code, quoted(e.SecretID))
	case "":
		e.reason = ErrUnreachable
		e.Message = fmt.Sprintf("the secret %s can't be read now: Secrets Manager gives no answer; it is asked again", e.SecretID)
		if errors.Is(err, context.DeadlineExceeded) {
			e.Message = fmt.Sprintf("the secret %s can't be read now: Secrets Manager did not answer in time; it is asked again", e.SecretID)
		}
	default:
		e.reason = ErrUnreachable
		e.Message = fmt.Sprintf("the secret %s can't be read now (%s): it is asked again", e.SecretID, code)
	}
	return e
}

// safeCause leaves out of an error of the SDK what may quote an answer, and with
// it the secret.
func safeCause(err error) error {
	var unreadable *smithy.DeserializationError
	if errors.As(err, &unreadable) {
		return errors.New("the answer of Secrets Manager is not in its own format")
	}
	return err
}

// command fills the secret with one entry. What it has in the key's place is
// refused as a key.
func (s *Source) command() string {
	return fmt.Sprintf(`aws secretsmanager put-secret-value --secret-id %s --secret-string '{"%s":"…"}'`, quoted(s.o.SecretID), entryOf(s.o.Providers[0]))
}

// entryOf is the name of a provider's entry in the secret.
func entryOf(name string) string { return provider.Variable(name, "API_KEY") }

var plainWord = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`) // all that names and ARNs of secrets have

// quoted gives a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
