package main

// The four wire formats as the bare program knows them: what is sent, and which
// answer is complete.

import (
	"encoding/json"
	"fmt"
)

type bareWire struct {
	name, path, keyHeader string
	weight                float64
	question              func(user string) any
	answer                func(body []byte) (bareReply, error)
}

type bareReply struct {
	text, model   string
	input, output int // tokens
}

var wires = []bareWire{
	{"anthropic", "/v1/messages", "X-Api-Key", 1, anthropicQuestion, anthropicAnswer},
	{"openai", "/v1/chat/completions", "Authorization", 0.9, openaiQuestion("gpt-6-luna"), openaiAnswer},
	{"gemini", "/v1beta/models/gemini-3.5-flash-lite:generateContent", "X-Goog-Api-Key", 0.8, geminiQuestion, geminiAnswer},
	{"grok", "/v1/chat/completions", "Authorization", 0.7, openaiQuestion("grok-4.20-0309-non-reasoning"), openaiAnswer},
}

type bareMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func anthropicQuestion(user string) any {
	type format struct {
		Type   string          `json:"type"`
		Schema json.RawMessage `json:"schema"`
	}
	type output struct {
		Format format `json:"format"`
	}
	return struct {
		Model     string        `json:"model"`
		MaxTokens int           `json:"max_tokens"`
		System    string        `json:"system"`
		Messages  []bareMessage `json:"messages"`
		Output    output        `json:"output_config"`
	}{"claude-haiku-5-5", 1024, bareSystem, []bareMessage{{"user", user}}, output{format{"json_schema", bareSchema}}}
}

func anthropicAnswer(body []byte) (bareReply, error) {
	var a struct {
		Model   string
		Content []struct{ Type, Text string }
		Stop    string `json:"stop_reason"`
		Usage   struct {
			Input  int `json:"input_tokens"`
			Cached int `json:"cache_read_input_tokens"`
			Output int `json:"output_tokens"`
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return bareReply{}, err
	}
	if a.Stop != "end_turn" {
		return bareReply{}, fmt.Errorf("stopped by %q", a.Stop)
	}
	reply := bareReply{model: a.Model, input: a.Usage.Input + a.Usage.Cached, output: a.Usage.Output}
	for _, block := range a.Content {
		if block.Type == "text" {
			reply.text += block.Text
		}
	}
	return reply, nil
}

func openaiQuestion(model string) func(user string) any {
	type schema struct {
		Name   string          `json:"name"`
		Strict bool            `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	}
	type format struct {
		Type   string `json:"type"`
		Schema schema `json:"json_schema"`
	}
	return func(user string) any {
		return struct {
			Model     string        `json:"model"`
			MaxTokens int           `json:"max_completion_tokens"`
			Messages  []bareMessage `json:"messages"`
			Format    format        `json:"response_format"`
		}{model, 1024, []bareMessage{{"system", bareSystem}, {"user", user}}, format{"json_schema", schema{"trading_vote", true, bareSchema}}}
	}
}

func openaiAnswer(body []byte) (bareReply, error) {
	var a struct {
		Model   string
		Choices []struct {
			Message struct{ Content, Refusal string }
			Finish  string `json:"finish_reason"`
		}
		Usage struct {
			Input  int `json:"prompt_tokens"`
			Output int `json:"completion_tokens"`
		}
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return bareReply{}, err
	}
	if len(a.Choices) == 0 || a.Choices[0].Finish != "stop" || a.Choices[0].Message.Refusal != "" {
		return bareReply{}, fmt.Errorf("no complete choice")
	}
	return bareReply{a.Choices[0].Message.Content, a.Model, a.Usage.Input, a.Usage.Output}, nil
}

func geminiQuestion(user string) any {
	type part struct {
		Text string `json:"text"`
	}
	type content struct {
		Role  string `json:"role,omitempty"`
		Parts []part `json:"parts"`
	}
	type generation struct {
		MaxTokens int             `json:"maxOutputTokens"`
		MIMEType  string          `json:"responseMimeType"`
		Schema    json.RawMessage `json:"responseJsonSchema"`
	}
	return struct {
		System     content    `json:"systemInstruction"`
		Contents   []content  `json:"contents"`
		Generation generation `json:"generationConfig"`
	}{content{"", []part{{bareSystem}}}, []content{{"user", []part{{user}}}}, generation{1024, "application/json", bareSchema}}
}

func geminiAnswer(body []byte) (bareReply, error) {
	var a struct {
		Candidates []struct {
			Content struct{ Parts []struct{ Text string } }
			Finish  string `json:"finishReason"`
		}
		Usage struct {
			Input  int `json:"promptTokenCount"`
			Output int `json:"candidatesTokenCount"`
		} `json:"usageMetadata"`
		Model string `json:"modelVersion"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return bareReply{}, err
	}
	if len(a.Candidates) == 0 || a.Candidates[0].Finish != "STOP" {
		return bareReply{}, fmt.Errorf("no complete candidate")
	}
	reply := bareReply{model: a.Model, input: a.Usage.Input, output: a.Usage.Output}
	for _, part := range a.Candidates[0].Content.Parts {
		reply.text += part.Text
	}
	return reply, nil
}
