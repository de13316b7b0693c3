// Package importtest checks the rules of the repository: which package may import which, which
// foreign modules may be linked into which program, that every package has a package
// comment, and that no file contains a key or a path of one machine. It has only tests,
// and imports nothing of the module. It needs the go command, and git for the files.
package importtest
