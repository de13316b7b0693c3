package provider_test

// Only Reveal shows a key.

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"thalas/internal/provider"
)

func TestKeyIsNeverPrinted(t *testing.T) {
	const secret = "sk-ant-Q7vXw2Zr9TtLm4Kp8HsNb3"
	key := provider.NewKey(secret)
	type inside struct {
		Name     string
		Key      provider.Key
		unlisted provider.Key
		Pointer  *provider.Key
	}
	holder := inside{"grok", key, key, &key}
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%c", "%U", "%e", "%10.3v", "%!"} {
		for _, value := range []any{key, &key, holder, &holder, []provider.Key{key}, map[string]provider.Key{"a": key}, []any{key}} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	printed = append(printed, key.String(), fmt.Sprint(key, holder), fmt.Errorf("with %v and %v", key, holder).Error())
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, xml.Marshal} {
		for _, value := range []any{key, &key, holder} {
			text, _ := marshal(value)
			printed = append(printed, string(text))
		}
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("asked", "key", key, "pointer", &key, "holder", holder, "any", slog.AnyValue(key), slog.Group("g", "key", key))
	}
	printed = append(printed, log.String())
	settings := provider.Settings{Key: key}
	printed = append(printed, fmt.Sprintf("%v %+v %#v", settings, settings, settings))
	forms := []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), base64.StdEncoding.EncodeToString([]byte(secret)), "Q7vXw2Zr"}
	for _, text := range printed {
		for _, form := range forms {
			if strings.Contains(text, form) {
				t.Errorf("the key is in %q", text)
			}
		}
	}
	if key.Reveal() != secret || !key.IsSet() {
		t.Errorf("revealed %q, want the key itself", key.Reveal())
	}
}

func TestParseKey(t *testing.T) {
	const planted = "planted-test-key"
	for _, tt := range []struct{ text, want string }{
		{planted, planted},
		{" \t" + planted + "\r\n", planted},
		{`"` + planted + `"`, planted},
		{" '" + planted + "' ", planted},
		{`" ` + planted + `"`, planted},
		{"", ""},
		{`""`, ""},
		{`"` + planted, "error"},
		{planted + "'", "error"},
		{`"` + planted + `'`, "error"},
		{`"` + planted + `" # mine`, "error"},
		{`""` + planted + `""`, "error"},
		{"planted test", "error"},
		{"plant\u200bed", "error"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			key, err := provider.ParseKey(tt.text)
			if got := key.Reveal(); err == nil && got != tt.want || err != nil && (tt.want != "error" || got != "") {
				t.Errorf("got %q, %v; want %s", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "planted") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestNoKey(t *testing.T) {
	for name, key := range map[string]provider.Key{"zero": {}, "empty": provider.NewKey("")} {
		if key.IsSet() || key.Reveal() != "" {
			t.Errorf("%s key: set %v, revealed %q", name, key.IsSet(), key.Reveal())
		}
		if got := fmt.Sprint(key); got != "[redacted]" {
			t.Errorf("%s key is printed as %q: whether there is one is told too", name, got)
		}
	}
}
