// Package bolt keeps everything in one bbolt file: results, counters and
// coordination records, for one process at a time.
//
// A write is answered after its commit, which waits for the disk. One goroutine
// writes; it commits whatever queued up while the last commit ran, and waits for
// more where writes come fast, so that many share the wait for the disk. An
// operation of such a group that is refused or fails leaves the others alone. A process that is killed leaves the
// last commit, whole: result, index entries and counters of a run stand in one
// transaction.
//
// The file is locked. One process holds it for writing, or any number hold it
// for reading (Options.ReadOnly); neither can be opened beside the other. Open
// waits a second for the lock and then gives an InUse error, which names the
// address of the server that holds the file where it has announced one. So whoever has
// opened it knows that no process of before lives: claims in progress that it finds are
// free, and leases have ended.
//
// A file that is cut off, or in which pages were overwritten, gives errors and
// does not end the process: bbolt panics on pages that are not what they should
// be, and what lies behind the end of a mapped file faults. Both are caught here. A
// store that has met such damage while it was open, or whose file was cut or written
// by somebody else, gives ErrDamaged from then on, at once and for everything, Close
// excepted; one whose file is not at its place gives it until the file is back.
// bbolt has no checksums of pages, though: a few flipped bits in one can mislead bbolt
// itself. A result's answer has a checksum, which is looked at whenever it is read. Check
// reads every record.
//
// What has expired is hidden by the machine's clock, and removed by the time that is
// known to have passed (passed.go), so that a wrong clock removes nothing.
package bolt
