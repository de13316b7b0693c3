package simulator

// The servers that are compatible with OpenAI's Chat Completions API, each with what sets it
// apart: the fields that it takes and refuses, how it thinks, and how it writes answers and
// errors.

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Compatible is a server that takes whatever any of the others takes.
const Compatible = "compatible"

// dialect is one such server. The zero value of a field is OpenAI's way.
type dialect struct {
	keyless   bool     // requests need no key
	keyHeader string   // with the key alone
	limits    []string // the fields for the output limit
	formats   []any    // the types of response_format
	refusal   string   // of another type
	roles     []any
	unknown   string // the refusal of unknown fields; empty: those that some server knows are ignored
	listed    []string

	read    func(body fields, q *question) *problem // further checks
	answer  func(r reply, body fields)              // changes an answer
	problem func(r errorRow, p *problem, id string) fields
}

var (
	anyFormat = []any{"json_schema", "json_object", "text"}
	noSchema  = []any{"json_object", "text"}
	bothCaps  = []string{"max_tokens", "max_completion_tokens"}
	someCap   = []string{"max_tokens"}
)

// further are fields that servers other than OpenAI's know.
var further = []string{"top_k", "min_p", "repetition_penalty", "keep_alive", "options", "provider", "reasoning", "thinking", "enable_thinking", "thinking_budget",
	"chat_template_kwargs", "safe_prompt", "random_seed", "include_reasoning", "reasoning_format", "models", "transforms", "ttl", "cache_prompt", "n_predict", "usage"}

var dialects = map[string]dialect{
	Compatible: {keyless: true, limits: bothCaps, formats: anyFormat, read: thinksByName, listed: []string{"any-model"}},
	"deepseek": {limits: someCap, formats: noSchema, refusal: "This response_format type is unavailable now", roles: []any{"system", "user", "assistant"}, listed: []string{"deepseek-chat"},
		read: all(wantsWordJSON, func(body fields, q *question) *problem {
			if q.thinking = thinkingTokens("medium"); textAt(body, "thinking.type") == "disabled" {
				q.thinking = 0
			}
			return nil
		})},
	"qwen": {limits: bothCaps, formats: anyFormat, listed: []string{"qwen-plus"},
		read: all(wantsWordJSON, func(body fields, q *question) *problem {
			if q.thinking = thinkingTokens("medium"); at(body, "enable_thinking") == false {
				q.thinking = 0
			}
			return nil
		})},
	"kimi": {limits: bothCaps, formats: anyFormat, listed: []string{"kimi-k2"}},
	"mistral": {limits: someCap, formats: anyFormat, roles: []any{"system", "user", "assistant"}, unknown: "Extra inputs are not permitted", listed: []string{"mistral-small-latest", "magistral-small-latest"},
		answer: func(r reply, body fields) {
			if strings.HasPrefix(r.model, "magistral") {
				message := messageOf(body)
				message["content"] = []fields{{"type": "thinking", "thinking": []fields{{"type": "text", "text": thoughtText}}}, {"type": "text", "text": message["content"]}}
			}
		},
		problem: mistralProblem},
	"groq": {limits: bothCaps, formats: anyFormat, listed: []string{"openai/gpt-oss-20b", "llama-3.3-70b-versatile"},
		read: all(wantsWordJSON, func(body fields, q *question) *problem {
			if textAt(body, "response_format.type") == "json_schema" && !strings.Contains(q.model, "gpt-oss") {
				return bad("response_format", "This model does not support response format `json_schema`.")
			}
			return nil
		})},
	"openrouter": {limits: bothCaps, formats: anyFormat, listed: []string{"deepseek/deepseek-chat"},
		read: func(body fields, q *question) *problem {
			// Without it a request may go to a server that ignores the schema.
			q.fenced = q.fenced || at(body, "provider.require_parameters") != true
			return nil
		},
		problem: openrouterProblem},
	"azure": {keyHeader: "Api-Key", limits: bothCaps, formats: anyFormat, listed: []string{"my-deployment"}, problem: codeProblem(func(status int) any { return fmt.Sprint(status) })},
	"bedrock": {limits: bothCaps, formats: anyFormat, listed: []string{"openai.gpt-oss-20b-1:0"},
		problem: func(r errorRow, p *problem, id string) fields {
			r.code = "validation_error"
			return openaiProblem(r, p, id)
		}},
	"ollama": {keyless: true, limits: someCap, formats: anyFormat, read: thinksByName, listed: []string{"qwen3:32b", "llama3.2:3b"}},
	"vllm":   {keyless: true, limits: bothCaps, formats: anyFormat, read: thinksByName, listed: []string{"Qwen/Qwen3-8B"}, problem: codeProblem(func(status int) any { return status })},
	"lmstudio": {keyless: true, limits: someCap, formats: []any{"json_schema", "text"}, refusal: "'response_format.type' must be 'json_schema' or 'text'", read: thinksByName, listed: []string{"qwen/qwen3-8b"},
		answer:  func(r reply, body fields) { body["usage"] = fields{"total_tokens": float64(r.usage.input) + 0.5} },
		problem: func(r errorRow, _ *problem, _ string) fields { return fields{"error": r.message} }},
	"llamacpp": {keyless: true, limits: bothCaps, formats: anyFormat, read: thinksByName, listed: []string{"default"},
		answer: func(_ reply, body fields) {
			delete(body, "usage")
			body["choices"].([]fields)[0]["finish_reason"] = nil
		},
		problem: codeProblem(func(status int) any { return status })},
}

// Presets lists the dialects that the server speaks beside the wire formats of Providers.
var Presets = sortedKeys(dialects)

// withDialects adds the dialects to the formats of the providers.
func withDialects(formats map[string]format) map[string]format {
	for name, d := range dialects {
		formats[name] = d.format(name)
	}
	return formats
}

func (d dialect) format(name string) format {
	f := openaiFormat
	f.rules, f.keyless, f.modelPrefix, f.listed = nil, d.keyless, "", d.listed
	if d.keyHeader != "" {
		f.keyHeader, f.keyPrefix = d.keyHeader, ""
	}
	roles := d.roles
	if roles == nil {
		roles = []any{"system", "developer", "user", "assistant"}
	}
	known := append(slices.Clone(chatFields), d.limits...)
	if d.unknown == "" {
		known = append(known, further...)
	}
	if name != Compatible {
		f.rules = []rule{{"", only(known...), cmp.Or(d.unknown, "Unknown parameter: '%s'.")}}
	}
	f.rules = append(f.rules,
		rule{"model", isText, "you must provide a model parameter"},
		rule{"max_tokens?", isCount, "'max_tokens' must be an integer from 1."},
		rule{"max_completion_tokens?", isCount, "'max_completion_tokens' must be an integer from 1."},
		rule{"messages", isList, "Field required: messages"},
		rule{"messages", messages("content", roles...), "messages[%s].role: unknown variant, or no content"},
		rule{"response_format?.type", oneOf(d.formats...), cmp.Or(d.refusal, "'response_format.type' is not supported.")},
		rule{"response_format?.json_schema?.schema", strictSchema("Invalid schema for response_format"), "%s"},
	)
	f.read = func(body fields, _ string) (question, *problem) {
		q := readChat(body)
		q.thinking = 0
		for _, field := range d.limits {
			q.maxTokens = max(q.maxTokens, intAt(body, field))
		}
		switch textAt(body, "response_format.type") {
		case "json_object":
		case "json_schema":
			if at(body, "response_format.json_schema.schema") == nil {
				return q, bad("response_format", "response_format.json_schema.schema is required")
			}
		default:
			q.fenced = true
		}
		if d.read == nil {
			return q, nil
		}
		wrong := d.read(body, &q)
		return q, wrong
	}
	f.answer = func(r reply) fields {
		if r.fenced && r.stop == finished {
			r.text = "```json\n" + r.text + "\n```"
		}
		if r.thinksAloud {
			r.text = "<think>\n" + thoughtText + "\n</think>\n\n" + r.text
		}
		body := openaiAnswer(r)
		if r.thinking > 0 && !r.thinksAloud {
			messageOf(body)["reasoning_content"] = thoughtText
		}
		if d.answer != nil {
			d.answer(r, body)
		}
		return body
	}
	f.list = func(models []string) fields { return chatList(models, name) }
	if d.problem != nil {
		f.problem = d.problem
	}
	return f
}

// all makes one check of two.
func all(first, second func(fields, *question) *problem) func(fields, *question) *problem {
	return func(body fields, q *question) *problem {
		if wrong := first(body, q); wrong != nil {
			return wrong
		}
		return second(body, q)
	}
}

// wantsWordJSON refuses the type json_object if no message has the word JSON.
func wantsWordJSON(body fields, q *question) *problem {
	if textAt(body, "response_format.type") == "json_object" && !strings.Contains(strings.ToLower(q.system+q.user), "json") {
		return bad("messages", "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.")
	}
	return nil
}

// thinksByName lets models that think do so before the vote, in the text.
func thinksByName(body fields, q *question) *problem {
	model := strings.ToLower(q.model)
	thinks := strings.Contains(model, "qwen3") || strings.Contains(model, "r1")
	if q.thinksAloud = thinks && textAt(body, "reasoning_effort") != "none"; q.thinksAloud {
		q.thinking = tokens(thoughtText)
	}
	return nil
}

func messageOf(body fields) fields { return body["choices"].([]fields)[0]["message"].(fields) }

// mistralProblem writes an unknown field as a complaint about a place, inside an object.
func mistralProblem(r errorRow, p *problem, _ string) fields {
	body := fields{"object": "error", "message": r.message, "type": r.kind, "param": nil, "code": nil}
	if p.condition == "bad_request" && p.param != "" {
		body["message"] = fields{"detail": []fields{{"type": "extra_forbidden", "loc": []string{"body", p.param}, "msg": r.message, "input": nil}}}
	}
	return body
}

// upstream are the conditions of the server behind OpenRouter, which it reports with status
// 200.
var upstream = []string{"rate_limit", "overloaded", "unavailable", "server_error", "timeout_504"}

// openrouterProblem writes the error of the server behind it as a text inside its own.
func openrouterProblem(r errorRow, p *problem, _ string) fields {
	if !slices.Contains(upstream, p.condition) {
		return fields{"error": fields{"code": r.status, "message": r.message}}
	}
	raw := encode(openaiProblem(r, p, ""))
	return fields{"error": fields{"code": r.status, "message": "Provider returned error", "metadata": fields{"raw": string(raw), "provider_name": "Simulated"}}}
}

// codeProblem writes errors with the status as their code.
func codeProblem(code func(status int) any) func(r errorRow, p *problem, id string) fields {
	return func(r errorRow, p *problem, id string) fields {
		body := openaiProblem(r, p, id)
		inner := maps.Clone(body["error"].(fields))
		inner["code"] = code(r.status)
		return fields{"error": inner}
	}
}

// rowOf gives the words of OpenAI for a dialect, with the statuses that differ.
func rowOf(condition, provider string) errorRow {
	if row, known := errorRows[[2]string{condition, provider}]; known {
		return row
	}
	row := errorRows[[2]string{condition, OpenAI}]
	if provider == "mistral" && condition == "bad_request" {
		row.status = 422
	}
	return row
}
