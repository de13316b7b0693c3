package secrets

// Why the secret gave no keys, in words that may be shown.

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"thalas/internal/provider"
)

// The kinds of [Error], for errors.Is.
var (
	ErrNoValue     = errors.New("the secret has no value")
	ErrMalformed   = errors.New("the secret is malformed")
	ErrDenied      = errors.New("the secret may not be read")
	ErrUnreachable = errors.New("the secret can't be reached")
)

// Error says why the secret gave no keys, and what to do. Of what is in the secret, its text
// has only the names of known entries.
type Error struct {
	message string
	kind    error // one of the above
	cause   error // only for the log: it names the account and the role on AWS
}

func (e *Error) Error() string { return e.message }

// Is reports whether target is the kind of e.
func (e *Error) Is(target error) bool { return e != nil && target == e.kind }

// malformed makes the error of a secret with mistakes.
func (s *Source) malformed(mistakes []string) *Error {
	return &Error{kind: ErrMalformed, message: fmt.Sprintf("the secret %s is malformed: %s: put the keys there with: %s", s.SecretID, strings.Join(mistakes, "; "), s.command())}
}

// callFailed makes the error of a call without a result.
func (s *Source) callFailed(err error) *Error {
	id, code := s.SecretID, ""
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		code = refusal.ErrorCode()
	}
	e := &Error{kind: ErrUnreachable, cause: safeCause(err)}
	switch code {
	case "ResourceNotFoundException":
		e.kind = ErrNoValue
		e.message = fmt.Sprintf("the secret %s has no value yet (an object with one or more of %s), or there is no such secret in this region: put the keys there with: %s", id, entryNames(s.Providers), s.command())
	case "AccessDeniedException", "DecryptionFailure", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "InvalidSignatureException":
		e.kind = ErrDenied
		e.message = fmt.Sprintf("the secret %s may not be read (%s): the role needs secretsmanager:GetSecretValue on it, and kms:Decrypt if it has a key of its own", id, code)
	case "InvalidRequestException":
		e.kind = ErrDenied
		e.message = fmt.Sprintf("the secret %s can't be read (%s): it is probably marked for deletion; restore it with: aws secretsmanager restore-secret --secret-id %s", id, code, quoted(id))
	case "":
		e.message = fmt.Sprintf("the secret %s can't be read now: Secrets Manager gives no answer; it is asked again", id)
		if errors.Is(err, context.DeadlineExceeded) {
			e.message = fmt.Sprintf("the secret %s can't be read now: Secrets Manager did not answer in time; it is asked again", id)
		}
	default:
		e.message = fmt.Sprintf("the secret %s can't be read now (%s): it is asked again", id, code)
	}
	return e
}

// safeCause replaces an error of the SDK that may quote the answer, and with it the secret.
func safeCause(err error) error {
	var unreadable *smithy.DeserializationError
	if errors.As(err, &unreadable) {
		return errors.New("the answer of Secrets Manager is not in its own format")
	}
	return err
}

// command is the command that puts a secret with one entry there. The placeholder in it is
// refused as a key.
func (s *Source) command() string {
	return fmt.Sprintf(`aws secretsmanager put-secret-value --secret-id %s --secret-string '{"%s":"…"}'`, quoted(s.SecretID), entryOf(s.Providers[0]))
}

// entryOf is the name of a provider's entry in the secret.
func entryOf(name string) string { return provider.Variable(name, "API_KEY") }

// entryNames lists the entries that a secret may have.
func entryNames(providers []string) string {
	names := make([]string, len(providers))
	for i, name := range providers {
		names[i] = entryOf(name)
	}
	return strings.Join(names, ", ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`) // every name and ARN of a secret is one

// quoted writes a word for a shell.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
