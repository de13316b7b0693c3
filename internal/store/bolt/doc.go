// Package bolt is a store in one bbolt file, for one process at a time.
//
// A write returns after its commit is on the disk. One goroutine writes. It commits all
// writes that queued up during the last commit as one group, and waits a moment for more
// when writes come fast, so that many writes share one wait for the disk. A write of a
// group that is refused or fails does not affect the others. After a process was killed,
// the file is as its last commit left it. The result, the index entries and the counters
// of a run are in one commit, and so are an outcome, what it adds to the sums, and that its
// result leaves the list.
//
// The file is locked. Either one process holds it for writing, or any number of
// processes hold it for reading (Options.ReadOnly). [Open] waits up to a second for the
// lock and then gives an [InUse] error, which names the address of the server that holds
// the file if that server has announced it. A process that has opened the file for
// writing knows that all processes before it have ended: it may take their claims that
// are in progress, and their leases have ended.
//
// A file that was cut, or whose pages were overwritten, gives errors and does not end the
// process: bbolt panics at a page that makes no sense, and an access beyond the end of a
// mapped file is a fault, and both are caught here. A store that meets such damage, or
// whose file is cut or written by another program while it is open, gives ErrDamaged for
// everything but Close from then on. A store whose file was moved away gives ErrDamaged
// until the file is back. bbolt has no checksums, so a few changed bits can mislead it
// unnoticed. Answers, outcomes and sums have checksums here, which every read compares.
// [Check] reads every record.
//
// Reads hide what has expired by the machine's clock. Expired records are removed only by
// the time that is known to have passed (sweep.go), so that a wrong clock removes
// nothing.
package bolt
