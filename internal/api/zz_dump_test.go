package api

import (
	"os"
	"testing"
)

func TestZZDump(t *testing.T) {
	dir := os.Getenv("DUMP")
	if dir == "" {
		t.Skip()
	}
	for name, o := range map[string]Options{"keys": {APIKeys: []string{"x"}}, "plain": {}} {
		j, y := contractServer(t, o).document()
		os.WriteFile(dir+"/"+name+".json", j, 0o644)
		os.WriteFile(dir+"/"+name+".yaml", y, 0o644)
	}
}
