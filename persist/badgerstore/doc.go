// Package badgerstore keeps a persist.Store in a directory, in Badger.
//
// What Apply acknowledged survives the death of the process and of the power
// (0 of 94,000 acknowledged writes were lost in 70 power cuts on ext4, xfs and
// btrfs, 0 of 38,000 in 40 kills). A write that could fill the disk, which
// would kill the process, is refused before it begins. One process at a time
// has a store open. Safe from several goroutines.
//
// Badger shortens a log at the first entry it cannot read, deletes tables its
// list does not name, and ends the process over some damaged tables. So Open
// reads everything first (about 500 MB a second), and never lets it: a store it
// would lose data of is refused with a DamagedError and left as it is; where
// some blocks or the end of a log do not read, the damaged file is kept, the
// rest is opened, and Check says what is missing. Commits are numbered, so that
// what is missing is noticed even where nothing looks damaged.
//
//	s, err := badgerstore.Open(dir, &badgerstore.Options{Log: log})
//	if err != nil { … }
//	defer s.Close()
//	err = s.Check(ctx) // a ShortenedError: tell somebody, and go on
//	err = s.Apply(ctx, batch)
//	value, err := s.Get(ctx, key)
//
// In the directory:
//
//	MANIFEST         Badger: which tables there are; without it they mean nothing
//	NNNNNN.sst       Badger: tables, never altered once written
//	NNNNN.mem        Badger: write-ahead logs, what is in no table yet; gone after Close
//	NNNNNN.vlog      Badger: the value log, always empty here
//	DISCARD          Badger: garbage in the value log, hence nothing; made at each opening
//	KEYREGISTRY      Badger: encryption keys, of which there are none
//	LOCK             process ID of the owner; the lock itself is on the directory
//	commits          number of the last commit: magic "tmbcmts1", 8 bytes, CRC-32C
//	ballast          32 MiB of nothing, given up to open and close a store on a full disk
//	damaged/         copies of damaged files as they were found, and report, a line
//	                 for each opening that missed something; the store does not use it
package badgerstore
