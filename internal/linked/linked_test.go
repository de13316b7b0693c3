package main

// What is linked may be copied; and what may not is noticed.

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A licence that is unknown or not permissive fails here.
func TestLicencesOfWhatIsLinked(t *testing.T) {
	modules, err := list(programs)
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 20 {
		t.Errorf("%d modules are linked: the list is not whole", len(modules))
	}
	var texts bytes.Buffer
	if err := writeTexts(&texts, modules); err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if !strings.Contains(texts.String(), "\n"+m.Path+" "+m.Version+" (") {
			t.Errorf("the texts do not name %s", m.Path)
		}
	}
}

// The SBOM lists what the linker has written into a program.
func TestSBOMIsWhatIsLinked(t *testing.T) {
	const program = "thalas/functions/health"
	binary := filepath.Join(t.TempDir(), "health")
	if output, err := exec.Command("go", "build", "-o", binary, program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := list([]string{program})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := writeSBOM(&text, modules, "v1"); err != nil {
		t.Fatal(err)
	}
	var bill struct {
		Components []struct {
			Name, Version string
			Hashes        []struct{ Content string }
			Licenses      []struct{ Expression string }
		}
	}
	if err := json.Unmarshal(text.Bytes(), &bill); err != nil {
		t.Fatal(err)
	}
	want := []string{"std " + strings.TrimPrefix(built.GoVersion, "go")}
	for _, m := range built.Deps {
		want = append(want, m.Path+" "+m.Version)
	}
	libraries := map[string]*module{}
	if err := addLibraries(libraries, "../page"); err != nil { // which is embedded
		t.Fatal(err)
	}
	for _, m := range libraries {
		want = append(want, m.Path+" "+m.Version)
	}
	var got []string
	for _, c := range bill.Components {
		got = append(got, c.Name+" "+c.Version)
		if len(c.Licenses) != 1 || c.Licenses[0].Expression == "" || len(c.Hashes) != 1 && c.Name != "std" {
			t.Errorf("%s has the licences %v and the hashes %v", c.Name, c.Licenses, c.Hashes)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modules (-linked +listed):\n%s", diff)
	}
}

func TestLicencesOf(t *testing.T) {
	const (
		mit = "Permission is hereby granted, free of charge, to any person …\nThe above copyright notice and this\n permission notice shall be included in all copies"
		bsd = "Redistribution and use in source and binary forms, with or without modification, are permitted"
	)
	tests := []struct {
		name, text string
		want       []string
		fails      string
	}{
		{"MIT", mit, []string{"MIT"}, ""},
		{"MIT without its notice", "Permission is hereby granted, free of charge, to any person", []string{"MIT-0"}, ""},
		{"BSD with two clauses", bsd, []string{"BSD-2-Clause"}, ""},
		{"BSD with three", bsd + " … may be used to endorse or promote products", []string{"BSD-3-Clause"}, ""},
		{"Apache", "   Apache License\n  Version 2.0, January 2004", []string{"Apache-2.0"}, ""},
		{"several in one file", "Apache License, Version 2.0 …" + mit, []string{"Apache-2.0", "MIT"}, ""},
		{"GPL", "GNU GENERAL PUBLIC LICENSE\nVersion 3", nil, "general public license"},
		{"LGPL beside MIT", mit + "\nor the GNU Lesser General\nPublic License", nil, "general public license"},
		{"MPL", "Mozilla Public License Version 2.0", nil, "mozilla public"},
		{"MIT with a condition", mit + "\n\"Commons Clause\" License Condition", nil, "commons clause"},
		{"not for money", bsd + " for non-commercial use", nil, "non-commercial"},
		{"unknown", "You may look at this.", nil, "not known"},
		{"empty", "", nil, "not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := module{Path: "example.com/m", Version: "v1", Texts: map[string]string{"LICENSE": tt.text, "NOTICE": "anything"}}
			err := m.identify()
			if diff := cmp.Diff(tt.want, m.Licences); diff != "" {
				t.Errorf("licences (-want +got):\n%s", diff)
			}
			if (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("error = %v, want one that says %q", err, tt.fails)
			}
		})
	}
	if err := (&module{Path: "example.com/m", Texts: map[string]string{"NOTICE": "anything"}}).identify(); err == nil {
		t.Error("a module without a licence is accepted")
	}
}
