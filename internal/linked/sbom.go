package main

// The bill of materials: CycloneDX 1.6 as JSON. It has no time and no random number, so that
// the same modules give the same bytes.

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licences []licence `json:"licenses,omitempty"`
	URL      string    `json:"purl"`
}

// hash is the checksum of go.sum: SHA-256 over the names and the hashes of a module's files.
// For a library from npm it is SHA-512 of its archive.
type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// licence is an SPDX expression.
type licence struct {
	Expression string `json:"expression"`
}

func writeSBOM(w io.Writer, modules []module, version string) error {
	var bill struct {
		Format   string `json:"bomFormat"`
		Spec     string `json:"specVersion"`
		Version  int    `json:"version"`
		Metadata struct {
			Component component `json:"component"`
		} `json:"metadata"`
		Components []component `json:"components"`
	}
	bill.Format, bill.Spec, bill.Version = "CycloneDX", "1.6", 1
	bill.Metadata.Component = componentOf("application", "thalas", version)
	bill.Metadata.Component.Licences = []licence{{"MIT"}}
	for _, m := range modules {
		c := componentOf("library", m.Path, m.Version)
		c.Licences = []licence{{strings.Join(m.Licences, " AND ")}}
		if encoded, found := strings.CutPrefix(m.Sum, "h1:"); found {
			sum, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return fmt.Errorf("the checksum of %s %s can't be read: %w", m.Path, m.Version, err)
			}
			c.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
		} else if encoded, found := strings.CutPrefix(m.Sum, "sha512-"); found {
			sum, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return fmt.Errorf("the checksum of %s %s can't be read: %w", m.Path, m.Version, err)
			}
			c.URL = "pkg:npm/" + m.Path + "@" + m.Version
			c.Ref, c.Hashes = c.URL, []hash{{"SHA-512", hex.EncodeToString(sum)}}
		}
		bill.Components = append(bill.Components, c)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(bill)
}

func componentOf(kind, path, version string) component {
	url := "pkg:golang/" + path + "@" + version
	return component{Type: kind, Ref: url, Name: path, Version: version, URL: url}
}
