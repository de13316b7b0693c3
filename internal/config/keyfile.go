package config

// Files with keys. A variable such as OPENAI_API_KEY_FILE names a file that holds the key, as
// containers and systemd hand secrets over.

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"thalas/internal/provider"
)

// readKeyFiles gives each key variable of a known provider the content of its file, so that
// everything else sees a key in the environment. No message shows the content, nor the path:
// somebody may have set the variable to the key itself.
func (r *reader) readKeyFiles() {
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		variable, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !strings.HasSuffix(variable, "_API_KEY") || !slices.Contains(r.known, variable) {
			continue
		}
		path := r.values[name]
		delete(r.values, name)
		wrong := func(text string) { r.mistakes = append(r.mistakes, name+" "+text) }
		if r.values[variable] != "" {
			wrong("and " + variable + " are both set: remove one of them")
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			wrong("names a file that can't be read (" + causeOf(err).Error() + "): set it to the path of a file that holds the key alone")
			continue
		}
		key, err := provider.ParseKey(string(text))
		switch {
		case err != nil:
			wrong("names a file whose content is not a key: it " + err.Error())
		case !key.IsSet():
			wrong("names a file that is empty: write the key into it, or unset the variable")
		default:
			r.values[variable] = key.Reveal()
			r.warnIfShared(name, path)
		}
	}
}

// causeOf gives an error without the path that it quotes.
func causeOf(err error) error {
	if path, is := errors.AsType[*fs.PathError](err); is {
		return path.Err
	}
	return err
}

// warnIfShared warns about a file that more users than its owner may read. Windows has no
// such bits. systemd keeps others out of its folder of credentials, and gives the service its
// right to a file there by an access list, which looks like a right of the group.
func (r *reader) warnIfShared(name, path string) {
	if folder := r.values["CREDENTIALS_DIRECTORY"]; folder != "" && filepath.Dir(path) == filepath.Clean(folder) {
		return
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		r.warnings = append(r.warnings, name+" names a file that other users may read: make it readable by the user of this program alone, mode 0400")
	}
}
