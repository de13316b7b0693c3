package sam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"thalas/e2e/sam"
)

func TestDeclared(t *testing.T) {
	tests := []struct {
		name        string
		given, want map[string]string
	}{
		{"nothing", map[string]string{}, map[string]string{}},
		{
			"others are left as they are",
			map[string]string{"DAILY_BUDGET_USD": "2", "TIMEOUT_SECONDS": "9", "AWS_ENDPOINT_URL_DYNAMODB": "http://h", "OPENAI_ORG_ID": "x", "GROK_MODEL": ""},
			map[string]string{"DAILY_BUDGET_USD": "2", "TIMEOUT_SECONDS": "9", "AWS_ENDPOINT_URL_DYNAMODB": "http://h", "OPENAI_ORG_ID": "x", "GROK_MODEL": ""},
		},
		{
			"providers and venues, behind what is there",
			map[string]string{"GROK_ENABLED": "true", "ANTHROPIC_BASE_URL": "http://h/a", "OKX_BASE_URL": "http://h/o", "SETTINGS": "GROK_WEIGHT=1", "MIN_PROVIDERS": "2"},
			map[string]string{"SETTINGS": "GROK_WEIGHT=1 ANTHROPIC_BASE_URL=http://h/a GROK_ENABLED=true OKX_BASE_URL=http://h/o", "MIN_PROVIDERS": "2"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, sam.Declared(test.given)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
