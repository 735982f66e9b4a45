// Package backup writes a whole store into one file and reads it again: the
// documents with their history, and settings; encrypted with age, so that any
// place may keep it.
//
//	sealed, err := backup.Seal(file, backup.Key{Passphrase: p})
//	sum, err := backup.Write(ctx, sealed, store, backup.Head{Created: now}, nil)
//	err = sealed.Close()
//	plain, err := backup.Unseal(file, backup.Key{Passphrase: p})
//	r, err := backup.NewReader(plain)
//	for entry, err := range r.Entries(ctx) { … }
//
// What it promises:
//
//   - An archive is the store at one moment, however much is written meanwhile.
//   - Reading reaches the end only where everything arrived as it was written:
//     counts and a SHA-256 stand at the end, and every byte of a sealed archive
//     is authenticated. What was read before an error is not to be trusted.
//   - Both directions take a few MiB of memory, however large the store is, and
//     every length that is read is bounded.
//   - Every archive that a release has written is read by all later ones.
//   - What is damaged in the store is left out and counted, so that the rest
//     can be saved.
//
// An archive (docs/format.md, "backup 1") in a zstd frame, unless Seal is put
// around it, can be read by anyone: it is for pipes and tests.
package backup
