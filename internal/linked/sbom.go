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

type object = map[string]any

func writeSBOM(w io.Writer, modules []*module, version string) error {
	program, err := (&module{Path: "thalas", Version: version, Licences: []string{"MIT"}}).component("application")
	if err != nil {
		return err
	}
	components := make([]object, len(modules))
	for i, m := range modules {
		if components[i], err = m.component("library"); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object{
		"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": object{"component": program}, "components": components,
	})
}

// component describes a module. Its hash is the checksum of go.sum, SHA-256 over the names and
// the hashes of its files, or for a library from npm SHA-512 of its archive.
func (m *module) component(kind string) (object, error) {
	registry, algorithm, encoded := "golang", "SHA-256", strings.TrimPrefix(m.Sum, "h1:")
	if sum, isNPM := strings.CutPrefix(m.Sum, "sha512-"); isNPM {
		registry, algorithm, encoded = "npm", "SHA-512", sum
	}
	url := fmt.Sprintf("pkg:%s/%s@%s", registry, m.Path, m.Version)
	c := object{
		"type": kind, "bom-ref": url, "name": m.Path, "version": m.Version, "purl": url,
		"licenses": []object{{"expression": strings.Join(m.Licences, " AND ")}},
	}
	sum, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("the checksum of %s %s can't be read: %w", m.Path, m.Version, err)
	}
	if len(sum) > 0 {
		c["hashes"] = []object{{"alg": algorithm, "content": hex.EncodeToString(sum)}}
	}
	return c, nil
}
