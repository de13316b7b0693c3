// Package importtest holds the repository to its own rules: who may import
// whom, which foreign modules are linked into what, that every package says
// what it is for, and that no file carries a key or a path of somebody's
// machine. It is tests only and imports nothing of the module; it needs the go
// command, and git for the rules about files.
package importtest
